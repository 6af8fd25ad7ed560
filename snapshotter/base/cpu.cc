// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/cpu.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>

namespace mybuild::cpu {

struct Group::State {
  /// False when no body waits for a thread.
  bool run_one() {
    std::unique_lock lock(mutex);
    if (waiting.empty()) {
      return false;
    }
    std::function<void()> body = std::move(waiting.front());
    waiting.pop_front();
    ++running;
    lock.unlock();
    body();
    body = nullptr;  // whoever waits may take down what it holds
    lock.lock();
    if (--running == 0) {
      idle.notify_all();
    }
    return true;
  }

  std::mutex mutex;
  std::condition_variable idle;  // nothing runs
  std::deque<std::function<void()>> waiting;
  std::size_t running = 0;
};

namespace {

using Task = std::shared_ptr<Group::State>;

std::size_t allowed_cores() {
  cpu_set_t set;
  const bool known = ::sched_getaffinity(0, sizeof set, &set) == 0;
  const std::size_t count =
      known ? static_cast<std::size_t>(CPU_COUNT(&set)) : std::thread::hardware_concurrency();
  return std::max<std::size_t>(1, count);
}

/// Threads that help whoever has something to compute, one less than there are cores: the one that
/// asks computes, too. They begin when they are first needed and live as long as the process.
class Helpers {
 public:
  static Helpers& get() {
    static auto* const helpers = new Helpers;  // never destroyed: its threads still use it
    return *helpers;
  }

  /// One of the task's bodies may be run by another thread.
  void offer(const Task& task) {
    const std::lock_guard lock(mutex_);
    if (most_busy() == 0) {
      return;
    }
    offered_.push_back(task);
    if (offered_.size() > threads_ - busy_ && threads_ < most_busy()) {
      start_thread();
    }
    offer_.notify_one();
  }

  std::size_t cores() {
    const std::lock_guard lock(mutex_);
    return most_busy() + 1;
  }
  void add_limit(std::size_t cores) {
    const std::lock_guard lock(mutex_);
    limits_.insert(cores);
  }
  void remove_limit(std::size_t cores) {
    const std::lock_guard lock(mutex_);
    limits_.erase(limits_.find(cores));
    offer_.notify_all();
  }

 private:
  std::size_t most_busy() const {
    return (limits_.empty() ? cores_ : std::min(cores_, *limits_.begin())) - 1;
  }

  void start_thread() {
    try {
      std::thread([this] { help(); }).detach();
      ++threads_;
    } catch (const std::system_error&) {
      // No room for another thread: who waits for the bodies runs them.
    }
  }

  [[noreturn]] void help() {
    std::unique_lock lock(mutex_);
    for (;;) {
      offer_.wait(lock, [this] { return !offered_.empty() && busy_ < most_busy(); });
      const Task task = std::move(offered_.front());
      offered_.pop_front();
      ++busy_;
      lock.unlock();
      task->run_one();
      lock.lock();
      --busy_;
    }
  }

  const std::size_t cores_ = allowed_cores();
  std::mutex mutex_;
  std::condition_variable offer_;
  std::deque<Task> offered_;
  std::multiset<std::size_t> limits_;
  std::size_t threads_ = 0;
  std::size_t busy_ = 0;
};

}  // namespace

std::size_t parallelism() {
  return Helpers::get().cores();
}

void for_each(std::size_t count, const std::function<void(std::size_t)>& body) {
  std::atomic<std::size_t> next = 0;
  const auto run_some = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      body(i);
    }
  };
  Group others;
  const std::size_t threads = count <= 1 ? 1 : std::min(count, parallelism());
  for (std::size_t i = 1; i < threads; ++i) {
    others.run(run_some);
  }
  run_some();
}

Group::Group() : state_(std::make_shared<State>()) {}
Group::~Group() {
  wait();
}

void Group::run(std::function<void()> body) {
  {
    const std::lock_guard lock(state_->mutex);
    state_->waiting.push_back(std::move(body));
  }
  Helpers::get().offer(state_);
}

void Group::wait() {
  for (bool done = false; !done;) {
    while (state_->run_one()) {
    }
    std::unique_lock lock(state_->mutex);
    state_->idle.wait(lock, [this] { return state_->running == 0; });
    done = state_->waiting.empty();  // else a body has left another one
  }
}

Limit::Limit(std::size_t cores) : cores_(std::max<std::size_t>(1, cores)) {
  Helpers::get().add_limit(cores_);
}
Limit::~Limit() {
  Helpers::get().remove_limit(cores_);
}

}  // namespace mybuild::cpu
