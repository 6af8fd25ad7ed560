// SPDX-License-Identifier: Apache-2.0
#include "builder/export/image_pusher.h"

#include "builder/export/layer_streams.h"
#include "builder/export/push_start.h"
#include "builder/export/step.h"
#include "snapshotter/base/sys.h"

#include <algorithm>
#include <chrono>

namespace mybuild::exporter {

namespace {

constexpr std::chrono::milliseconds kReportInterval{100};
/// To send so much is hardly more than to ask for it.
constexpr std::uint64_t kNotWorthAsking = 16 << 10;

std::vector<oci::Reference> repositories_of(const std::vector<oci::Reference>& targets) {
  std::vector<oci::Reference> repositories;
  for (oci::Reference target : targets) {
    target.tag.clear();
    if (std::find(repositories.begin(), repositories.end(), target) == repositories.end()) {
      repositories.push_back(std::move(target));
    }
  }
  return repositories;
}

}  // namespace

/// The bytes of a blob on their way out.
class ImagePusher::UploadSource final : public Source {
 public:
  UploadSource(Fd fd, ImagePusher& pusher, std::string item, std::uint64_t sent,
               std::uint64_t total)
      : fd_(std::move(fd)), pusher_(pusher), item_(std::move(item)), total_(total), sent_(sent) {
    pusher_.report(item_, sent_, total_, false);
  }

  Result<std::size_t> read(MutableByteSpan buffer) override {
    TRY(pusher_.deps_.cancel.check());
    const std::size_t count = TRY(sys::pread_full(fd_.get(), buffer, sent_));
    sent_ += count;
    const auto now = std::chrono::steady_clock::now();
    if (now - last_report_ >= kReportInterval) {
      last_report_ = now;
      pusher_.report(item_, sent_, total_, false);
    }
    return count;
  }

