// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/tar_writer.h"

#include "snapshotter/archive/layer_name.h"
#include "snapshotter/archive/tar_format.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace mybuild::snapshotter {

namespace {

using tar::HeaderBlock;
using tar::kBlock;

constexpr std::size_t kNameSize = sizeof(HeaderBlock::name);
constexpr std::size_t kPrefixSize = sizeof(HeaderBlock::prefix);
constexpr std::size_t kReadBuffer = 256 * 1024;

/// One member as the header sees it: names already in their tar form.
struct Member {
  std::string name;
  char type = '0';
  std::string link;
  std::int64_t mode = 0;
  std::int64_t uid = 0;
  std::int64_t gid = 0;
  std::uint64_t size = 0;
  std::int64_t mtime = 0;
  std::int64_t device_major = 0;
  std::int64_t device_minor = 0;
};

bool is_ascii(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

std::string ascii_only(std::string_view text) {
  std::string kept;
  std::copy_if(text.begin(), text.end(), std::back_inserter(kept),
               [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return kept;
}

/// What an octal field of `width` bytes can say; its last byte is a NUL.
bool fits_octal(std::size_t width, std::int64_t value) {
  return value >= 0 && (width >= 22 || value < std::int64_t{1} << ((width - 1) * 3));
}

template <std::size_t N>
void put_octal(char (&out)[N], std::int64_t value) {
  fmt::format_to_n(out, N - 1, "{:0{}o}", fits_octal(N, value) ? value : 0, N - 1);
  out[N - 1] = '\0';
}

/// A text that is too long is cut; the whole of it is in an extended header then. Old readers take
/// a trailing slash for a directory, so a cut must not end in one.
template <std::size_t N>
void put_text(char (&out)[N], std::string_view text) {
  std::copy_n(text.begin(), std::min(N, text.size()), out);
  if (text.size() > N && out[N - 1] == '/') {
    std::size_t end = N - 1;
    while (end > 0 && out[end - 1] == '/') {
      --end;
    }
    out[end] = '\0';
  }
}

void seal(HeaderBlock& block) {
  std::memcpy(block.magic, "ustar", sizeof block.magic);
  std::memcpy(block.version, "00", sizeof block.version);
  char digits[7];
  put_octal(digits, tar::checksum(block, false));
  std::memcpy(block.checksum, digits, sizeof digits);
  block.checksum[7] = ' ';
}

/// Where ustar may cut a long name into prefix and name; npos when it cannot.
std::size_t ustar_split(std::string_view name) {
  if (name.size() <= kNameSize || !is_ascii(name)) {
    return std::string_view::npos;
  }
  std::size_t window = name.size();
  if (window > kPrefixSize + 1) {
    window = kPrefixSize + 1;
  } else if (name.back() == '/') {
    --window;
  }
  const std::size_t slash = name.substr(0, window).rfind('/');
  if (slash == std::string_view::npos || slash == 0) {
    return std::string_view::npos;
  }
  const std::size_t rest = name.size() - slash - 1;
  return rest == 0 || rest > kNameSize ? std::string_view::npos : slash;
}

/// "<length> <key>=<value>\n", the length counting its own digits.
std::string pax_record(std::string_view key, std::string_view value) {
  const std::size_t bare = key.size() + value.size() + 3;
  std::size_t total = bare + fmt::formatted_size("{}", bare);
  total = bare + fmt::formatted_size("{}", total);
  std::string record = fmt::format("{} {}=", total, key);
  record.append(value);
  record.push_back('\n');
  return record;
}

using PaxRecords = std::map<std::string, std::string>;

/// All that ustar cannot say about `member`.
PaxRecords needed_records(const Member& member) {
  PaxRecords records;
  const auto text = [&](const char* key, const std::string& value) {
    if (value.size() > kNameSize || !is_ascii(value)) {
      records.emplace(key, value);
    }
  };
  const auto number = [&](const char* key, std::size_t width, std::int64_t value) {
    if (!fits_octal(width, value)) {
      records.emplace(key, fmt::format("{}", value));
    }
  };
  text("path", member.name);
  text("linkpath", member.link);
  number("uid", sizeof(HeaderBlock::uid), member.uid);
  number("gid", sizeof(HeaderBlock::gid), member.gid);
  number("size", sizeof(HeaderBlock::size), static_cast<std::int64_t>(member.size));
  number("mtime", sizeof(HeaderBlock::mtime), member.mtime);
  return records;
}

HeaderBlock main_block(const Member& member, std::string_view name, std::string_view prefix) {
  HeaderBlock block{};
  put_text(block.name, name);
  put_octal(block.mode, member.mode);
  put_octal(block.uid, member.uid);
  put_octal(block.gid, member.gid);
  put_octal(block.size, static_cast<std::int64_t>(member.size));
  put_octal(block.mtime, member.mtime);
  block.type = member.type;
  put_text(block.link, ascii_only(member.link));
  put_octal(block.device_major, member.device_major);
  put_octal(block.device_minor, member.device_minor);
  put_text(block.prefix, prefix);
  seal(block);
  return block;
}

/// "dir/PaxHeaders.0/file", a name only readers without PAX will ever see.
std::string pax_header_name(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  const std::string_view file = slash == std::string_view::npos ? name : name.substr(slash + 1);
  std::string path = slash == std::string_view::npos || name == "./"
                         ? std::string()
                         : std::string(name.substr(0, slash + 1));
  path += "PaxHeaders.0";
  if (!file.empty()) {
    path.append("/").append(file);
  }
  path = ascii_only(path);
  path.resize(std::min(path.size(), kNameSize));
  path.erase(path.find_last_not_of('/') + 1);
  return path;
}

void append_block(std::string& out, const HeaderBlock& block) {
  out.append(reinterpret_cast<const char*>(&block), kBlock);
}

/// The headers of one member, in the form Go's archive/tar gives them (format.md, "Headers").
Result<std::string> headers(const Member& member,
                            const std::map<std::string, std::string>& xattrs) {
  std::string out;
  PaxRecords records = needed_records(member);
  const std::size_t split = ustar_split(member.name);
  const bool path_splits = split != std::string_view::npos;
  if (xattrs.empty() && (records.empty() || (path_splits && records.size() == 1))) {
    const std::string_view name(member.name);
    append_block(out, path_splits
                          ? main_block(member, name.substr(split + 1), name.substr(0, split))
                          : main_block(member, name, {}));
    return out;
  }
  for (const auto& [name, value] : xattrs) {
    if (name.empty() || name.find('=') != std::string::npos) {
      return invalid_argument("{}: extended attribute \"{}\" cannot be stored in a tar",
                              member.name, name);
    }
    records.emplace(std::string(tar::kXattrKey) + name, value);
  }
  std::string data;
  for (const auto& [key, value] : records) {
    data += pax_record(key, value);
  }
  if (data.size() > tar::kMaxSpecial) {
    return invalid_argument("{}: names and extended attributes exceed {} bytes", member.name,
                            tar::kMaxSpecial);
  }
  HeaderBlock extended{};
  put_text(extended.name, pax_header_name(member.name));
  put_octal(extended.mode, 0);
  put_octal(extended.uid, 0);
  put_octal(extended.gid, 0);
  put_octal(extended.size, static_cast<std::int64_t>(data.size()));
  put_octal(extended.mtime, 0);
  extended.type = 'x';
  seal(extended);
  append_block(out, extended);
  data.append(tar::padding_of(data.size()), '\0');
  out += data;
  append_block(out, main_block(member, ascii_only(member.name), {}));
  return out;
}

char type_flag(EntryType type) {
  switch (type) {
    case EntryType::File:
    case EntryType::Whiteout:
      return '0';
    case EntryType::HardLink:
      return '1';
    case EntryType::Symlink:
      return '2';
    case EntryType::CharDevice:
      return '3';
    case EntryType::BlockDevice:
      return '4';
    case EntryType::Directory:
      return '5';
    case EntryType::Fifo:
      return '6';
  }
  return '0';
}

std::string whiteout_name(const std::string& path) {
  const std::string_view base = base_name(path);
  return fmt::format("{}{}{}", std::string_view(path).substr(0, path.size() - base.size()),
                     tar::kWhiteoutPrefix, base);
}

/// A marker has no owner, mode or time of its own.
Member marker(std::string name) {
  Member member;
  member.name = std::move(name);
  return member;
}

Member member_of(const Entry& entry, std::optional<std::int64_t> max_mtime) {
  if (entry.type == EntryType::Whiteout) {
    return marker(whiteout_name(entry.path));
  }
  Member member;
  member.name = entry.path.empty() ? "." : entry.path;
  if (entry.type == EntryType::Directory) {
    member.name.push_back('/');
  }
  member.type = type_flag(entry.type);
  if (entry.type == EntryType::Symlink || entry.type == EntryType::HardLink) {
    member.link = entry.link;
  }
  member.mode = entry.mode & 07777;
  member.uid = entry.uid;
  member.gid = entry.gid;
  member.size = entry.type == EntryType::File ? entry.size : 0;
  member.mtime = std::min<std::int64_t>(
      entry.mtime.tv_sec, max_mtime.value_or(std::numeric_limits<std::int64_t>::max()));
  if (entry.type == EntryType::CharDevice || entry.type == EntryType::BlockDevice) {
    member.device_major = entry.device_major;
    member.device_minor = entry.device_minor;
  }
  return member;
}

Status check_entry(const Entry& entry) {
  if (entry.path.find('\0') != std::string::npos || entry.link.find('\0') != std::string::npos) {
    return invalid_argument("a tar cannot store a name with a NUL byte");
  }
  if (entry.path.empty() && entry.type != EntryType::Directory) {
    return invalid_argument("the root of a tar must be a directory");
  }
  if (entry.path.starts_with('/') || entry.path.ends_with('/')) {
    return invalid_argument("{}: a path in a tar must be relative and clean", entry.path);
  }
  if (entry.size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return invalid_argument("{}: too large for a tar", entry.path);
  }
  const std::int64_t limit = std::int64_t{1} << 21U;
  if (entry.device_major >= limit || entry.device_minor >= limit) {
    return invalid_argument("{}: device number too large for a tar", entry.path);
  }
  return {};
}

}  // namespace

TarWriter::TarWriter(Sink& sink, TarOptions options) : sink_(sink), options_(options) {}

Status TarWriter::add(const Entry& entry) {
  TRY(pad());
  TRY(check_entry(entry));
  const Member member = member_of(entry, options_.max_mtime);
  std::string bytes = TRY(headers(member, entry.xattrs.map()));
  if (entry.opaque && entry.type == EntryType::Directory) {
    bytes += TRY(headers(marker(join_path(entry.path, tar::kOpaqueName)), {}));
  }
  left_ = member.size;
  padding_ = tar::padding_of(member.size);
  return sink_.write(as_bytes(bytes));
}

Status TarWriter::write(ByteSpan bytes) {
  TRY(skip(bytes.size()));
  return sink_.write(bytes);
}

Status TarWriter::skip(std::uint64_t bytes) {
  if (bytes > left_) {
    return internal_error("more bytes than the tar header said");
  }
  left_ -= bytes;
  return {};
}

Status TarWriter::add_file(const std::string& path, std::string_view bytes, mode_t mode,
                           std::int64_t mtime) {
  Entry entry;
  entry.path = path;
  entry.mode = mode;
  entry.size = bytes.size();
  entry.mtime.tv_sec = mtime;
  TRY(add(entry));
  return write(as_bytes(bytes));
}

Status TarWriter::finish() {
  TRY(pad());
  constexpr char kEnd[2 * kBlock] = {};
  return sink_.write(as_bytes(std::string_view(kEnd, sizeof kEnd)));
}

Status TarWriter::pad() {
  if (left_ != 0) {
    return internal_error("{} bytes are missing before the next tar header", left_);
  }
  constexpr char kZeros[kBlock] = {};
  const std::string_view zeros(kZeros, std::exchange(padding_, 0));
  return zeros.empty() ? Status() : sink_.write(as_bytes(zeros));
}

namespace {

Status write_contents(const Entry& entry, const EntryContents& contents, TarWriter& writer,
                      std::vector<std::byte>& buffer) {
  const Fd fd = TRY(contents.open(entry));
  std::uint64_t left = entry.size;
  for (;;) {
    const std::size_t count = TRY(sys::read(fd.get(), buffer));
    if (count == 0) {
      break;
    }
    if (count > left) {
      return data_loss("file grew while it was read, expected {} bytes", entry.size);
    }
    TRY(writer.write(ByteSpan(buffer).first(count)));
    left -= count;
  }
  if (left != 0) {
    return data_loss("file shrank while it was read, {} of {} bytes are missing", left, entry.size);
  }
  return {};
}

/// Learns the digest of the contents on the way.
Status write_hashed_contents(Entry& entry, const EntryContents& contents, TarWriter& writer,
                             std::vector<std::byte>& buffer, TarHasher& hasher) {
  hasher.begin_file();
  TRY(write_contents(entry, contents, writer, buffer));
  const Digest digest = hasher.end_file();
  if (entry.content && *entry.content != digest) {
    return data_loss("contents changed: expected {}, read {}", entry.content->str(), digest.str());
  }
  entry.content = digest;
  return {};
}

/// `write_file(entry, writer, buffer)` writes the contents of a file.
template <class List, class WriteFile>
Status write_members(List& changes, Sink& sink, TarOptions options, const WriteFile& write_file) {
  TarWriter writer(sink, options);
  std::vector<std::byte> buffer(kReadBuffer);
  const Entry* previous = nullptr;
  for (auto& entry : changes) {
    // A layer reader would take such a name for a deletion.
    if (has_whiteout_part(entry.path) ||
        (entry.type == EntryType::HardLink && has_whiteout_part(entry.link))) {
      return invalid_argument("{}: names that begin with \".wh.\" cannot be stored in a layer",
                              entry.path)
          .with_hint("rename the file, the prefix marks deletions in image layers");
    }
    if (previous != nullptr && !path_less(previous->path, entry.path)) {
      return internal_error("change list is not sorted at {}", entry.path);
    }
    previous = &entry;
    TRY(writer.add(entry));
    if (entry.type == EntryType::File) {
      TRY(write_file(entry, writer, buffer).context(entry.path));
    }
  }
  return writer.finish();
}

}  // namespace

Status write_layer_tar(ChangeList& changes, const EntryContents& contents, TarHasher& sink,
                       TarOptions options) {
  return write_members(changes, sink, options, [&](Entry& entry, TarWriter& writer, auto& buffer) {
    return write_hashed_contents(entry, contents, writer, buffer, sink);
  });
}

Status write_unhashed_layer_tar(const ChangeList& changes, const EntryContents& contents,
                                Sink& sink, TarOptions options) {
  return write_members(changes, sink, options,
                       [&](const Entry& entry, TarWriter& writer, auto& buffer) {
                         return write_contents(entry, contents, writer, buffer);
                       });
}

}  // namespace mybuild::snapshotter
