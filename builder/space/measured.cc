// SPDX-License-Identifier: Apache-2.0
#include "builder/space/measured.h"

#include "snapshotter/base/file.h"

#include <fmt/format.h>

#include <charconv>

namespace mybuild::space {

namespace {

/// Times of files are those of the last tick, and some file systems count whole seconds.
constexpr std::chrono::seconds kGrain{2};

struct Note {
  std::uint64_t bytes = 0;
  std::int64_t began = 0;  // nanoseconds since the epoch
};

/// "BYTES TIME\n", all of it: a power cut may have left a part.
std::optional<Note> parse(const std::string& text) {
  Note note;
  const char* const end = text.data() + text.size();
  const auto bytes = std::from_chars(text.data(), end, note.bytes);
  if (bytes.ec != std::errc() || bytes.ptr == end || *bytes.ptr != ' ') {
    return std::nullopt;
  }
  const auto began = std::from_chars(bytes.ptr + 1, end, note.began);
  const bool whole = began.ec == std::errc() && began.ptr + 1 == end && *began.ptr == '\n';
  return whole ? std::optional(note) : std::nullopt;
}

Status write(const std::string& path, const Note& note) {
  AtomicFile file = TRY(AtomicFile::create(path, 0600));
  const std::string text = fmt::format("{} {}\n", note.bytes, note.began);
  TRY(file.write(as_bytes(text)));
  return std::move(file).commit();
}

}  // namespace

Result<std::uint64_t> measured_bytes(const std::string& note, std::optional<Time> changed,
                                     Time began,
                                     const std::function<Result<std::uint64_t>()>& walk) {
  if (changed) {
    const Result<std::string> text = read_note(note);
    const std::optional<Note> known = text ? parse(*text) : std::nullopt;
    const Time sure = *changed + kGrain;
    if (known && Time(std::chrono::nanoseconds(known->began)) > sure) {
      return known->bytes;
    }
  }
  const std::uint64_t bytes = TRY(walk());
  if (changed) {
    (void)write(note, {.bytes = bytes, .began = began.time_since_epoch().count()});
  }
  return bytes;
}

}  // namespace mybuild::space
