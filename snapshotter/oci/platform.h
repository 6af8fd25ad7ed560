// SPDX-License-Identifier: Apache-2.0
// Platform: operating system and processor an image is for (OCI image-spec image-index.md,
// "platform"), and how a requested one is matched against those an index offers. Value type.
#pragma once

#include "snapshotter/base/result.h"

#include <compare>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::oci {

struct Platform {
  std::string os = "linux";
  std::string architecture;
  std::string variant;     // "v7" of linux/arm/v7; empty for most
  std::string os_version;  // Windows only
  std::vector<std::string> os_features =
      {};  // what an index says of an image; nothing is chosen by it
  auto operator<=>(const Platform&) const = default;
};

/// "linux/arm64", "linux/arm/v7", "arm64", "linux"; missing parts come from the host. Normalised as
/// containerd does: aarch64 -> arm64 (variant v8 dropped), x86_64 -> amd64, armhf -> arm/v7, armel
/// -> arm/v6.
Result<Platform> parse_platform(std::string_view text);
std::string to_string(const Platform& platform);  // "linux/arm/v7"
Platform host_platform();

/// How well `offered` serves `wanted`: 0 = not at all, larger is better (exact variant first, then
/// older variants of arm).
int match_score(const Platform& wanted, const Platform& offered);
/// Index of the best of `offered`; nullopt if none matches.
std::optional<std::size_t> best_match(const Platform& wanted, std::span<const Platform> offered);

}  // namespace mybuild::oci
