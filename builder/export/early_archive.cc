// SPDX-License-Identifier: Apache-2.0
#include "builder/export/early_archive.h"

#include "snapshotter/base/log.h"

namespace mybuild::exporter {

using snapshotter::CompressionSpec;
using snapshotter::GrowingBlob;

EarlyArchive::~EarlyArchive() {
  std::unique_lock lock(mutex_);
  is_over_ = true;
  idle_.wait(lock, [this] { return !is_posted_; });
}

void EarlyArchive::begin(const CompressionSpec& form, const std::shared_ptr<GrowingBlob>& blob) {
  const std::lock_guard lock(mutex_);
  if (is_over_ || form != form_) {
    return;
  }
  waiting_.push_back(blob);
  if (!is_posted_) {
    is_posted_ = true;
    lanes_.post(Lane::Net, [this] { run(); });  // which is for who waits
  }
}

std::shared_ptr<GrowingBlob> EarlyArchive::next() {
  const std::lock_guard lock(mutex_);
  is_running_ = !is_over_ && !waiting_.empty();
  if (!is_running_) {
    is_posted_ = false;
    idle_.notify_all();
    return nullptr;
  }
  const std::shared_ptr<GrowingBlob> blob = waiting_.front();
  waiting_.pop_front();
  return blob;
}

void EarlyArchive::run() {
  while (const std::shared_ptr<GrowingBlob> blob = next()) {
    if (const Status followed = follow(blob); !followed) {
      log::debug("no layer goes to {} before its turn: {}", dest_, followed.error().message());
      file_.reset();
      in_place_.reset();
    }
  }
}

Status EarlyArchive::follow(const std::shared_ptr<GrowingBlob>& blob) {
  if (!blob->outgrows(in_place_ ? in_place_->size : 0)) {
    return {};
  }
  in_place_.reset();
  if (!file_) {
    std::optional<OutputFile> draft = TRY(OutputFile::open_draft(dest_));
    if (!draft) {
      return {};  // a pipe, or a device
    }
    file_.emplace(std::move(*draft));
  }
  TRY(file_->seek(kFirstBlobAt));
  const std::unique_ptr<Source> source = GrowingBlob::read(blob);
  TRY(copy(*source, *file_));
  TRY(file_->seek(0));
  in_place_ = TRY(blob->verdict());
  return {};
}

std::optional<OutputFile> EarlyArchive::take(const Digest& first_blob) {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return !is_running_; });
  is_over_ = true;
  const bool is_won =
      in_place_ && in_place_->digest == first_blob && in_place_->size < kFirstBlobLimit;
  return is_won ? std::exchange(file_, std::nullopt) : std::nullopt;
}

EarlyArchives::EarlyArchives(std::span<const OutputSpec> outputs, Lanes& lanes) {
  for (const OutputSpec& output : outputs) {
    const bool is_archive = output.type == OutputType::Oci || output.type == OutputType::Docker;
    if (is_archive && output.tar && !output.dest.empty() && output.dest != "-") {
      archives_.push_back(std::make_unique<EarlyArchive>(output.dest, output.compression, lanes));
    }
  }
}

snapshotter::OnDraft EarlyArchives::on_draft() {
  if (archives_.empty()) {
    return {};
  }
  return [this](const CompressionSpec& form, const std::shared_ptr<GrowingBlob>& blob) {
    for (const std::unique_ptr<EarlyArchive>& archive : archives_) {
      archive->begin(form, blob);
    }
  };
}

std::optional<OutputFile> EarlyArchives::take(const std::string& dest, const Digest& first_blob) {
  for (const std::unique_ptr<EarlyArchive>& archive : archives_) {
    if (archive->dest() == dest) {
      return archive->take(first_blob);
    }
  }
  return std::nullopt;
}

}  // namespace mybuild::exporter
