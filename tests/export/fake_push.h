// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "builder/registry/push.h"

#include <gtest/gtest.h>

#include <poll.h>

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace mybuild::exporter {

/// Repositories in memory that check what they are sent, and that they have what a manifest names.
class FakePush final : public registry::RegistryPush {
 public:
  Result<registry::Delivery> blob(const oci::Reference& target, const registry::BlobUpload& upload,
                                  const Cancel&) override {
    const std::lock_guard lock(mutex_);
    std::set<Digest>& blobs = repositories[target.repository];
    if (upload.begun) {
      taken.push_back(upload.begun->location);
    }
    if (!upload.ask_first) {
      unasked.push_back(upload.blob.digest);
    }
    if (upload.ask_first && blobs.contains(upload.blob.digest)) {
      return registry::Delivery::AlreadyThere;
    }
    const bool mounted = repositories[upload.mount_from].contains(upload.blob.digest);
    if (!mounted && !upload.open) {
      return not_found("not there");
    }
    if (!mounted) {
      const auto source = TRY(upload.open(0));
      const std::string bytes = TRY(read_all(*source, 1 << 24));
      EXPECT_EQ(Digest::of(bytes), upload.blob.digest);
      EXPECT_EQ(bytes.size(), upload.blob.size);
      sent.push_back(upload.blob.digest);
    }
    blobs.insert(upload.blob.digest);
    return mounted ? registry::Delivery::Mounted : registry::Delivery::Sent;
  }
  Result<registry::BegunUpload> begin(const oci::Reference& target, const Cancel&) override {
    const std::lock_guard lock(mutex_);
    if (refuses_streams) {
      return unsupported("no uploads");
    }
    begun.push_back(target.repository + "/" + std::to_string(begun.size()));
    return registry::BegunUpload{.location = begun.back(), .least_piece = 0};
  }
  void forget(const oci::Reference&, const registry::BegunUpload& upload,
              const Cancel& cancel) override {
    const std::lock_guard lock(mutex_);
    if (!cancel.requested()) {
      forgotten.push_back(upload.location);
    }
  }
  Status stream(const oci::Reference& target, const registry::BlobStream& stream,
                const Cancel& stop, const Cancel&) override {
    ++streams;
    if (refuses_streams) {
      return unsupported("no chunks");
    }
    const auto source = TRY(stream.open());
    const std::string bytes = TRY(read_all(*source, 1 << 24));
    const oci::Descriptor blob = TRY(stream.blob());
    EXPECT_EQ(Digest::of(bytes), blob.digest);
    if (holds_streams) {
      pollfd wait{stop.fd(), POLLIN, 0};
      while (::poll(&wait, 1, 1) == 0) {
        (void)TRY(stream.blob());
      }
      return stop.check();
    }
    const std::lock_guard lock(mutex_);
    repositories[target.repository].insert(blob.digest);
    streamed.push_back(blob.digest);
    return {};
  }
  Status manifest(const oci::Reference& target, const oci::Descriptor& descriptor,
                  const std::string& bytes, const Cancel&) override {
    EXPECT_EQ(Digest::of(bytes), descriptor.digest);
    if (refuses) {
      return make_error(ErrorKind::InvalidArgument, "tags are immutable here");
    }
    if (const Result<oci::Manifest> manifest = oci::parse_manifest(bytes); manifest && checks) {
      for (const oci::Descriptor& layer : manifest->layers) {
        if (!repositories[target.repository].contains(layer.digest)) {
          return make_error(ErrorKind::InvalidArgument, "blob unknown to registry");
        }
      }
    }
    tags[target.str()] = descriptor.digest;
    documents[descriptor.digest] = bytes;
    puts.push_back(target.tag);
    return {};
  }
  Result<std::optional<Digest>> current(const oci::Reference& target, const Cancel&) override {
    ++questions;
    if (away) {
      return make_error(ErrorKind::Unavailable, "connection refused");
    }
    const auto found = tags.find(target.str());
    return found == tags.end() ? std::nullopt : std::optional(found->second);
  }

  std::size_t begun_count() {
    const std::lock_guard lock(mutex_);
    return begun.size();
  }

  std::atomic<bool> away = false;
  bool refuses_streams = false;
  bool holds_streams = false;  // until nobody wants them
  std::atomic<int> streams{0};
  std::vector<Digest> streamed;
  bool refuses = false;  // manifests
  bool checks = true;    // … whether it has the blobs that they name
  std::map<std::string, std::set<Digest>> repositories;
  std::map<std::string, Digest> tags;
  std::map<Digest, std::string> documents;
  std::vector<std::string> begun;  // uploads that came before their blobs,
  std::vector<std::string> taken;  // … those that blobs went by,
  std::vector<std::string> forgotten;
  std::atomic<int> questions{0};  // for tags
  std::vector<Digest> unasked;    // blobs that nobody asked for before they came
  std::vector<Digest> sent;
  std::vector<std::string> puts;

 private:
  std::mutex mutex_;
};

}  // namespace mybuild::exporter
