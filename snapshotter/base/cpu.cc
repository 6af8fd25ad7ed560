// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/cpu.h"

#include "snapshotter/base/cpu/backend.h"
#include "snapshotter/base/module.h"

#include <sched.h>

#include <algorithm>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

namespace mybuild::cpu {

namespace {

/// What is not waited for is not run.
class SerialTasks final : public Tasks {
 public:
  ~SerialTasks() override { wait(); }
  void run(std::function<void()> body) override { waiting_.push_back(std::move(body)); }
  void wait() override {
    while (!waiting_.empty()) {
      const std::function<void()> body = std::move(waiting_.front());
      waiting_.pop_front();
      body();
    }
  }

 private:
  std::deque<std::function<void()>> waiting_;
};

/// Where there is no module, as under ThreadSanitizer, for which Debian's oneTBB is not made.
class Serial final : public Backend {
 public:
  void for_each(std::size_t count, const std::function<void(std::size_t)>& body) override {
    for (std::size_t i = 0; i < count; ++i) {
      body(i);
    }
  }
  std::unique_ptr<Tasks> make_tasks() override { return std::make_unique<SerialTasks>(); }
  void set_limit(std::size_t) override {}
};

std::size_t allowed_cores() {
  cpu_set_t set;
  const bool known = ::sched_getaffinity(0, sizeof set, &set) == 0;
  const std::size_t count =
      known ? static_cast<std::size_t>(CPU_COUNT(&set)) : std::thread::hardware_concurrency();
  return std::max<std::size_t>(1, count);
}

class Cores {
 public:
  static Cores& get() {
    static auto* const cores = new Cores;  // never destroyed: other threads use it
    return *cores;
  }

  std::size_t usable() {
    const std::lock_guard lock(mutex_);
    return limits_.empty() ? cores_ : std::min(cores_, *limits_.begin());
  }

  /// Opened at the first call.
  Backend& backend() {
    const std::lock_guard lock(mutex_);
    if (backend_ == nullptr) {
      const Result<void*> entry = find_in_module(kModule, kEntryPoint);
      backend_ = entry ? reinterpret_cast<EntryPoint*>(*entry)() : &serial_;
      apply_limit();
    }
    return *backend_;
  }

  void add_limit(std::size_t cores) {
    const std::lock_guard lock(mutex_);
    limits_.insert(cores);
    apply_limit();
  }
  void remove_limit(std::size_t cores) {
    const std::lock_guard lock(mutex_);
    limits_.erase(limits_.find(cores));
    apply_limit();
  }

 private:
  void apply_limit() {
    if (backend_ != nullptr) {
      backend_->set_limit(limits_.empty() ? 0 : *limits_.begin());
    }
  }

  const std::size_t cores_ = has_module(kModule) ? allowed_cores() : 1;
  std::mutex mutex_;
  Serial serial_;
  Backend* backend_ = nullptr;
  std::multiset<std::size_t> limits_;
};

}  // namespace

std::size_t parallelism() {
  return Cores::get().usable();
}

void for_each(std::size_t count, const std::function<void(std::size_t)>& body) {
  if (count == 1) {
    body(0);
  } else if (count > 1) {
    Cores::get().backend().for_each(count, body);
  }
}

struct Group::State {
  std::unique_ptr<Tasks> tasks;  // none before the first body
};

Group::Group() : state_(std::make_unique<State>()) {}
Group::~Group() = default;

void Group::run(std::function<void()> body) {
  if (state_->tasks == nullptr) {
    state_->tasks = Cores::get().backend().make_tasks();
  }
  state_->tasks->run(std::move(body));
}

void Group::wait() {
  if (state_->tasks != nullptr) {
    state_->tasks->wait();
  }
}

Limit::Limit(std::size_t cores) : cores_(std::max<std::size_t>(1, cores)) {
  Cores::get().add_limit(cores_);
}
Limit::~Limit() {
  Cores::get().remove_limit(cores_);
}

}  // namespace mybuild::cpu
