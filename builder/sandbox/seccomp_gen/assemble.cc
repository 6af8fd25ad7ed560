// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/seccomp_gen/assemble.h"

#include "builder/sandbox/seccomp_gen/profile.h"

#include <seccomp.h>

#include <linux/audit.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <map>
#include <string>

namespace mybuild::sandbox::seccomp_gen {

namespace {

using Code = std::vector<sock_filter>;

static_assert(std::endian::native == std::endian::little, "argument words are read low half first");

sock_filter statement(unsigned code, std::uint32_t k) {
  return {static_cast<std::uint16_t>(code), 0, 0, k};
}
sock_filter jump(unsigned code, std::uint32_t k, std::size_t if_true, std::size_t if_false) {
  return {static_cast<std::uint16_t>(code), static_cast<std::uint8_t>(if_true),
          static_cast<std::uint8_t>(if_false), k};
}
sock_filter load(std::size_t offset) {
  return statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
sock_filter verdict(std::uint32_t action) {
  return statement(BPF_RET | BPF_K, action);
}
sock_filter fail_with(int error) {
  return verdict(SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error));
}

void append(Code& code, const Code& more) {
  code.insert(code.end(), more.begin(), more.end());
}

Code rule_code(const ArgumentRule& rule) {
  using Test = ArgumentRule::Test;
  if (rule.test == Test::Never) {
    return {fail_with(rule.otherwise)};
  }
  Code code = {load(offsetof(seccomp_data, args) + rule.argument * sizeof(std::uint64_t))};
  if (rule.test == Test::NoneOfBits) {
    append(code, {jump(BPF_JMP | BPF_JSET | BPF_K, rule.values[0], 1, 0),
                  verdict(SECCOMP_RET_ALLOW), fail_with(rule.otherwise)});
    return code;
  }
  for (std::size_t i = 0; i < rule.values.size(); ++i) {
    const std::size_t to_allow = rule.values.size() - i;  // over the other tests and the refusal
    code.push_back(jump(BPF_JMP | BPF_JEQ | BPF_K, rule.values[i], to_allow, 0));
  }
  append(code, {fail_with(rule.otherwise), verdict(SECCOMP_RET_ALLOW)});
  return code;
}

/// What happens to a call number, as an index into Verdicts; ranges with the same index are one.
struct Verdicts {
  static constexpr std::size_t kRefuse = 0;
  static constexpr std::size_t kUnknown = 1;
  static constexpr std::size_t kAllow = 2;
  std::vector<Code> code = {{fail_with(EPERM)}, {fail_with(ENOSYS)}, {verdict(SECCOMP_RET_ALLOW)}};
};

struct Range {
  std::uint32_t first;
  std::size_t verdict;
};

using NumberMap = std::map<std::uint32_t, std::size_t>;

constexpr std::uint32_t kX32Bit = 0x40000000;

std::uint32_t number_base(std::uint32_t arch) {
  return arch == SCMP_ARCH_X32 ? kX32Bit : 0;
}

void resolve_into(NumberMap& numbers, std::uint32_t arch, std::string_view name,
                  std::size_t target) {
  const int number = seccomp_syscall_resolve_name_arch(arch, std::string(name).c_str());
  if (number >= 0) {  // negative: unknown, or not on this architecture
    numbers[static_cast<std::uint32_t>(number)] = target;
  }
}

NumberMap numbers_of(std::uint32_t arch, Verdicts& verdicts) {
  NumberMap numbers;
  for (const std::string_view name : allowed_syscalls()) {
    resolve_into(numbers, arch, name, Verdicts::kAllow);
  }
  for (const NumberedSyscall& call : numbered_syscalls()) {
    if (call.arch == 0 || call.arch == arch) {
      numbers[call.number + number_base(arch)] = Verdicts::kAllow;
    }
  }
  for (const ArgumentRule& rule : argument_rules()) {
    resolve_into(numbers, arch, rule.name, verdicts.code.size());
    verdicts.code.push_back(rule_code(rule));
  }
  return numbers;
}

/// Numbers below the newest one in the table are refused unless listed; newer ones do not exist for
/// the program, which lets a C library fall back to what it did before.
void append_ranges(std::vector<Range>& ranges, std::uint32_t base, const NumberMap& numbers) {
  std::uint32_t next = base;
  const auto add = [&ranges](std::uint32_t first, std::size_t target) {
    if (ranges.empty() || ranges.back().verdict != target) {
      ranges.push_back({first, target});
    }
  };
  for (const auto& [number, target] : numbers) {
    if (number > next) {
      add(next, Verdicts::kRefuse);
    }
    add(number, target);
    next = number + 1;
  }
  add(next, Verdicts::kUnknown);
}

Code search_code(const Verdicts& verdicts, std::span<const Range> ranges) {
  if (ranges.size() == 1) {
    return verdicts.code[ranges[0].verdict];
  }
  const std::size_t middle = ranges.size() / 2;
  const Code low = search_code(verdicts, ranges.first(middle));
  const Code high = search_code(verdicts, ranges.subspan(middle));
  Code code;
  if (low.size() <= 255) {
    code.push_back(jump(BPF_JMP | BPF_JGE | BPF_K, ranges[middle].first, low.size(), 0));
  } else {  // a conditional jump reaches 255 instructions, an unconditional one any number
    code.push_back(jump(BPF_JMP | BPF_JGE | BPF_K, ranges[middle].first, 0, 1));
    code.push_back(statement(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(low.size())));
  }
  append(code, low);
  append(code, high);
  return code;
}

/// Architectures that share one audit value share a section (x32 calls are x86-64 ones with a high
/// bit set).
Code section_code(std::span<const std::uint32_t> arches) {
  Verdicts verdicts;
  std::vector<Range> ranges;
  for (const std::uint32_t arch : arches) {
    append_ranges(ranges, number_base(arch), numbers_of(arch, verdicts));
  }
  return search_code(verdicts, ranges);
}

struct Section {
  std::uint32_t audit_arch;
  std::vector<std::uint32_t> arches;
};

std::vector<Section> sections_of_native() {
  const std::uint32_t native = seccomp_arch_native();
  switch (native) {
    case SCMP_ARCH_X86_64:
      return {{AUDIT_ARCH_X86_64, {SCMP_ARCH_X86_64, SCMP_ARCH_X32}},
              {AUDIT_ARCH_I386, {SCMP_ARCH_X86}}};
    case SCMP_ARCH_AARCH64:
      return {{AUDIT_ARCH_AARCH64, {SCMP_ARCH_AARCH64}}, {AUDIT_ARCH_ARM, {SCMP_ARCH_ARM}}};
    default:
      return {{native, {native}}};  // libseccomp's tokens are the audit values
  }
}

}  // namespace

std::vector<sock_filter> assemble_default_filter() {
  Code code;
  const std::vector<Section> sections = sections_of_native();
  for (const Section& section : sections) {
    const Code body = section_code(section.arches);
    code.push_back(load(offsetof(seccomp_data, arch)));
    code.push_back(jump(BPF_JMP | BPF_JEQ | BPF_K, section.audit_arch, 1, 0));
    code.push_back(statement(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(body.size() + 1)));
    code.push_back(load(offsetof(seccomp_data, nr)));
    append(code, body);
  }
  code.push_back(verdict(SECCOMP_RET_KILL_PROCESS));
  return code;
}

}  // namespace mybuild::sandbox::seccomp_gen
