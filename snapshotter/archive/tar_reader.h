// SPDX-License-Identifier: Apache-2.0
// Reading archives from outside (image layers, ADD sources): any tar dialect (v7, ustar, PAX, GNU,
// star; sparse files too), any compression that codec.h knows. Names are bytes, never converted by
// a locale. Every path is cleaned, ".wh." names become Whiteout entries and opaque marks when
// `layer` is set. Nothing is trusted: names with NUL, empty names, .wh. tricks and numbers out of
// range are InvalidArgument, a truncated archive is DataLoss. Thread-compatible.
#pragma once

#include "snapshotter/archive/entry.h"

namespace mybuild::snapshotter {

class TarReader {
 public:
  struct Options {
    bool layer = true;  // translate .wh. names; false for ADD, where they are ordinary files
  };
  /// InvalidArgument when the bytes do not begin like a tar. No bytes at all are an archive without
  /// entries. `source` must outlive the reader.
  static Result<TarReader> open(Source& source, Options options);
  TarReader(TarReader&&) noexcept;
  TarReader& operator=(TarReader&&) noexcept;
  ~TarReader();

  /// The next entry; nullopt at the end, after `source` was read to its own end (so that a hash
  /// taken on the way is complete). A HardLink's `link` is cleaned like a path. An opaque mark
  /// ".wh..wh..opq" comes as an entry of type Directory with opaque = true and only its path set
  /// (mode 0): merge it. Attributes that are not carried (carried_xattr) are left out.
  Result<std::optional<Entry>> next();
  /// The bytes of the current File, holes as zeros; 0 at its end.
  Result<std::size_t> read(MutableByteSpan buffer);

 private:
  struct State;
  explicit TarReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace mybuild::snapshotter
