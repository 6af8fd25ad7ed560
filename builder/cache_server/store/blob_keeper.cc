// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/store/blob_keeper.h"

#include "snapshotter/base/log.h"

namespace mybuild::cache_server {

std::unique_lock<std::mutex> BlobKeeper::lock(const Digest& digest) {
  return std::unique_lock(locks_.at(std::to_integer<std::size_t>(digest.bytes.front())));
}

Status BlobKeeper::keep(std::unique_ptr<BlobWriter> writer, const Digest& digest,
                        const std::string& space, Time now) {
  const std::uint64_t size = writer->size();
  const auto held = lock(digest);
  TRY(std::move(*writer).commit(digest));
  return meta_.repositories().link_blob(space, digest, size, now);
}

Result<bool> BlobKeeper::share(const std::vector<std::string>& from, const Digest& digest,
                               const std::string& space, Time now) {
  const auto held = lock(digest);
  const auto found = TRY(meta_.repositories().find_blob(from, digest, now));
  return found ? share_found(digest, space, now) : Result<bool>(false);
}

Result<bool> BlobKeeper::share_from_anywhere(const Digest& digest, const std::string& space,
                                             Time now) {
  const auto held = lock(digest);
  const bool is_found = TRY(meta_.repositories().has_blob_anywhere(digest, now));
  return is_found ? share_found(digest, space, now) : Result<bool>(false);
}

// A manifest of a hundred layers that are there already writes nothing.
Result<bool> BlobKeeper::share_found(const Digest& digest, const std::string& space, Time now) {
  const std::optional<std::uint64_t> size = TRY(blobs_.size(digest));
  if (!size) {
    TRY(forget(digest));
    return false;
  }
  if (!TRY(meta_.repositories().find_blob({space}, digest, now))) {
    TRY(meta_.repositories().link_blob(space, digest, *size, now));
  }
  return true;
}

Result<std::unique_ptr<BlobReader>> BlobKeeper::open(const Digest& digest) {
  auto reader = blobs_.open(digest);
  if (!reader) {
    const ErrorKind kind = reader.error().kind();
    if (kind == ErrorKind::DataLoss || kind == ErrorKind::NotFound) {
      const auto held = lock(digest);
      TRY(forget(digest));
    }
  }
  return reader;
}

Status BlobKeeper::forget(const Digest& digest) {
  if (TRY(blobs_.size(digest)) || !TRY(meta_.repositories().is_linked(digest))) {
    return {};  // somebody has brought it again, or has let it go
  }
  log::debug("blob {} is lost: who needs it has to bring it again", digest.str());
  ++lost_;
  return meta_.repositories().forget_blob(digest);
}

Result<bool> BlobKeeper::remove_unlinked(const Digest& digest) {
  const auto held = lock(digest);
  if (TRY(meta_.repositories().is_linked(digest))) {
    return false;
  }
  TRY(blobs_.remove(digest));
  return true;
}

Result<bool> BlobKeeper::drop(const std::string& space, const Digest& digest) {
  const bool was_linked = TRY(meta_.repositories().unlink_blob(space, digest));
  if (was_linked) {
    TRY(remove_unlinked(digest));
  }
  return was_linked;
}

Result<BlobKeeper::Removed> BlobKeeper::collect(Time before, std::uint64_t enough,
                                                const std::function<bool()>& go_on) {
  Removed removed;
  while (removed.bytes < enough && go_on()) {
    const RepositoryTables::Unlinked unlinked =
        TRY(meta_.repositories().unlink_unused(before, enough - removed.bytes));
    if (unlinked.links == 0) {
      break;
    }
    TRY(remove_free(unlinked.free, removed));
  }
  return removed;
}

Result<BlobKeeper::Removed> BlobKeeper::collect_of(const std::string& space, Time before,
                                                   std::uint64_t enough,
                                                   const std::function<bool()>& go_on) {
  Removed removed;
  while (removed.unlinked < enough && go_on()) {
    const RepositoryTables::Unlinked unlinked =
        TRY(meta_.repositories().unlink_unused_of(space, before, enough - removed.unlinked));
    if (unlinked.links == 0) {
      break;
    }
    removed.unlinked += unlinked.bytes;
    TRY(remove_free(unlinked.free, removed));
  }
  return removed;
}

Status BlobKeeper::remove_free(const std::vector<RepositoryTables::Unused>& free,
                               Removed& removed) {
  for (const auto& [blob, size] : free) {
    if (TRY(remove_unlinked(blob))) {
      ++removed.blobs;
      removed.bytes += size;
    }
  }
  return {};
}

Result<BlobKeeper::Removed> BlobKeeper::sweep(const std::function<bool()>& go_on) {
  Removed removed;
  const Status walked = blobs_.walk([&](const Digest& blob, std::uint64_t size) -> Status {
    if (!go_on()) {
      return make_error(ErrorKind::Cancelled, "told to stop");
    }
    if (TRY(remove_unlinked(blob))) {
      ++removed.blobs;
      removed.bytes += size;
    }
    return {};
  });
  if (!walked && walked.error().kind() != ErrorKind::Cancelled) {
    return walked.error();
  }
  return removed;
}

}  // namespace mybuild::cache_server
