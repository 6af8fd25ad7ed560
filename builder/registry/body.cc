// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/body.h"

#include <algorithm>
#include <charconv>

namespace mybuild::registry {

namespace {

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end == text.data()) {
    return std::nullopt;
  }
  return value;
}

/// The first byte's position in "bytes 100-199/200".
std::optional<std::uint64_t> range_start(std::string_view header) {
  constexpr std::string_view kUnit = "bytes ";
  return header.starts_with(kUnit) ? number(header.substr(kUnit.size())) : std::nullopt;
}

}  // namespace

Status TextBody::write(ByteSpan bytes) {
  if (bytes.size() > limit_ - text_.size()) {
    return invalid_argument("the answer is larger than {} bytes", limit_);
  }
  text_ += as_text(bytes);
  return {};
}

Status BlobBody::refuse(Error error) {
  refusal_ = error;
  return error;
}

bool BlobBody::can_go_on() const {
  const bool is_clean = !refusal_ || (refusal_->kind() == ErrorKind::DataLoss && received_ == 0);
  return is_clean && !complete();
}

Status BlobBody::begin(const Response& response) {
  refusal_.reset();
  if (response.status == 206) {
    skip_ = 0;
    if (range_start(response.header("content-range")) != received_) {
      return refuse(data_loss("the registry sent another range of the blob than was asked for"));
    }
    return {};
  }
  skip_ = received_;
  const std::optional<std::uint64_t> length = number(response.header("content-length"));
  if (length && *length != descriptor_.size) {
    return refuse(data_loss("the registry has {} bytes instead of {}", *length, descriptor_.size));
  }
  return {};
}

Status BlobBody::write(ByteSpan bytes) {
  const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, bytes.size()));
  skip_ -= skipped;
  bytes = bytes.subspan(skipped);
  if (bytes.empty()) {
    return {};
  }
  if (bytes.size() > descriptor_.size - received_) {
    return refuse(data_loss("the registry sent more than {} bytes", descriptor_.size));
  }
  if (check_ == DigestCheck::Here) {
    hasher_.update(bytes);
  }
  if (Status status = sink_.write(bytes); !status) {
    return refuse(std::move(status).error());
  }
  received_ += bytes.size();
  return {};
}

Status BlobBody::verify() {
  if (!complete()) {
    return data_loss("{} of {} bytes came", received_, descriptor_.size);
  }
  if (check_ == DigestCheck::BySink) {
    return {};
  }
  if (const Digest actual = hasher_.finish(); actual != descriptor_.digest) {
    return data_loss("the registry sent other bytes, with digest {}", actual.str());
  }
  return {};
}

}  // namespace mybuild::registry
