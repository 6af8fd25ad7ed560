// SPDX-License-Identifier: Apache-2.0
// All that a matched source of a COPY brings: the walk behind select(). Directories of one level
// are read at once on all cores, each in one go. Inside builder/ops.
#pragma once

#include "builder/ops/selection.h"
#include "frontend/ignore/glob.h"
#include "frontend/ignore/pattern.h"

#include <string>
#include <string_view>
#include <vector>

namespace mybuild::ops {

/// What --parents takes: all that a pattern matches. It knows which directories may lead to a
/// match, so that the walk need not look at the whole tree.
class Include {
 public:
  static Result<Include> compile(const std::string& pattern);

  bool matches(std::string_view path) const { return matcher_.matches(path); }
  bool may_lead_to_match(std::string_view directory) const;

 private:
  explicit Include(frontend::PatternMatcher matcher) : matcher_(std::move(matcher)) {}

  frontend::PatternMatcher matcher_;
  std::vector<frontend::Glob> parts_;  // of the components in front of the first "**"
  bool any_depth_ = false;
};

struct WalkFilter {
  const frontend::PatternMatcher& excludes;
  const Include* include = nullptr;  // null: everything
};

/// The source at `root`, called `name`, without what is excluded. Exclusion is about what lies
/// below the source: a file that was named is taken.
Result<SelectedSource> walk_source(const snapshotter::TreeView& tree, const WalkFilter& filter,
                                   std::string name, const snapshotter::Entry& root);

}  // namespace mybuild::ops
