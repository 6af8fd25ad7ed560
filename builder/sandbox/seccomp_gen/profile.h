// SPDX-License-Identifier: Apache-2.0
// The system calls a step may use: docker's default profile for the default capabilities, as tables
// by name. Names that an architecture does not have are skipped there. Build time only.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace mybuild::sandbox::seccomp_gen {

/// Allowed whatever the arguments are.
std::span<const std::string_view> allowed_syscalls();

/// A call that is newer than the oldest libseccomp we build with. `arch` is 0 where the number is
/// the same everywhere.
struct NumberedSyscall {
  std::string_view name;
  std::uint32_t arch;  // SCMP_ARCH_*
  std::uint32_t number;
};
std::span<const NumberedSyscall> numbered_syscalls();

/// Allowed if the low 32 bits of an argument are as wanted (the kernel looks at no more of them in
/// these calls).
struct ArgumentRule {
  enum class Test { OneOf, NoneOfBits, Never };
  std::string_view name;
  unsigned argument;
  Test test;
  std::vector<std::uint32_t> values;
  int otherwise;  // errno
};
const std::vector<ArgumentRule>& argument_rules();

}  // namespace mybuild::sandbox::seccomp_gen
