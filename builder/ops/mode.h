// SPDX-License-Identifier: Apache-2.0
// The values of --chmod: octal ("0755", at most 07777) or symbolic ("u=rwX,go-w"), with umask 0 and
// as setmode(3) of the BSDs reads them, which BuildKit follows: the sticky bit belongs to no class,
// so only a 't' touches it; X asks the mode from before the whole change. Value type.
#pragma once

#include "snapshotter/base/result.h"

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::ops {

class ModeChange {
 public:
  static Result<ModeChange> parse(std::string_view text);
  /// The new permission bits of an object that has `mode`.
  mode_t apply(mode_t mode, bool is_directory) const;
  /// The mode of directories that are made on the way.
  mode_t for_new_directory() const { return octal_.value_or(0755); }

 private:
  struct Clause {
    mode_t who = 0;  // the bits that the clause is about; 0: all but the sticky one
    char op = '=';
    mode_t bits = 0;        // rwx (for all classes) and set-id, sticky
    bool x_if_any = false;  // X
    char copy_from = '\0';  // u, g or o on the right side
  };
  Status parse_clause(mode_t who, std::string_view& rest, std::string_view text);
  std::optional<mode_t> octal_;
  std::vector<Clause> clauses_;
};

}  // namespace mybuild::ops
