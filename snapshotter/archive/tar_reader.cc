// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/tar_reader.h"

#include "snapshotter/archive/byte_stream.h"
#include "snapshotter/archive/codec.h"
#include "snapshotter/archive/layer_name.h"
#include "snapshotter/archive/tar_format.h"
#include "snapshotter/archive/tar_pax.h"
#include "snapshotter/base/rooted_path.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace mybuild::snapshotter {

namespace {

using tar::HeaderBlock;
using tar::kBlock;
using tar::Region;

constexpr std::size_t kOldSparseAt =
    386;  // GNU sparse map in the header block: 4 pairs of 12-byte numbers
constexpr std::size_t kOldSparseSlots = 4;
constexpr std::size_t kMoreSparseSlots = 21;

Error malformed(std::string_view what) {
  return invalid_argument("malformed tar: {}", what);
}

bool is_zero(const HeaderBlock& block) {
  const auto* bytes = reinterpret_cast<const char*>(&block);
  return std::all_of(bytes, bytes + kBlock, [](char c) { return c == 0; });
}

bool checksum_matches(const HeaderBlock& block) {
  const Result<std::int64_t> stored = tar::parse_number(tar::field(block.checksum));
  return stored &&
         (*stored == tar::checksum(block, false) || *stored == tar::checksum(block, true));
}

bool is_posix(const HeaderBlock& block) {
  return tar::field(block.magic) == std::string_view("ustar\0", 6);
}
bool is_gnu(const HeaderBlock& block) {
  return tar::field(block.magic) == "ustar ";
}

/// The name in the block itself, with the ustar prefix. Schily's star keeps times at the end of
/// that field.
std::string block_name(const HeaderBlock& block) {
  std::string name(tar::c_string(tar::field(block.name)));
  if (!is_posix(block)) {
    return name;
  }
  const bool star = std::memcmp(block.padding + 8, "tar", 4) == 0;
  const std::string_view prefix =
      tar::c_string(tar::field(block.prefix).substr(0, star ? 131 : sizeof block.prefix));
  return prefix.empty() ? name : fmt::format("{}/{}", prefix, name);
}

/// What extended headers and long-name members say about the member that follows them.
struct Pending {
  tar::PaxHeader pax;
  std::optional<std::string> long_name;
  std::optional<std::string> long_link;
};

template <class T>
Result<T> in_range(std::int64_t value, std::string_view what) {
  if (value < 0 || static_cast<std::uint64_t>(value) > std::numeric_limits<T>::max()) {
    return malformed(fmt::format("{} {} is out of range", what, value));
  }
  return static_cast<T>(value);
}

Result<std::int64_t> number_or(const std::optional<std::int64_t>& pax, std::string_view field) {
  if (pax) {
    return *pax;
  }
  return tar::parse_number(field);
}

Result<EntryType> entry_type(char flag, bool named_like_directory) {
  switch (flag) {
    case '\0':
    case '0':
      return named_like_directory ? EntryType::Directory : EntryType::File;
    case '7':
    case 'S':
      return EntryType::File;
    case '1':
      return EntryType::HardLink;
    case '2':
      return EntryType::Symlink;
    case '3':
      return EntryType::CharDevice;
    case '4':
      return EntryType::BlockDevice;
    case '5':
      return EntryType::Directory;
    case '6':
      return EntryType::Fifo;
    default:
      return unsupported("tar member of type 0x{:02x}",
                         static_cast<unsigned>(static_cast<unsigned char>(flag)));
  }
}

Status read_owner_and_time(const HeaderBlock& block, const tar::PaxHeader& pax, Entry& entry) {
  entry.mode = static_cast<mode_t>(TRY(tar::parse_number(tar::field(block.mode))) & 07777);
  const std::int64_t uid = TRY(number_or(pax.uid, tar::field(block.uid)));
  const std::int64_t gid = TRY(number_or(pax.gid, tar::field(block.gid)));
  entry.uid = TRY(in_range<uid_t>(uid, "uid"));
  entry.gid = TRY(in_range<gid_t>(gid, "gid"));
  if (pax.mtime) {
    entry.mtime = *pax.mtime;
  } else {
    entry.mtime.tv_sec = TRY(tar::parse_number(tar::field(block.mtime)));
  }
  return {};
}

Status read_device(const HeaderBlock& block, Entry& entry) {
  if (entry.type != EntryType::CharDevice && entry.type != EntryType::BlockDevice) {
    return {};
  }
  if (!is_posix(block) && !is_gnu(block)) {
    return malformed("a device without numbers");
  }
  const std::int64_t major = TRY(tar::parse_number(tar::field(block.device_major)));
  const std::int64_t minor = TRY(tar::parse_number(tar::field(block.device_minor)));
  entry.device_major = TRY(in_range<std::uint32_t>(major, "device number"));
  entry.device_minor = TRY(in_range<std::uint32_t>(minor, "device number"));
  return {};
}

/// True if ".." takes a path above where it starts. Layers may say it, as nothing is above the
/// root.
bool climbs_out(std::string_view path) {
  int depth = 0;
  while (!path.empty() && depth >= 0) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    depth += part == ".." ? -1 : part.empty() || part == "." ? 0 : 1;
  }
  return depth < 0;
}