 private:
  const Fd fd_;
  ImagePusher& pusher_;
  const std::string item_;
  const std::uint64_t total_;
  std::uint64_t sent_;
  std::chrono::steady_clock::time_point last_report_ = std::chrono::steady_clock::now();
};

ImagePusher::ImagePusher(std::vector<oci::Reference> targets, ExportDeps& deps,
                         const solver::VertexId& vertex)
    : targets_(std::move(targets)),
      repositories_(repositories_of(targets_)),
      before_(targets_.size()),
      deps_(deps),
      vertex_(vertex) {}

Status ImagePusher::greet() {
  return deps_.lanes.fan_out(Lane::Net, targets_.size(), [&](std::size_t i) -> Status {
    if (!targets_[i].tag.empty()) {
      const auto early = deps_.start == nullptr ? std::nullopt : deps_.start->named(targets_[i]);
      before_[i] = TRY(early ? *early : deps_.push->current(targets_[i], deps_.cancel));
    }
    if (before_[i]) {
      known_.learn(targets_[i], *before_[i], deps_.content);
    }
    return {};
  });
}

Result<bool> ImagePusher::offer(const std::vector<oci::Descriptor>& blobs) {
  std::vector<char> taken(blobs.size(), 0);
  TRY(deps_.lanes.fan_out(Lane::Net, blobs.size(), [&](std::size_t i) -> Status {
    taken[i] = TRY(offer_one(blobs[i]))
    ? 1 : 0;
    return {};
  }));
  for (std::size_t i = 0; i < blobs.size(); ++i) {
    if (taken[i] != 0) {
      offered_.insert(blobs[i].digest);
    }
  }
  return offered_.size() == blobs.size();
}

Result<bool> ImagePusher::offer_one(const oci::Descriptor& blob) {
  for (const oci::Reference& repository : repositories_) {
    const Result<registry::Delivery> delivery = deliver(repository, blob, false);
    if (!delivery) {
      return delivery.error().kind() == ErrorKind::NotFound ? Result<bool>(false)
                                                            : delivery.error();
    }
  }
  return true;
}

bool ImagePusher::offered(const oci::Descriptor& blob) const {
  return offered_.contains(blob.digest);
}

snapshotter::OnDraft ImagePusher::on_draft() const {
  if (deps_.streams == nullptr) {
    return {};
  }
  return [streams = deps_.streams, repository = repositories_.front()](
             const snapshotter::CompressionSpec&,
             const std::shared_ptr<snapshotter::GrowingBlob>& blob) {
    streams->begin(repository, blob);
  };
}

Status ImagePusher::layer(const oci::Descriptor& blob) {
  if (offered(blob)) {
    return {};
  }
  for (const oci::Reference& repository : repositories_) {
    TRY(send(repository, blob));
  }
  return {};
}

Status ImagePusher::send(const oci::Reference& repository, const oci::Descriptor& blob) {
  TRY(deliver(repository, blob, true));
  return {};
}

/// A blob that is on its way already. Nullopt: it is not there yet, but may be mounted.
Result<std::optional<registry::Delivery>> ImagePusher::by_stream(const oci::Reference& repository,
                                                                 registry::BlobUpload& upload,
                                                                 const std::string& item) {
  using Found = std::optional<registry::Delivery>;
  const auto stream =
      deps_.streams == nullptr ? nullptr : deps_.streams->find(repository, upload.blob.digest);
  if (stream == nullptr) {
    return Found();
  }
  const bool is_same = stream->repository().repository == repository.repository;
  if (!stream->has_ended()) {
    registry::BlobUpload offer = upload;
    offer.open = nullptr;
    offer.ask_first = true;
    if (const auto there = deps_.push->blob(repository, offer, deps_.cancel)) {
      if (is_same) {
        stream->stop();
      }
      return Found(*there);
    }
    TRY(deps_.cancel.check());
  }
  const bool is_stored =
      stream->wait([&](std::uint64_t sent) { report(item, sent, upload.blob.size, false); });
  TRY(deps_.cancel.check());
  if (is_stored && !is_same) {
    upload.mount_from = stream->repository().repository;
  }
  return is_stored && is_same ? Found(registry::Delivery::Sent) : Found();
}

Result<registry::Delivery> ImagePusher::deliver(const oci::Reference& repository,
                                                const oci::Descriptor& blob, bool with_bytes) {
  const std::string where =
      repositories_.size() > 1 ? " to " + repository.domain + "/" + repository.repository : "";
  const std::string item = "pushing " + blob.digest.str() + where;
  registry::BlobUpload upload;
  upload.blob = blob;
  upload.mount_from = TRY(deps_.metadata.find_blob_source(repository.domain, blob.digest))
  .value_or("");
  if (upload.mount_from == repository.repository) {
    upload.mount_from.clear();
  }
  upload.ask_first =
      !with_bytes || blob.size > kNotWorthAsking || !known_.is_new(repository, blob.digest);
  if (with_bytes) {
    upload.open = [&](std::uint64_t offset) -> Result<std::unique_ptr<Source>> {
      Fd fd = TRY(deps_.content.open(blob.digest));
      return std::unique_ptr<Source>(
          std::make_unique<UploadSource>(std::move(fd), *this, item, offset, blob.size));
    };
  }
  std::optional<registry::Delivery> delivery;
  if (with_bytes) {
    delivery = TRY(by_stream(repository, upload, item));
  }
  if (!delivery) {
    if (!upload.ask_first && deps_.start != nullptr) {
      upload.begun = deps_.start->take(repository);
    }
    delivery = TRY(deps_.push->blob(repository, upload, deps_.cancel));
  }
  switch (*delivery) {
    case registry::Delivery::AlreadyThere:
      report("layer already exists " + blob.digest.str() + where, 0, 0, true);
      break;
    case registry::Delivery::Mounted:
      report(fmt::format("mounted {} from {}", blob.digest.str(), upload.mount_from), 0, 0, true);
      break;
    case registry::Delivery::Sent:
      report(item, blob.size, blob.size, true);
      break;
  }
  known_.delivered(repository, blob.digest);
  TRY(deps_.metadata.put_blob_source(repository.domain, repository.repository, {blob.digest}));
  return *delivery;
}

Status ImagePusher::finish(const std::vector<ImageDocuments>& images, const oci::Descriptor& root) {
  for (const oci::Reference& repository : repositories_) {
    for (const ImageDocuments& image : images) {
      if (!known_.is_delivered(repository, image.config.digest)) {
        TRY(send(repository, image.config));
      }
      if (image.manifest.digest != root.digest) {
        TRY(put_manifest(repository, image.manifest));
      }
    }
  }
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    TRY(put_tag(i, root));
  }
  return {};
}

Status ImagePusher::put_manifest(const oci::Reference& target, const oci::Descriptor& manifest) {
  const std::string bytes = TRY(deps_.content.read(manifest.digest));
  return deps_.push->manifest(target, manifest, bytes, deps_.cancel);
}

Status ImagePusher::put_tag(std::size_t target, const oci::Descriptor& root) {
  oci::Reference name = targets_[target];
  name.digest = root.digest;
  const std::string item = "pushing manifest for " + name.familiar();
  report(item, 0, 0, false);
  if (before_[target] != root.digest) {
    TRY(put_manifest(targets_[target], root));
  }
  report(item, 0, 0, true);
  return {};
}

void ImagePusher::report(const std::string& item, std::uint64_t current, std::uint64_t total,
                         bool done) {
  const std::lock_guard lock(events_mutex_);
  deps_.events.on_event(solver::Progress{.vertex = vertex_,
                                         .item = item,
                                         .current = current,
                                         .total = total,
                                         .done = done,
                                         .time = deps_.clock.now()});
}

}  // namespace mybuild::exporter
