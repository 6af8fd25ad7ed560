// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/cpu.h"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

#include <algorithm>

namespace mybuild::cpu {

std::size_t parallelism() {
  const auto arena = static_cast<std::size_t>(tbb::this_task_arena::max_concurrency());
  const std::size_t allowed =
      tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism);
  return std::max<std::size_t>(1, std::min(arena, allowed));
}

void for_each(std::size_t count, const std::function<void(std::size_t)>& body) {
  if (count <= 1) {  // does not even start the worker threads
    if (count == 1) {
      body(0);
    }
    return;
  }
  // Isolated: while this thread waits for the last body it must not pick up a stranger's, which may
  // be long.
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

struct Group::State {
  tbb::task_group tasks;
};

Group::Group() : state_(std::make_unique<State>()) {}
Group::~Group() {
  wait();
}
void Group::run(std::function<void()> body) {
  state_->tasks.run(std::move(body));
}
void Group::wait() {
  state_->tasks.wait();
}

struct Limit::State {
  explicit State(std::size_t cores)
      : control(tbb::global_control::max_allowed_parallelism, std::max<std::size_t>(1, cores)) {}
  tbb::global_control control;
};

Limit::Limit(std::size_t cores) : state_(std::make_unique<State>(cores)) {}
Limit::~Limit() = default;

}  // namespace mybuild::cpu
