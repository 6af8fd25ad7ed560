// SPDX-License-Identifier: Apache-2.0
// Progress: the EventSink of a build on the command line. Events are queued and printed by a thread
// of its own, so that a slow terminal holds up the build only when megabytes wait. on_event() is
// thread-safe; the rest is for the owner.
#pragma once

#include "cmd/mybuild/progress/mode.h"
#include "cmd/mybuild/progress/step.h"
#include "snapshotter/base/clock.h"
#include "solver/progress.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace mybuild::progress {

/// What the build did, to be read after finish().
struct Outcome {
  // Those whose output does not stand last already, in the order of their failing; each with the
  // end of its log.
  std::vector<const Step*> failed;
  std::vector<solver::Warning> warnings;
};

class Progress final : public solver::EventSink {
 public:
  /// `mode`: not Auto. `fd`: where to, not owned.
  Progress(Mode mode, int fd, const Clock& clock);
  ~Progress() override;
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Starts the printing thread before the first event needs it; not after finish().
  void begin();
  void on_event(solver::Event event) override;
  /// Prints what is left, and takes the live part off the screen. Nothing is printed after it.
  Outcome finish();

 private:
  void start_thread();
  void run();
  bool wait_for_events(std::vector<solver::Event>& events);
  void write(std::string_view bytes);

  const int fd_;
  const Clock& clock_;
  const std::unique_ptr<Printer> printer_;
  StepTable steps_;
  bool broken_ = false;  // nobody reads what we write

  std::mutex mutex_;
  std::condition_variable filled_;
  std::condition_variable emptied_;
  std::vector<solver::Event> queue_;  // guarded by mutex_, as the rest
  std::size_t queued_bytes_ = 0;
  bool finishing_ = false;
  std::optional<std::thread> thread_;
};

/// What Auto stands for on the terminal or file `fd`.
Mode resolve(Mode mode, int fd);

}  // namespace mybuild::progress
