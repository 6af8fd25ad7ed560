// SPDX-License-Identifier: Apache-2.0
#include "builder/export/layout.h"

#include "snapshotter/archive/tar_writer.h"
#include "snapshotter/base/sys.h"

#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace mybuild::exporter {

namespace {

constexpr std::string_view kRefName = "org.opencontainers.image.ref.name";
constexpr std::string_view kLayoutMarker = R"({"imageLayoutVersion":"1.0.0"})";
constexpr std::size_t kChunk = 256 * 1024;  // what a core has at hand

Status add_header(const Digest& digest, std::uint64_t size, snapshotter::TarWriter& tar) {
  snapshotter::Entry entry;
  entry.path = blob_path(digest);
  entry.mode = 0644;
  entry.size = size;
  return tar.add(entry);
}

Status copy_blob_to_tar(const Digest& digest, std::uint64_t size, ExportDeps& deps,
                        std::vector<std::byte>& buffer, snapshotter::TarWriter& tar) {
  const Fd blob = TRY(deps.content.open(digest));
  TRY(add_header(digest, size, tar));
  std::uint64_t left = size;
  while (left > 0) {
    TRY(deps.cancel.check());
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, kChunk));
    const std::size_t count =
        TRY(sys::read_full(blob.get(), MutableByteSpan(buffer).first(wanted)));
    if (count < wanted) {
      return data_loss("blob {} is shorter than {} bytes", digest.str(), size);
    }
    TRY(tar.write(ByteSpan(buffer).first(count)));
    left -= count;
  }
  return {};
}

/// It is at its place already.
Status pass_first_blob(const Digest& digest, std::uint64_t size, snapshotter::TarWriter& tar,
                       OutputFile& file) {
  TRY(add_header(digest, size, tar));
  if (file.position() != kFirstBlobAt) {
    return internal_error("the first blob begins at {}", file.position());
  }
  TRY(tar.skip(size));
  return file.seek(kFirstBlobAt + size);
}

Status add_directory(const std::string& path, snapshotter::TarWriter& tar) {
  snapshotter::Entry entry;
  entry.path = path;
  entry.type = snapshotter::EntryType::Directory;
  entry.mode = 0755;
  return tar.add(entry);
}

}  // namespace

std::uint64_t Layout::blob_bytes() const {
  std::uint64_t total = 0;
  for (const auto& [digest, size] : blobs) {
    total += size;
  }
  return total;
}

std::string blob_path(const Digest& digest) {
  return "blobs/sha256/" + digest.hex();
}

std::vector<std::pair<Digest, std::uint64_t>> Layout::blobs_in_order() const {
  std::vector<std::pair<Digest, std::uint64_t>> order(blobs.begin(), blobs.end());
  const auto largest = std::max_element(
      order.begin(), order.end(),
      [](const auto& one, const auto& other) { return one.second < other.second; });
  if (largest != order.end()) {
    std::rotate(order.begin(), largest, largest + 1);
  }
  return order;
}

Status write_layout_tar(const Layout& layout, ExportDeps& deps, Step& step, OutputFile& file,
                        bool has_first_blob) {
  snapshotter::TarWriter tar(file);
  TRY(add_directory("blobs", tar));
  TRY(add_directory("blobs/sha256", tar));
  std::vector<std::byte> buffer(kChunk);
  std::uint64_t written = 0;
  for (const auto& [digest, size] : layout.blobs_in_order()) {
    TRY(std::exchange(has_first_blob, false) ? pass_first_blob(digest, size, tar, file)
                                             : copy_blob_to_tar(digest, size, deps, buffer, tar));
    step.advance(written += size);
  }
  std::map<std::string, std::string> documents = layout.documents;
  documents.emplace("index.json", oci::dump(layout.index));
  documents.emplace("oci-layout", kLayoutMarker);
  for (const auto& [path, text] : documents) {
    TRY(tar.add_file(path, text));
  }
  return tar.finish();
}

namespace {

/// What this export made in a directory; gone again unless kept.
class Made {
 public:
  Made() = default;
  Made(const Made&) = delete;
  Made& operator=(const Made&) = delete;
  ~Made() {
    for (auto path = paths_.rbegin(); path != paths_.rend(); ++path) {
      (void)sys::unlink_at(AT_FDCWD, path->first, path->second ? AT_REMOVEDIR : 0);
    }
  }

  Status directory(const std::string& path) {
    if (const Status made = sys::mkdir_at(AT_FDCWD, path, 0755); made) {
      paths_.emplace_back(path, true);
    } else if (made.error().os_errno() != EEXIST) {
      return made;
    }
    return {};
  }
  void file(const std::string& path) { paths_.emplace_back(path, false); }
  void keep() { paths_.clear(); }

