// SPDX-License-Identifier: Apache-2.0
#include "builder/source/http_body.h"

#include "builder/registry/url.h"
#include "builder/source/http_date.h"

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace mybuild::source {

namespace {

constexpr std::size_t kLongestTag = 1024;

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = code == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(value) : std::nullopt;
}

/// The first byte's position in "bytes 100-199/200".
std::optional<std::uint64_t> range_start(std::string_view header) {
  constexpr std::string_view kUnit = "bytes ";
  if (!header.starts_with(kUnit)) {
    return std::nullopt;
  }
  header.remove_prefix(kUnit.size());
  return number(header.substr(0, header.find('-')));
}

/// "" for what cannot be sent back as it is.
std::string usable_tag(std::string tag) {
  const bool clean = std::all_of(tag.begin(), tag.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
  });
  return clean && tag.size() <= kLongestTag ? tag : std::string();
}

bool is_weak(std::string_view tag) {
  return tag.starts_with("W/");
}

}  // namespace

bool same_etag(std::string_view a, std::string_view b) {
  a.remove_prefix(is_weak(a) ? 2 : 0);
  b.remove_prefix(is_weak(b) ? 2 : 0);
  return a == b && !a.empty();
}

Status HttpBody::Draft::write(ByteSpan bytes) {
  size += bytes.size();
  if (size > body.setup_.max_size) {
    return body.too_large();
  }
  Status written = ingest->write(bytes);
  if (!written && written.error().os_errno() == ENOSPC) {
    return std::move(written).error().with_hint(
        "the disk of the state directory (--root) has no room for the file");
  }
  return written;
}

Status HttpBody::begin(const registry::Response& response) {
  if (response.status == 206) {
    return refuse(check_rest(response));
  }
  if (same_etag(response.header("etag"), setup_.known_etag)) {
    is_known_ = true;  // servers exist that do not look at If-None-Match
    return make_error(ErrorKind::Cancelled, "the file is known");
  }
  return refuse(start_over(response));
}

Status HttpBody::start_over(const registry::Response& response) {
  encoding_ = registry::lower_case(response.header("content-encoding"));
  etag_ = usable_tag(response.header("etag"));
  last_modified_ = response.header("last-modified");
  if (!parse_http_date(last_modified_)) {
    last_modified_.clear();
  }
  length_ = number(response.header("content-length"));
  received_ = 0;
  if (length_ && *length_ > setup_.max_size) {
    return too_large();
  }
  draft_.size = 0;
  draft_.ingest = TRY(setup_.content.begin({}));
  gzip_.reset();
  if (encoding_ == "gzip") {
    gzip_.emplace(draft_);
  }
  setup_.on_progress(0, gzip_ ? 0 : length_.value_or(0));
  return {};
}

Status HttpBody::check_rest(const registry::Response& response) const {
  const bool fits = has_begun() && received_ != 0 &&
                    range_start(response.header("content-range")) == received_ &&
                    response.header("etag") == etag_ &&
                    registry::lower_case(response.header("content-encoding")) == encoding_;
  return fits ? Status() : data_loss("the server sent another part than it was asked for");
}

Status HttpBody::write(ByteSpan bytes) {
  received_ += bytes.size();
  TRY(refuse(gzip_ ? gzip_->write(bytes) : draft_.write(bytes)));
  setup_.on_progress(draft_.size, gzip_ ? 0 : length_.value_or(0));
  return {};
}

std::string HttpBody::resume_tag() const {
  return has_begun() && received_ != 0 && !is_weak(etag_) ? etag_ : std::string();
}

Result<snapshotter::BlobInfo> HttpBody::commit() {
  if (gzip_) {
    TRY(gzip_->finish().context("decode the answer"));
  }
  return std::move(*draft_.ingest).commit();
}

Error HttpBody::too_large() const {
  return invalid_argument("the file is larger than {} GiB, the most that is fetched",
                          setup_.max_size >> 30U);
}

Status HttpBody::refuse(Status status) {
  if (!status) {
    refusal_ = status.error();
  }
  return status;
}

}  // namespace mybuild::source