/// The root itself comes out as "". Archives for ADD may hold such an entry of any type; a layer
/// may not, as its root is the image's.
Status read_names(const std::string& name, const std::string& link, bool layer, Entry& entry) {
  if (layer && name.empty()) {
    return malformed("an empty name");
  }
  if (!layer && climbs_out(name)) {
    return malformed(fmt::format("the name \"{}\" leads out of the archive", name));
  }
  entry.path = clean_relative(name);
  if (layer && entry.path.empty() && entry.type != EntryType::Directory) {
    return malformed("the root is not a directory");
  }
  if (entry.type == EntryType::Symlink) {
    if (link.empty()) {
      return malformed(entry.path + " is a symbolic link to nothing");
    }
    entry.link = link;
  } else if (entry.type == EntryType::HardLink) {
    entry.link = clean_relative(link);
    if (entry.link.empty() || entry.link == entry.path) {
      return malformed(entry.path + " is a hard link to itself or the root");
    }
  }
  return {};
}

}  // namespace

struct TarReader::State {
  State(std::unique_ptr<Source> source, Options given)
      : stream(std::move(source)), options(given) {}

  ByteStream stream;
  Options options;
  HeaderBlock block{};
  bool have_block = false;  // `block` was read ahead by open()
  bool ended = false;

  std::uint64_t stored_left = 0;  // bytes of the current member still in the archive
  std::uint64_t padding = 0;
  std::uint64_t position = 0;  // in the file the member describes
  std::uint64_t file_size = 0;
  std::vector<Region> regions;  // what of the file is stored
  std::size_t region = 0;

  Status read_block();
  Status leave_member();
  Result<std::string> read_special();
  Result<bool> read_prefix_member(Pending& pending);
  Result<Entry> read_member(const Pending& pending);
  Status start_file(const Pending& pending, Entry& entry);
  Status read_old_sparse_map(std::vector<std::uint64_t>& numbers);
  Status read_sparse_map_in_data(std::vector<std::uint64_t>& numbers);
};

/// Reads the next header into `block`; a zero block or the end of the bytes sets `ended`.
Status TarReader::State::read_block() {
  const auto bytes = std::as_writable_bytes(std::span(&block, 1));
  const std::size_t count = TRY(stream.read_full(bytes));
  if (count == 0 || (count == kBlock && is_zero(block))) {
    ended = true;
    return {};
  }
  if (count < kBlock) {
    return archive_ends_early();
  }
  if (!checksum_matches(block)) {
    return malformed("a header has a wrong checksum");
  }
  return {};
}

Status TarReader::State::leave_member() {
  // Two steps: their sum may not fit. Some writers leave out the padding of the last member.
  TRY(stream.skip(std::exchange(stored_left, 0)));
  (void)TRY(stream.skip_up_to(std::exchange(padding, 0)));
  file_size = position = 0;
  regions.clear();
  region = 0;
  return {};
}

/// The bytes of a member that only describes the next one.
Result<std::string> TarReader::State::read_special() {
  const std::int64_t size = TRY(tar::parse_number(tar::field(block.size)));
  if (size < 0 || static_cast<std::uint64_t>(size) > tar::kMaxSpecial) {
    return malformed("an extended header is too large");
  }
  std::string data(static_cast<std::size_t>(size), '\0');
  TRY(stream.read_exactly(std::as_writable_bytes(std::span(data))));
  TRY(stream.skip(tar::padding_of(data.size())));
  return data;
}

