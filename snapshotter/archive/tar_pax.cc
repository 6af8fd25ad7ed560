// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/tar_pax.h"

#include "snapshotter/archive/tar_format.h"
#include "snapshotter/base/base64.h"

#include <array>
#include <charconv>
#include <functional>
#include <optional>

namespace mybuild::snapshotter::tar {

namespace {

constexpr std::string_view kLibarchiveXattrKey = "LIBARCHIVE.xattr.";

Error malformed(std::string_view what) {
  return invalid_argument("malformed {} in a tar extended header", what);
}

/// "[-]seconds[.fraction]", rounded down to nanoseconds.
Result<struct timespec> parse_time(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) {
    text.remove_prefix(1);
  }
  const std::size_t dot = text.find('.');
  struct timespec time {};
  time.tv_sec = TRY(parse_decimal(text.substr(0, dot)));
  long unit = 100'000'000;
  if (dot != std::string_view::npos) {
    for (const char c : text.substr(dot + 1)) {
      if (c < '0' || c > '9') {
        return malformed("time");
      }
      time.tv_nsec += unit * (c - '0');
      unit /= 10;
    }
  }
  if (negative) {
    time.tv_sec = -time.tv_sec;
    if (time.tv_nsec != 0) {
      time.tv_sec -= 1;
      time.tv_nsec = 1'000'000'000 - time.tv_nsec;
    }
  }
  return time;
}

Result<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    const std::string_view hex = text.substr(i + 1, 2);
    unsigned value = 0;
    const auto [end, code] = std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
    if (hex.size() != 2 || code != std::errc() || end != hex.data() + 2) {
      return malformed("attribute name");
    }
    decoded.push_back(static_cast<char>(value));
    i += 2;
  }
  return decoded;
}

Result<std::vector<std::uint64_t>> parse_number_list(std::string_view text) {
  std::vector<std::uint64_t> numbers;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    numbers.push_back(static_cast<std::uint64_t>(TRY(parse_decimal(text.substr(0, comma)))));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return numbers;
}

using Handler = std::function<Status(PaxHeader&, std::string_view value)>;

Handler name_field(std::optional<std::string> PaxHeader::*member) {
  return [member](PaxHeader& header, std::string_view value) -> Status {
    if (value.find('\0') != std::string_view::npos) {
      return malformed("name");
    }
    header.*member = std::string(value);
    return {};
  };
}
Handler number_field(std::optional<std::int64_t> PaxHeader::*member) {
  return [member](PaxHeader& header, std::string_view value) -> Status {
    header.*member = TRY(parse_decimal(value));
    return {};
  };
}
Status append_sparse_number(PaxHeader& header, std::string_view value) {
  header.sparse_numbers.push_back(static_cast<std::uint64_t>(TRY(parse_decimal(value))));
  header.has_sparse_map = true;
  return {};
}

const std::map<std::string_view, Handler>& handlers() {
  static const std::map<std::string_view, Handler> table = {
      {"path", name_field(&PaxHeader::path)},
      {"linkpath", name_field(&PaxHeader::link)},
      {"size", number_field(&PaxHeader::size)},
      {"uid", number_field(&PaxHeader::uid)},
      {"gid", number_field(&PaxHeader::gid)},
      {"mtime",
       [](PaxHeader& header, std::string_view value) -> Status {
         header.mtime = TRY(parse_time(value));
         return {};
       }},
      {"GNU.sparse.major",
       [](PaxHeader& header, std::string_view value) -> Status {
         header.sparse_map_in_data = value == "1";
         return {};
       }},
      {"GNU.sparse.name", name_field(&PaxHeader::sparse_name)},
      {"GNU.sparse.size", number_field(&PaxHeader::sparse_size)},
      {"GNU.sparse.realsize", number_field(&PaxHeader::sparse_size)},
      {"GNU.sparse.offset", append_sparse_number},
      {"GNU.sparse.numbytes", append_sparse_number},
      {"GNU.sparse.map",
       [](PaxHeader& header, std::string_view value) -> Status {
         header.sparse_numbers = TRY(parse_number_list(value));
         header.has_sparse_map = true;
         return {};
       }},
  };
  return table;
}

Status apply_record(std::string_view key, std::string_view value, PaxHeader& header) {
  if (const auto handler = handlers().find(key); handler != handlers().end()) {
    return handler->second(header, value);
  }
  if (key.starts_with(kXattrKey)) {
    header.xattrs.insert_or_assign(std::string(key.substr(kXattrKey.size())), value);
  } else if (key.starts_with(kLibarchiveXattrKey)) {
    // The same attribute under its SCHILY name is the more exact one, so this one only fills a gap.
    std::string name = TRY(percent_decode(key.substr(kLibarchiveXattrKey.size())));
    std::optional<std::string> decoded = base64_decode(value);
    if (!decoded) {
      return malformed("attribute value");
    }
    header.xattrs.emplace(std::move(name), *std::move(decoded));
  }
  return {};
}

}  // namespace

Result<std::int64_t> parse_decimal(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || value < 0) {
    return malformed("number");
  }
  return value;
}

Status parse_pax(std::string_view data, PaxHeader& header) {
  while (!data.empty()) {
    const std::size_t blank = data.find(' ');
    if (blank == std::string_view::npos) {
      return malformed("record");
    }
    const auto length = static_cast<std::size_t>(TRY(parse_decimal(data.substr(0, blank))));
    if (length < blank + 3 || length > data.size() || data[length - 1] != '\n') {
      return malformed("record");
    }
    const std::string_view record = data.substr(blank + 1, length - blank - 2);
    const std::size_t equals = record.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return malformed("record");
    }
    TRY(apply_record(record.substr(0, equals), record.substr(equals + 1), header));
    data.remove_prefix(length);
  }
  return {};
}

Result<std::vector<Region>> sparse_regions(const std::vector<std::uint64_t>& numbers,
                                           std::uint64_t size) {
  if (numbers.size() % 2 != 0) {
    return malformed("sparse map");
  }
  std::vector<Region> regions;
  std::uint64_t end = 0;
  for (std::size_t i = 0; i < numbers.size(); i += 2) {
    const Region region{numbers[i], numbers[i + 1]};
    if (region.offset < end || region.offset > size || region.length > size - region.offset) {
      return malformed("sparse map");
    }
    end = region.offset + region.length;
    if (region.length != 0) {
      regions.push_back(region);
    }
  }
  return regions;
}

}  // namespace mybuild::snapshotter::tar
