// SPDX-License-Identifier: Apache-2.0
// EarlyArchive: the file of an archive to be, in which the largest layer goes to its place while it
// is compressed. This is a bet on which layer that is: where it is lost the archive is written as
// if there were none. The file has no name before the exporter commits it. Thread-safe.
#pragma once

#include "builder/export/exporter.h"
#include "builder/export/layout.h"
#include "builder/export/output_file.h"
#include "snapshotter/base/lanes.h"
#include "snapshotter/growing_blob.h"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mybuild::exporter {

class EarlyArchive {
 public:
  /// `lanes` outlives it.
  EarlyArchive(std::string dest, const snapshotter::CompressionSpec& form, Lanes& lanes)
      : dest_(std::move(dest)), form_(form), lanes_(lanes) {}
  /// Waits for what is under way.
  ~EarlyArchive();
  EarlyArchive(const EarlyArchive&) = delete;
  EarlyArchive& operator=(const EarlyArchive&) = delete;

  const std::string& dest() const { return dest_; }
  /// As OnDraft (snapshotter/growing_blob.h); a blob of another form is not for this archive.
  void begin(const snapshotter::CompressionSpec& form,
             const std::shared_ptr<snapshotter::GrowingBlob>& blob);
  /// The file, if that blob is at its place in it (layout.h, kFirstBlobAt); waits for a copy that
  /// is under way, not for one that has not begun. Once.
  std::optional<OutputFile> take(const Digest& first_blob);

 private:
  void run();
  std::shared_ptr<snapshotter::GrowingBlob> next();
  Status follow(const std::shared_ptr<snapshotter::GrowingBlob>& blob);

  const std::string dest_;
  const snapshotter::CompressionSpec form_;
  Lanes& lanes_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::deque<std::shared_ptr<snapshotter::GrowingBlob>> waiting_;
  bool is_posted_ = false;
  bool is_running_ = false;
  bool is_over_ = false;
  // Of the task that runs, and of nobody's when there is none.
  std::optional<OutputFile> file_;
  std::optional<oci::Descriptor> in_place_;
};

class EarlyArchives {
 public:
  EarlyArchives(std::span<const OutputSpec> outputs, Lanes& lanes);

  /// Empty when no output can use it.
  snapshotter::OnDraft on_draft();
  std::optional<OutputFile> take(const std::string& dest, const Digest& first_blob);

 private:
  std::vector<std::unique_ptr<EarlyArchive>> archives_;
};

}  // namespace mybuild::exporter