/// True when `block` was such a member; it is consumed then.
Result<bool> TarReader::State::read_prefix_member(Pending& pending) {
  switch (block.type) {
    case 'x':
    case 'X': {
      const std::string data = TRY(read_special());
      TRY(tar::parse_pax(data, pending.pax));
      return true;
    }
    case 'L':
      pending.long_name = tar::c_string(TRY(read_special()));
      return true;
    case 'K':
      pending.long_link = tar::c_string(TRY(read_special()));
      return true;
    case 'g':  // defaults for all members: no builder honours them, so neither do we
    case 'V':
      (void)TRY(read_special());
      return true;
    default:
      return false;
  }
}

Result<Entry> TarReader::State::read_member(const Pending& pending) {
  const std::string name = pending.pax.sparse_name ? *pending.pax.sparse_name
                           : pending.pax.path      ? *pending.pax.path
                                                   : pending.long_name.value_or(block_name(block));
  const std::string link =
      pending.pax.link
          ? *pending.pax.link
          : pending.long_link.value_or(std::string(tar::c_string(tar::field(block.link))));
  Entry entry;
  entry.type = TRY(entry_type(block.type, name.ends_with('/')));
  TRY(read_names(name, link, options.layer, entry));
  TRY(read_owner_and_time(block, pending.pax, entry).context(entry.path));
  TRY(read_device(block, entry).context(entry.path));
  for (const auto& [key, value] : pending.pax.xattrs) {
    if (carried_xattr(key)) {
      entry.xattrs.set(key, value);
    }
  }
  if (entry.type == EntryType::File) {
    TRY(start_file(pending, entry).context(entry.path));
  }
  return entry;
}

/// Sets up what read() needs. Members of other types have no bytes, whatever their size field says.
Status TarReader::State::start_file(const Pending& pending, Entry& entry) {
  const std::int64_t stored = TRY(number_or(pending.pax.size, tar::field(block.size)));
  stored_left = TRY(in_range<std::uint64_t>(stored, "size"));
  padding = tar::padding_of(stored_left);
  file_size = stored_left;
  std::vector<std::uint64_t> numbers = pending.pax.sparse_numbers;
  bool sparse = pending.pax.has_sparse_map;
  if (block.type == 'S') {
    TRY(read_old_sparse_map(numbers));
    sparse = true;
  } else if (pending.pax.sparse_map_in_data) {
    numbers.clear();
    TRY(read_sparse_map_in_data(numbers));
    sparse = true;
  }
  if (!sparse) {
    regions.push_back({0, file_size});
  } else {
    if (pending.pax.sparse_size) {
      file_size = static_cast<std::uint64_t>(*pending.pax.sparse_size);
    }
    regions = TRY(tar::sparse_regions(numbers, file_size));
    std::uint64_t mapped = 0;
    for (const Region& part : regions) {
      mapped += part.length;
    }
    if (mapped != stored_left) {
      return malformed("sparse map and stored size differ");
    }
  }
  entry.size = file_size;
  return {};
}

/// Pairs in the header block, then in as many more blocks as they say follow. Sets the real size,
/// too.
Status TarReader::State::read_old_sparse_map(std::vector<std::uint64_t>& numbers) {
  char raw[kBlock];
  std::memcpy(raw, &block, kBlock);
  const std::int64_t real_size = TRY(tar::parse_number(std::string_view(raw + 483, 12)));
  file_size = TRY(in_range<std::uint64_t>(real_size, "size"));
  const char* slots = raw + kOldSparseAt;
  std::size_t count = kOldSparseSlots;
  for (;;) {
    for (std::size_t i = 0; i < 2 * count && slots[12 * (i / 2 * 2)] != '\0'; ++i) {
      const std::int64_t number = TRY(tar::parse_number(std::string_view(slots + 12 * i, 12)));
      numbers.push_back(TRY(in_range<std::uint64_t>(number, "sparse map entry")));
    }
    const bool more = slots[24 * count] != '\0';
    if (!more) {
      return {};
    }
    if (numbers.size() > tar::kMaxSparseNumbers) {
      return malformed("the sparse map is too long");
    }
    TRY(stream.read_exactly(std::as_writable_bytes(std::span(raw))));
    slots = raw;
    count = kMoreSparseSlots;
  }
}

