// SPDX-License-Identifier: Apache-2.0
// PushStart: what of a push need not wait for the image: what its tags name now, and, while the
// last small layer is being made, the uploads that it and the config will go by. Whatever does not
// work out here is done when it is needed. Thread-safe; nothing here waits for what has not begun.
#pragma once

#include "builder/registry/push.h"
#include "snapshotter/base/cancel.h"
#include "snapshotter/base/lanes.h"
#include "snapshotter/content/content_store.h"
#include "snapshotter/oci/reference.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace mybuild::exporter {

class PushStart {
 public:
  /// All of them outlive it. `cancel` is of the user alone: a build that failed still tells
  /// registries to forget what it began there.
  PushStart(Lanes& lanes, registry::RegistryPush& push, snapshotter::ContentStore& content,
            Cancel& cancel);
  /// Ends what is under way, and lets registries forget the uploads that nobody took.
  ~PushStart();
  PushStart(const PushStart&) = delete;
  PushStart& operator=(const PushStart&) = delete;

  /// Lets idle threads of the net lane ask what these names with tags name.
  void ask(const std::vector<oci::Reference>& targets);
  /// A small layer and a config are going to be sent. Uploads are begun where a tag names one of
  /// our images: then nobody will ask whether they are there already.
  void expect_layer();

  /// What the target's tag named a few seconds ago at most; an error only if it had to be waited
  /// for. Nullopt: that is not known.
  std::optional<Result<std::optional<Digest>>> named(const oci::Reference& target);
  /// An upload into the target's repository that nobody else has.
  std::optional<registry::BegunUpload> take(const oci::Reference& target);

 private:
  enum class State { Waiting, Running, Done };
  struct Question;
  struct Upload;
  void post(std::function<void()> task);
  void run(Question& question);
  void run(Upload& upload);
  void begin_uploads(const Question& answered);
  template <typename Task>
  bool start(Task& task);

  Lanes& lanes_;
  registry::RegistryPush& push_;
  snapshotter::ContentStore& content_;
  Cancel& cancel_;
  Cancel questions_;  // stops these
  Cancel beginning_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t tasks_ = 0;
  bool is_layer_expected_ = false;
  std::vector<std::unique_ptr<Question>> asked_;
  std::vector<std::unique_ptr<Upload>> uploads_;
};

}  // namespace mybuild::exporter
