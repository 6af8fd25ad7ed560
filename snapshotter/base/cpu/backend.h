// SPDX-License-Identifier: Apache-2.0
// What cpu.h asks of whoever runs bodies on several cores: oneTBB, in a module of its own that is
// opened when there is something to run (mybuild-cpu.so). Thread-safe but for groups.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace mybuild::cpu {

/// As cpu::Group. The destructor waits.
class Tasks {
 public:
  virtual ~Tasks() = default;
  virtual void run(std::function<void()> body) = 0;
  virtual void wait() = 0;
};

class Backend {
 public:
  virtual void for_each(std::size_t count, const std::function<void(std::size_t)>& body) = 0;
  virtual std::unique_ptr<Tasks> make_tasks() = 0;
  /// No more than so many bodies at once, from here on; 0: as many as there are cores.
  virtual void set_limit(std::size_t cores) = 0;

 protected:
  ~Backend() = default;  // lives as long as the process
};

inline constexpr const char* kModule = "mybuild-cpu.so";
inline constexpr const char* kEntryPoint = "mybuild_cpu_backend";
using EntryPoint = Backend*();

}  // namespace mybuild::cpu
