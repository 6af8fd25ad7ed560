// SPDX-License-Identifier: Apache-2.0
// When the rules about names and texts strike, as functions on these texts. Pure; thread-safe.
#pragma once

#include "frontend/ignore/pattern.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::frontend::checks {

/// True for API_KEY, password, GITHUB_TOKEN and the like; not if the name says that it is public, a
/// file or a version.
bool is_secret_name(std::string_view name);

/// "80/TCP".
bool has_upper_protocol(std::string_view port);
/// "8080:80", "127.0.0.1:80:80".
bool names_host_port(std::string_view port);

/// The nearest of some names, at a distance of two changes at most; "" when none is near, or when
/// one of them is what was said.
std::string_view closest(std::string_view said, std::span<const std::string> names);

/// A .dockerignore file as COPY meets it.
class IgnoredSources {
 public:
  /// Patterns as frontend::parse_dockerignore gives them; those that cannot be read ignore nothing
  /// here, since the build fails on them with a better place.
  explicit IgnoredSources(const std::vector<std::string>& patterns);

  /// True if nothing of the source can be in the context. Where a pattern brings files back nobody
  /// is told anything, as in BuildKit.
  bool ignores(std::string_view source) const;

 private:
  std::optional<PatternMatcher> matcher_;
  bool ignores_root_ = false;
};

}  // namespace mybuild::frontend::checks
