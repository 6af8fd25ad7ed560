// SPDX-License-Identifier: Apache-2.0
// Explanation: what became of each step of a build and why, as plain data between the engine and
// the command line. Value types.
#pragma once

#include "builder/explain/facts.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mybuild::explain {

enum class FileChangeKind : std::uint8_t {
  Content,
  Mode,
  Owner,
  Type,
  Link,
  Other,
  Added,
  Removed
};

struct FileChange {
  std::string path;
  FileChangeKind kind = FileChangeKind::Content;
  std::string was;  // of Mode, Owner, Type, Link
  std::string is;
  bool operator==(const FileChange&) const = default;
};

enum class ChangeKind : std::uint8_t { Changed, Added, Removed, Order };

/// One input of a step that is not what it was.
struct Difference {
  FactKind kind = FactKind::Command;
  ChangeKind change = ChangeKind::Changed;
  std::string name;      // as Fact::name, of this build
  std::string was_name;  // of Base, Step, Files, Source: what stood there, if that is another one
  std::string was;
  std::string is;
  std::string was_part;  // of Files: the selections, as far as they are known
  std::string is_part;
  std::optional<std::uint32_t> was_step;  // of Step, Files: in the earlier build
  std::optional<std::uint32_t> is_step;   // in this one
  bool files_known = false;               // of Files: `files` is all of it
  std::vector<FileChange> files;
};

enum class Reason : std::uint8_t {
  Source,           // not looked up: an image, a URL, a commit
  FoundDefinition,  // made of the same things in the same way
  FoundContent,     // made of things that came about in another way, and are the same
  FoundMeanwhile,   // another build, or another stage of this one, ran it at the same time
  FirstBuild,       // there is no earlier build
  Unlike,           // no earlier build had such a step
  Forced,           // --no-cache, --no-cache-filter
  Changed,          // `differences` says what
  Gone,             // the same step was built, its files are no longer in the store
  NeverFinished,    // the same step was begun by an earlier build, which failed or was stopped
  Unreadable,       // what it takes could not be found or read
  NotReached,
  NotNeeded,
};

/// Where a change began that reached a step through the steps it stands on; of a step that was
/// found, the step below it that ran again and came out the same.
struct Cause {
  std::uint32_t step = 0;  // of this build
  /// The step is the same; it ran again, and its outcome is another one.
  bool came_out_different = false;
  std::optional<Difference> difference;  // what is different there
};

struct StepExplanation {
  std::uint32_t index = 0;  // in the build's graph; what Difference and Cause count by
  std::string name;
  int line = 0;
  StepState state = StepState::Ran;
  Reason reason = Reason::Source;
  std::vector<Difference> differences;  // the first one is the one to tell
  std::optional<Cause> cause;
  std::string compared_build;  // the id of the build of the nearest earlier step; "" = none
  std::string compared_step;   // its name there
};

struct BuildSummary {
  std::string id;
  std::int64_t created = 0;   // seconds since the epoch
  std::int64_t duration = 0;  // milliseconds
  std::uint64_t repeats = 0;  // how often it was repeated with the same outcome
  std::int64_t last = 0;      // when that was last
  Subject subject;
  std::string image;  // its id; "" = none was made
  std::string error;  // "" = it went well
  std::size_t steps = 0;
  std::size_t found = 0;  // of them in the cache
};

struct Explanation {
  BuildSummary build;
  bool facts_lost = false;  // too old: what is known of the steps is no longer kept
  std::vector<StepExplanation> steps;
};

}  // namespace mybuild::explain
