// SPDX-License-Identifier: Apache-2.0
#include "builder/manifest_list/store.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <fcntl.h>

namespace mybuild::manifest_list {

namespace {

/// As many images as an index may have, each with a manifest as large as registries take them,
/// would be more; nobody makes those by hand.
constexpr std::size_t kMaxFile = 256 << 20;

Error no_such_list(const oci::Reference& name) {
  return not_found("no such manifest list: {}", name.familiar())
      .with_hint("`mybuild manifest create` makes one");
}

}  // namespace

/// A name may be longer than a file's can be.
std::string ListStore::path_of(const oci::Reference& name) const {
  return join_path(dir_, Digest::of(name.str()).hex() + ".json");
}

Result<bool> ListStore::exists(const oci::Reference& name) const {
  return sys::exists_at(AT_FDCWD, path_of(name));
}

Result<ManifestList> ListStore::find(const oci::Reference& name) const {
  const Result<std::string> text = read_regular_file(AT_FDCWD, path_of(name), kMaxFile);
  if (!text) {
    return text.error().kind() == ErrorKind::NotFound ? no_such_list(name) : text.error();
  }
  Result<ManifestList> list = parse_list(*text);
  if (!list) {
    return data_loss("manifest list {}: {} is damaged: {}", name.familiar(), path_of(name),
                     list.error().message())
        .with_hint(
            "`mybuild manifest rm` removes it; make it again with `mybuild manifest create`");
  }
  return list;
}

Status ListStore::change(const oci::Reference& name,
                         const std::function<Status(ManifestList& list)>& edit) const {
  TRY(make_dirs(dir_, 0700));
  const FileLock lock = TRY(FileLock::acquire(join_path(dir_, "lock"), FileLock::Mode::Exclusive));
  ManifestList list{.name = name, .images = {}};
  if (TRY(exists(name))) {
    list = TRY(find(name));
  }
  TRY(edit(list));
  AtomicFile file = TRY(AtomicFile::create(path_of(name), 0600));
  TRY(file.write(as_bytes(dump(list))));
  return std::move(file).commit();
}

Status ListStore::remove(const oci::Reference& name) const {
  if (!TRY(exists(name))) {
    return no_such_list(name);
  }
  const FileLock lock = TRY(FileLock::acquire(join_path(dir_, "lock"), FileLock::Mode::Exclusive));
  const Status removed = sys::unlink_at(AT_FDCWD, path_of(name));
  const bool gone = !removed && removed.error().kind() == ErrorKind::NotFound;
  return gone ? Status(no_such_list(name)) : removed;
}

}  // namespace mybuild::manifest_list
