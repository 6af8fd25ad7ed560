// SPDX-License-Identifier: Apache-2.0
// What one step costs without the command. Prints; fails only when something is badly wrong, as
// machines differ.
#include "tests/sandbox/fixture.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <numeric>
#include <vector>

namespace mybuild::sandbox {
namespace {

struct Figures {
  double best;
  double median;
  double mean;
  double cpu;  // mean CPU time of builder, helper and command: does not depend on other load
};

double cpu_ms() {
  double total = 0;
  for (const auto who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    struct rusage usage {};
    ::getrusage(who, &usage);
    for (const struct timeval& time : {usage.ru_utime, usage.ru_stime}) {
      total += static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
    }
  }
  return total;
}

class Latency : public SandboxTest {
 protected:
  Figures measure(Network network) {
    constexpr int kRuns = 200;
    std::vector<SandboxPlan> plans;
    for (int i = 0; i < kRuns; ++i) {
      plans.push_back(shell_plan(""));
      plans.back().argv = {"true"};
      plans.back().network = network;
      plans.back().hosts = "127.0.0.1 localhost\n";
      plans.back().resolv_conf = "nameserver 1.1.1.1\n";
      plans.back().root.lower.insert(plans.back().root.lower.begin(), make_dir("stubs"));
    }
    for (const char* stub : {"proc", "dev", "sys", "etc"}) {
      make_dir(std::string("stubs/") + stub);
    }
    put("stubs/etc/hosts", "");
    put("stubs/etc/resolv.conf", "");
    std::vector<double> times;
    const double cpu_before = cpu_ms();
    for (const SandboxPlan& plan : plans) {
      const auto begin = std::chrono::steady_clock::now();
      const Ran ran = run(plan);
      const std::chrono::duration<double, std::milli> took =
          std::chrono::steady_clock::now() - begin;
      EXPECT_TRUE(ran.exit && ran.exit->status.success());
      times.push_back(took.count());
    }
    const double cpu = (cpu_ms() - cpu_before) / kRuns;
    std::sort(times.begin(), times.end());
    return {times.front(), times[kRuns / 2],
            std::accumulate(times.begin(), times.end(), 0.0) / kRuns, cpu};
  }
};

TEST_F(Latency, OfTrueIsAFewMilliseconds) {
  for (const Network network : {Network::Host, Network::None}) {
    const Figures figures = measure(network);
    std::printf("true, network %s: best %.2f ms, median %.2f ms, mean %.2f ms, CPU %.2f ms\n",
                network == Network::Host ? "host" : "none", figures.best, figures.median,
                figures.mean, figures.cpu);
    EXPECT_LT(figures.best, 50);
  }
}

}  // namespace
}  // namespace mybuild::sandbox