 private:
  std::vector<std::pair<std::string, bool>> paths_;  // second: is a directory
};

/// Two exports into one directory must not lose each other's lines of index.json.
Result<Fd> lock_directory(const std::string& path) {
  Fd dir = TRY(sys::open(path, O_RDONLY | O_DIRECTORY));
  while (::flock(dir.get(), LOCK_EX) < 0) {
    if (errno != EINTR) {
      return os_error(errno, "lock " + path);
    }
  }
  return dir;
}

std::string ref_name(const oci::Descriptor& descriptor) {
  const auto found = descriptor.annotations.find(std::string(kRefName));
  return found == descriptor.annotations.end() ? std::string() : found->second;
}

/// An entry with one of our reference names gives way, as does our own image listed without a name.
bool replaced_by(const oci::Index& ours, const oci::Descriptor& old) {
  return std::any_of(ours.manifests.begin(), ours.manifests.end(), [&](const auto& mine) {
    const std::string name = ref_name(old);
    return name.empty() ? old.digest == mine.digest : name == ref_name(mine);
  });
}

/// The index that is there; nullopt: none.
Result<std::optional<oci::Index>> present_index(const Fd& dir) {
  const Result<std::string> text = read_regular_file(dir.get(), "index.json", 64 << 20);
  if (!text) {
    if (text.error().os_errno() == ENOENT) {
      return std::optional<oci::Index>();
    }
    return text.error();
  }
  return std::optional(TRY(oci::parse_index(*text).context("index.json")));
}

Result<oci::Index> merged_index(const Layout& layout, const Fd& dir, const std::string& dest,
                                solver::EventSink& events) {
  const oci::Index& ours = layout.index;
  Result<std::optional<oci::Index>> present = present_index(dir).context(dest);
  if (!present && layout.replace_broken_index && present.error().os_errno() == 0) {
    events.on_event(
        solver::Warning{.message = present.error().message() + "; a new index takes its place",
                        .detail = "what it named is lost; its blobs stay",
                        .location = {}});
    return ours;
  }
  if (!TRY(present)) {
    return ours;
  }
  oci::Index merged = **present;
  std::erase_if(merged.manifests, [&](const auto& old) { return replaced_by(ours, old); });
  merged.manifests.insert(merged.manifests.end(), ours.manifests.begin(), ours.manifests.end());
  merged.media_type = ours.media_type;
  return merged;
}

Status copy_blob_to_directory(const Digest& digest, std::uint64_t size, ExportDeps& deps,
                              const std::string& dest, Made& made) {
  const std::string path = join_path(dest, blob_path(digest));
  const Result<struct stat> there = sys::lstat_at(AT_FDCWD, path);
  if (there && S_ISREG(there->st_mode) && static_cast<std::uint64_t>(there->st_size) == size) {
    return {};
  }
  const Fd blob = TRY(deps.content.open(digest));
  AtomicFile file = TRY(AtomicFile::create(path));
  const std::uint64_t copied = TRY(sys::copy_file(blob.get(), file.fd()).context("write " + path));
  if (copied != size) {
    return data_loss("blob {} has {} bytes, not {}", digest.str(), copied, size);
  }
  TRY(std::move(file).commit());
  made.file(path);
  return {};
}

Status write_document(const std::string& path, std::string_view text) {
  AtomicFile file = TRY(AtomicFile::create(path));
  TRY(file.write(as_bytes(text)));
  return std::move(file).commit();
}

}  // namespace

Status write_layout_directory(const Layout& layout, ExportDeps& deps, Step& step,
                              const std::string& dest) {
  Made made;
  TRY(made.directory(dest));
  const Fd lock = TRY(lock_directory(dest));
  const oci::Index index = TRY(merged_index(layout, lock, dest, deps.events));
  TRY(made.directory(join_path(dest, "blobs")));
  TRY(made.directory(join_path(dest, "blobs/sha256")));
  std::uint64_t written = 0;
  for (const auto& [digest, size] : layout.blobs) {
    TRY(deps.cancel.check());
    TRY(copy_blob_to_directory(digest, size, deps, dest, made));
    step.advance(written += size);
  }
  const std::string marker = join_path(dest, "oci-layout");
  if (!sys::exists_at(AT_FDCWD, marker)) {
    made.file(marker);
    TRY(write_document(marker, kLayoutMarker));
  }
  for (const auto& [path, text] : layout.documents) {
    TRY(write_document(join_path(dest, path), text));
  }
  TRY(write_document(join_path(dest, "index.json"), oci::dump(index)));
  made.keep();
  return {};
}

}  // namespace mybuild::exporter
