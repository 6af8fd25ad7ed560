// SPDX-License-Identifier: Apache-2.0
// The functions of libarchive that we use, loaded when one is first needed: with what it needs
// itself (nettle, libxml2, ICU, …) it would take a third of the time that a cached build takes.
// Thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <archive.h>
#include <archive_entry.h>

namespace mybuild::snapshotter {

/// Functions without the prefix "archive_".
struct Libarchive {
  decltype(&::archive_read_new) read_new;
  decltype(&::archive_read_free) read_free;
  decltype(&::archive_read_open) read_open;
  decltype(&::archive_read_open_fd) read_open_fd;
  decltype(&::archive_read_next_header) read_next_header;
  decltype(&::archive_read_header_position) read_header_position;
  decltype(&::archive_read_data) read_data;
  decltype(&::archive_read_data_into_fd) read_data_into_fd;
  decltype(&::archive_read_support_format_raw) read_support_format_raw;
  decltype(&::archive_read_support_format_empty) read_support_format_empty;
  decltype(&::archive_read_support_format_tar) read_support_format_tar;
  decltype(&::archive_read_support_filter_gzip) read_support_filter_gzip;
  decltype(&::archive_read_support_filter_zstd) read_support_filter_zstd;
  decltype(&::archive_read_support_filter_bzip2) read_support_filter_bzip2;
  decltype(&::archive_read_support_filter_xz) read_support_filter_xz;
  decltype(&::archive_filter_code) filter_code;
  decltype(&::archive_entry_pathname) entry_pathname;
  decltype(&::archive_entry_hardlink) entry_hardlink;
  decltype(&::archive_entry_symlink) entry_symlink;
  decltype(&::archive_entry_filetype) entry_filetype;
  decltype(&::archive_entry_size) entry_size;
  decltype(&::archive_error_string) error_string;

  /// Unsupported when it is not installed. The library stays loaded.
  static Result<Libarchive> load();
};

}  // namespace mybuild::snapshotter
