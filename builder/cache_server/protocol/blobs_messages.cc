// SPDX-License-Identifier: Apache-2.0
// Many small blobs in one answer.
#include "builder/cache_server/protocol/wire.h"
#include "snapshotter/base/json.h"

#include <limits>

namespace mybuild::cache_server {

namespace {

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kAbsent = std::numeric_limits<std::uint64_t>::max();

void append_length(std::string& text, std::uint64_t length) {
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    text.push_back(static_cast<char>(length >> (8 * i) & 0xff));
  }
}

std::uint64_t read_length(std::string_view text) {
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    length |= std::uint64_t{static_cast<unsigned char>(text[i])} << (8 * i);
  }
  return length;
}

}  // namespace

std::string dump(const BlobsRequest& message) {
  return canonical_dump({{"blobs", to_json(message.blobs)}});
}

Result<BlobsRequest> parse_blobs_request(std::string_view text) {
  const Json json = TRY(parse_message(text));
  const JsonField root(json, "blobs");
  BlobsRequest message;
  message.blobs = TRY(read_digests(TRY(root.field("blobs")), kMaxBlobs));
  return message;
}

std::string dump(const BlobsAnswer& message) {
  std::string text;
  for (const std::optional<std::string_view>& blob : message) {
    append_length(text, blob ? blob->size() : kAbsent);
    text.append(blob.value_or(""));
  }
  return text;
}

Result<BlobsAnswer> parse_blobs_answer(std::string_view text, std::size_t count) {
  BlobsAnswer message;
  for (std::size_t i = 0; i < count; ++i) {
    if (text.size() < kLengthBytes) {
      return invalid_argument("blobs: the answer ends before blob {} of {}", i + 1, count);
    }
    const std::uint64_t length = read_length(text);
    text.remove_prefix(kLengthBytes);
    if (length == kAbsent) {
      message.emplace_back(std::nullopt);
      continue;
    }
    if (length > text.size()) {
      return invalid_argument("blobs: the answer ends in blob {} of {}", i + 1, count);
    }
    message.emplace_back(text.substr(0, static_cast<std::size_t>(length)));
    text.remove_prefix(static_cast<std::size_t>(length));
  }
  return text.empty() ? Result<BlobsAnswer>(std::move(message))
                      : invalid_argument("blobs: more came than was asked for");
}

}  // namespace mybuild::cache_server