/// Decimal lines (how many pairs, then the pairs), filled up to a whole block, in front of the
/// stored bytes.
Status TarReader::State::read_sparse_map_in_data(std::vector<std::uint64_t>& numbers) {
  char raw[kBlock];
  std::string line;
  std::optional<std::uint64_t> wanted;
  while (!wanted || numbers.size() < *wanted) {
    if (stored_left < kBlock) {
      return malformed("the sparse map is cut off");
    }
    TRY(stream.read_exactly(std::as_writable_bytes(std::span(raw))));
    stored_left -= kBlock;
    for (std::size_t i = 0; i < kBlock && (!wanted || numbers.size() < *wanted); ++i) {
      if (raw[i] != '\n') {
        line.push_back(raw[i]);
        continue;
      }
      const auto number = static_cast<std::uint64_t>(TRY(tar::parse_decimal(line)));
      line.clear();
      if (wanted) {
        numbers.push_back(number);
      } else if (number > tar::kMaxSparseNumbers / 2) {
        return malformed("the sparse map is too long");
      } else {
        wanted = 2 * number;
      }
    }
    if (line.size() > 20) {
      return malformed("the sparse map has an overlong number");
    }
  }
  return {};
}

TarReader::TarReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
TarReader::TarReader(TarReader&&) noexcept = default;
TarReader& TarReader::operator=(TarReader&&) noexcept = default;
TarReader::~TarReader() = default;

Result<TarReader> TarReader::open(Source& source, Options options) {
  std::unique_ptr<Source> plain = TRY(make_decompressor(source));
  auto state = std::make_unique<State>(std::move(plain), options);
  if (const Status first = state->read_block(); !first) {
    if (first.error().kind() == ErrorKind::InvalidArgument ||
        first.error().kind() == ErrorKind::DataLoss) {
      return invalid_argument("not a tar archive: {}", first.error().message());
    }
    return first.error();
  }
  state->have_block = true;
  return TarReader(std::move(state));
}

Result<std::optional<Entry>> TarReader::next() {
  State& state = *state_;
  Pending pending;
  bool expecting = false;  // a member that belongs to what was read into `pending`
  for (;;) {
    TRY(state.leave_member());
    if (!std::exchange(state.have_block, false) && !state.ended) {
      TRY(state.read_block());
    }
    if (state.ended) {
      if (expecting) {
        return archive_ends_early();
      }
      TRY(state.stream.drain());
      return std::optional<Entry>();
    }
    if (TRY(state.read_prefix_member(pending))) {
      expecting = expecting || (state.block.type != 'g' && state.block.type != 'V');
      continue;
    }
    Entry entry = TRY(state.read_member(std::exchange(pending, {})));
    expecting = false;
    if (state.options.layer) {
      const LayerName name = TRY(translate_layer_name(entry));
      if (name == LayerName::Ignored) {
        continue;
      }
    }
    return std::optional<Entry>(std::move(entry));
  }
}

Result<std::size_t> TarReader::read(MutableByteSpan buffer) {
  State& state = *state_;
  const std::vector<Region>& regions = state.regions;
  while (state.region < regions.size() &&
         state.position >= regions[state.region].offset + regions[state.region].length) {
    ++state.region;
  }
  const bool more_data = state.region < regions.size();
  const std::uint64_t next_data = more_data ? regions[state.region].offset : state.file_size;
  if (state.position < next_data) {
    const auto zeros = static_cast<std::size_t>(
        std::min<std::uint64_t>(buffer.size(), next_data - state.position));
    std::fill_n(buffer.begin(), zeros, std::byte{0});
    state.position += zeros;
    return zeros;
  }
  if (!more_data) {
    return std::size_t{0};
  }
  const std::uint64_t left = next_data + regions[state.region].length - state.position;
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left));
  const std::size_t count = TRY(state.stream.read_some(buffer.first(wanted)));
  if (count == 0 && wanted != 0) {
    return archive_ends_early();
  }
  state.position += count;
  state.stored_left -= count;
  return count;
}

}  // namespace mybuild::snapshotter
