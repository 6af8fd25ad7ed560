// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/libarchive.h"

#include <dlfcn.h>

namespace mybuild::snapshotter {

namespace {

constexpr const char* kLibrary = "libarchive.so.13";

/// Finds one function after the other; remembers whether all were there.
class Finder {
 public:
  explicit Finder(void* library) : library_(library), is_complete_(library != nullptr) {}

  template <class Function>
  Finder& find(const char* name, Function& function) {
    function = is_complete_ ? reinterpret_cast<Function>(::dlsym(library_, name)) : nullptr;
    is_complete_ = function != nullptr;
    return *this;
  }
  bool is_complete() const { return is_complete_; }

 private:
  void* library_;
  bool is_complete_;
};

}  // namespace

Result<Libarchive> Libarchive::load() {
  // Never closed: the loader counts, and whoever comes next gets the same one.
  Finder library(::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL));
  Libarchive api{};
  library.find("archive_read_new", api.read_new)
      .find("archive_read_free", api.read_free)
      .find("archive_read_open", api.read_open)
      .find("archive_read_open_fd", api.read_open_fd)
      .find("archive_read_next_header", api.read_next_header)
      .find("archive_read_header_position", api.read_header_position)
      .find("archive_read_data", api.read_data)
      .find("archive_read_data_into_fd", api.read_data_into_fd)
      .find("archive_read_support_format_raw", api.read_support_format_raw)
      .find("archive_read_support_format_empty", api.read_support_format_empty)
      .find("archive_read_support_format_tar", api.read_support_format_tar)
      .find("archive_read_support_filter_gzip", api.read_support_filter_gzip)
      .find("archive_read_support_filter_zstd", api.read_support_filter_zstd)
      .find("archive_read_support_filter_bzip2", api.read_support_filter_bzip2)
      .find("archive_read_support_filter_xz", api.read_support_filter_xz)
      .find("archive_filter_code", api.filter_code)
      .find("archive_entry_pathname", api.entry_pathname)
      .find("archive_entry_hardlink", api.entry_hardlink)
      .find("archive_entry_symlink", api.entry_symlink)
      .find("archive_entry_filetype", api.entry_filetype)
      .find("archive_entry_size", api.entry_size)
      .find("archive_error_string", api.error_string);
  if (!library.is_complete()) {
    return unsupported("{} cannot be used: {}", kLibrary, ::dlerror())
        .with_hint("install libarchive (Debian: package libarchive13)");
  }
  return api;
}

}  // namespace mybuild::snapshotter
