// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/cpu/backend.h"

#include <optional>

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

namespace mybuild::cpu {

namespace {

class TbbTasks final : public Tasks {
 public:
  ~TbbTasks() noexcept override { group_.wait(); }
  void run(std::function<void()> body) override { group_.run(std::move(body)); }
  void wait() override { group_.wait(); }

 private:
  tbb::task_group group_;
};

class Tbb final : public Backend {
 public:
  /// Isolated: while this thread waits for the last body it must not pick up a stranger's, which
  /// may be long.
  void for_each(std::size_t count, const std::function<void(std::size_t)>& body) override {
    tbb::this_task_arena::isolate([&] {
      tbb::parallel_for(
          tbb::blocked_range<std::size_t>(0, count, 1),
          [&](const tbb::blocked_range<std::size_t>& range) {
            for (std::size_t i = range.begin(); i != range.end(); ++i) {
              body(i);
            }
          },
          tbb::simple_partitioner());
    });
  }
  std::unique_ptr<Tasks> make_tasks() override { return std::make_unique<TbbTasks>(); }
  void set_limit(std::size_t cores) override {
    limit_.reset();
    if (cores > 0) {
      limit_.emplace(tbb::global_control::max_allowed_parallelism, cores);
    }
  }

 private:
  std::optional<tbb::global_control> limit_;
};

}  // namespace

}  // namespace mybuild::cpu

extern "C" mybuild::cpu::Backend* mybuild_cpu_backend() {
  static auto* const backend = new mybuild::cpu::Tbb;  // never destroyed: other threads use it
  return backend;
}
