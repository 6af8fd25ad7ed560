// SPDX-License-Identifier: Apache-2.0
// LayerStreams: layers on their way to registries while they are compressed. This is a bet that the
// registry does not have them yet; whoever needs one there looks for its stream when the digest is
// known, and goes on without where there is none or it failed. Thread-safe; nothing here waits for
// what has not begun.
#pragma once

#include "builder/registry/push.h"
#include "snapshotter/base/cancel.h"
#include "snapshotter/base/lanes.h"
#include "snapshotter/growing_blob.h"
#include "snapshotter/oci/reference.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace mybuild::exporter {

/// One blob on its way.
class LayerStream {
 public:
  /// How many bytes were sent so far, some times a second.
  using OnSent = std::function<void(std::uint64_t sent)>;

  const oci::Reference& repository() const { return repository_; }
  bool has_ended() const;
  /// Waits for its end: true when the registry stored the blob.
  bool wait(const OnSent& on_sent);
  /// Nobody needs it any more. It ends as one that is whole, since a registry may be unable to
  /// forget what broke off in the middle.
  void stop() { is_unwanted_ = true; }

 private:
  friend class LayerStreams;
  enum class State { Waiting, Running, Stored, Failed };
  class Sent;

  LayerStream(oci::Reference repository, std::shared_ptr<snapshotter::GrowingBlob> blob,
              Cancel& cancel)
      : repository_(std::move(repository)), blob_(std::move(blob)), stop_(cancel) {}
  /// Whether it was in the one state, and is in the other now.
  bool change(State from, State to);
  void end(State how);
  Result<oci::Descriptor> whole();

  const oci::Reference repository_;  // without a tag
  const std::shared_ptr<snapshotter::GrowingBlob> blob_;
  Cancel stop_;  // at once
  std::atomic<std::uint64_t> sent_{0};
  std::atomic<bool> is_unwanted_{false};
  mutable std::mutex mutex_;
  std::condition_variable ended_;
  State state_ = State::Waiting;
};

class LayerStreams {
 public:
  /// All of them outlive it.
  LayerStreams(Lanes& lanes, registry::RegistryPush& push, Cancel& cancel)
      : lanes_(lanes), push_(push), cancel_(cancel) {}
  /// Ends what is under way, and waits for that.
  ~LayerStreams();
  LayerStreams(const LayerStreams&) = delete;
  LayerStreams& operator=(const LayerStreams&) = delete;

  /// Lets an idle thread of the net lane send the blob; not where enough of them go already, or
  /// the registry did not take one before.
  void begin(const oci::Reference& repository,
             const std::shared_ptr<snapshotter::GrowingBlob>& blob);
  /// By which the blob went, or still goes, to the registry; one to this repository if there is.
  /// Null otherwise; one that has not begun never will then.
  std::shared_ptr<LayerStream> find(const oci::Reference& repository, const Digest& blob);

 private:
  void run(LayerStream& stream);

  Lanes& lanes_;
  registry::RegistryPush& push_;
  Cancel& cancel_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t tasks_ = 0;
  std::vector<std::shared_ptr<LayerStream>> streams_;
  std::set<std::string> refused_;  // domains of registries
};

}  // namespace mybuild::exporter
