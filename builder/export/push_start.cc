// SPDX-License-Identifier: Apache-2.0
#include "builder/export/push_start.h"

#include "snapshotter/base/log.h"

#include <algorithm>
#include <chrono>
#include <functional>

namespace mybuild::exporter {

namespace {

/// For an upload that is being begun when nobody needs it any more: so that it can be forgotten.
constexpr std::chrono::seconds kPatience{3};
/// Tags move.
constexpr std::chrono::seconds kFresh{5};
constexpr int kUploads = 2;  // the layer and the config

oci::Reference repository_of(oci::Reference name) {
  name.tag.clear();
  return name;
}

}  // namespace

struct PushStart::Question {
  oci::Reference target;
  State state = State::Waiting;
  std::optional<Result<std::optional<Digest>>> answer;
  bool is_ours = false;  // we have the document that the tag names
  std::chrono::steady_clock::time_point asked_at = {};
};

struct PushStart::Upload {
  oci::Reference repository;
  State state = State::Waiting;
  std::optional<registry::BegunUpload> begun;  // until somebody takes it
};

PushStart::PushStart(Lanes& lanes, registry::RegistryPush& push, snapshotter::ContentStore& content,
                     Cancel& cancel)
    : lanes_(lanes),
      push_(push),
      content_(content),
      cancel_(cancel),
      questions_(cancel),
      beginning_(cancel) {}

PushStart::~PushStart() {
  const Error over = make_error(ErrorKind::Cancelled, "the build is over");
  questions_.request(over);
  std::unique_lock lock(mutex_);
  const auto give_up = [](const auto& tasks) {
    for (const auto& task : tasks) {
      task->state = task->state == State::Waiting ? State::Done : task->state;
    }
  };
  give_up(asked_);
  give_up(uploads_);
  const auto is_idle = [this] { return tasks_ == 0; };
  if (!changed_.wait_for(lock, kPatience, is_idle)) {
    beginning_.request(over);
  }
  changed_.wait(lock, is_idle);
  std::erase_if(uploads_, [](const auto& upload) { return !upload->begun; });
  lock.unlock();
  static_cast<void>(lanes_.fan_out(Lane::Net, uploads_.size(), [this](std::size_t i) -> Status {
    push_.forget(uploads_[i]->repository, *uploads_[i]->begun, cancel_);
    return {};
  }));
}

void PushStart::ask(const std::vector<oci::Reference>& targets) {
  const std::lock_guard lock(mutex_);
  for (const oci::Reference& target : targets) {
    asked_.push_back(std::make_unique<Question>(Question{.target = target,
                                                         .state = State::Waiting,
                                                         .answer = {},
                                                         .is_ours = false,
                                                         .asked_at = {}}));
    post([this, question = asked_.back().get()] { run(*question); });
  }
}

void PushStart::expect_layer() {
  const std::lock_guard lock(mutex_);
  is_layer_expected_ = true;
  for (const std::unique_ptr<Question>& question : asked_) {
    begin_uploads(*question);
  }
}

/// Under the lock.
void PushStart::begin_uploads(const Question& answered) {
  const oci::Reference repository = repository_of(answered.target);
  const auto is_there = [&](const auto& upload) { return upload->repository == repository; };
  if (!is_layer_expected_ || !answered.is_ours ||
      std::any_of(uploads_.begin(), uploads_.end(), is_there)) {
    return;
  }
  for (int i = 0; i < kUploads; ++i) {
    uploads_.push_back(std::make_unique<Upload>(
        Upload{.repository = repository, .state = State::Waiting, .begun = {}}));
    post([this, upload = uploads_.back().get()] { run(*upload); });
  }
}

/// Under the lock.
void PushStart::post(std::function<void()> task) {
  ++tasks_;
  lanes_.post(Lane::Net, [this, task = std::move(task)] {
    task();
    const std::lock_guard lock(mutex_);
    --tasks_;
    changed_.notify_all();
  });
}

/// False where nobody waits for it any more.
template <typename Task>
bool PushStart::start(Task& task) {
  const std::lock_guard lock(mutex_);
  const bool is_wanted = task.state == State::Waiting;
  task.state = is_wanted ? State::Running : task.state;
  return is_wanted;
}

void PushStart::run(Question& question) {
  if (!start(question)) {
    return;
  }
  const auto now = std::chrono::steady_clock::now();
  Result<std::optional<Digest>> answer = push_.current(question.target, questions_);
  bool is_ours = false;
  if (answer && *answer) {
    const auto document = content_.stat(**answer);
    is_ours = document && document->has_value();
  }
  const std::lock_guard lock(mutex_);
  question.answer = std::move(answer);
  question.is_ours = is_ours;
  question.asked_at = now;
  question.state = State::Done;
  begin_uploads(question);
}

void PushStart::run(Upload& upload) {
  if (!start(upload)) {
    return;
  }
  Result<registry::BegunUpload> begun = push_.begin(upload.repository, beginning_);
  if (!begun) {
    log::debug("an upload is begun when it is needed: {}", begun.error().message());
  }
  const std::lock_guard lock(mutex_);
  if (begun) {
    upload.begun = std::move(*begun);
  }
  upload.state = State::Done;
}

std::optional<Result<std::optional<Digest>>> PushStart::named(const oci::Reference& target) {
  std::unique_lock lock(mutex_);
  const auto found = std::find_if(asked_.begin(), asked_.end(),
                                  [&](const auto& question) { return question->target == target; });
  if (found == asked_.end()) {
    return std::nullopt;
  }
  Question& question = **found;
  if (question.state == State::Waiting) {
    question.state = State::Done;
  }
  const bool was_done = question.state == State::Done;
  changed_.wait(lock, [&] { return question.state == State::Done; });
  const bool is_fresh = std::chrono::steady_clock::now() - question.asked_at <= kFresh;
  const bool is_good = question.answer && (*question.answer ? is_fresh : !was_done);
  return is_good ? question.answer : std::nullopt;
}

std::optional<registry::BegunUpload> PushStart::take(const oci::Reference& target) {
  const oci::Reference repository = repository_of(target);
  std::unique_lock lock(mutex_);
  for (;;) {
    bool is_one_coming = false;
    for (const std::unique_ptr<Upload>& upload : uploads_) {
      if (upload->repository != repository) {
        continue;
      }
      if (upload->begun) {
        return std::exchange(upload->begun, std::nullopt);
      }
      upload->state = upload->state == State::Waiting ? State::Done : upload->state;
      is_one_coming = is_one_coming || upload->state == State::Running;
    }
    if (!is_one_coming) {
      return std::nullopt;
    }
    changed_.wait(lock);
  }
}

}  // namespace mybuild::exporter
