// SPDX-License-Identifier: Apache-2.0
// The 512-byte header block of POSIX ustar and its numbers, shared by writer and reader. Internal
// to archive/.
#pragma once

#include "snapshotter/base/bytes.h"
#include "snapshotter/base/result.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace mybuild::snapshotter::tar {

inline constexpr std::size_t kBlock = 512;
inline constexpr std::string_view kWhiteoutPrefix = ".wh.";
inline constexpr std::string_view kOpaqueName = ".wh..wh..opq";
inline constexpr std::string_view kXattrKey = "SCHILY.xattr.";
/// Extended headers and long names above this are refused, as Go's archive/tar does.
inline constexpr std::uint64_t kMaxSpecial = 1 << 20;

struct HeaderBlock {
  char name[100];
  char mode[8];
  char uid[8];
  char gid[8];
  char size[12];
  char mtime[12];
  char checksum[8];
  char type;
  char link[100];
  char magic[6];
  char version[2];
  char user[32];
  char group[32];
  char device_major[8];
  char device_minor[8];
  char prefix[155];
  char padding[12];
};
static_assert(sizeof(HeaderBlock) == kBlock);

/// The bytes from `size` to the next block boundary.
constexpr std::uint64_t padding_of(std::uint64_t size) {
  return (kBlock - size % kBlock) % kBlock;
}

/// The sum of all bytes with the checksum field read as blanks; `as_signed` as some old writers did
/// it.
std::int64_t checksum(const HeaderBlock& block, bool as_signed);

template <std::size_t N>
std::string_view field(const char (&bytes)[N]) {
  return {bytes, N};
}
/// A field up to its first NUL.
std::string_view c_string(std::string_view field);

/// Octal text, or base-256 when the top bit is set. An empty field is 0.
Result<std::int64_t> parse_number(std::string_view field);

}  // namespace mybuild::snapshotter::tar
