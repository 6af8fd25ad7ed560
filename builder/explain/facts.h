// SPDX-License-Identifier: Apache-2.0
// Facts: all that enters the keys of a step, in the words of the person who wrote the Dockerfile.
// Equal facts mean equal content keys, so what differs between two steps is why one of them was not
// found. Of secrets there are ids only. Value types.
#pragma once

#include "snapshotter/base/digest.h"
#include "snapshotter/base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::explain {

/// In the order in which a difference is told: what somebody wrote before what follows from it.
enum class FactKind : std::uint8_t {  // values are stored; append only
  Command,
  Copy,
  File,       // a heredoc
  Directory,  // a WORKDIR
  Platform,
  BuildArg,
  Variable,
  WorkDir,
  User,
  HostName,
  Network,
  Security,
  Hosts,
  ShmSize,
  Ulimits,
  Mount,
  Devices,
  Source,  // what an image, a URL or a commit is now
  Files,   // that the step takes from a context, an image or another step
  Base,    // the image it stands on
  Step,    // the step it stands on, or another one that it uses as a whole
};

struct Fact {
  FactKind kind = FactKind::Command;
  std::string place;   // what is compared with what: there is one fact at a place of a step
  std::string name;    // of the variable, mount, image, context or step
  std::string value;   // what is compared; of Files the digest of the selection, if it is known
  std::string shown;   // for people; "" = the value
  std::string origin;  // of Files: identity of the tree they are in, "" of a context
  std::optional<std::uint32_t> step;  // of Files, Step: the step of the same build that made it
  bool operator==(const Fact&) const = default;
};

struct StepFacts {
  std::string name;         // "[build 2/5] RUN make"; "" of what is not shown
  int line = 0;             // in the Dockerfile; 0 = none
  std::vector<Fact> facts;  // none: it did not come so far that its inputs were known
  bool operator==(const StepFacts&) const = default;
};

/// What became of a step. The letters are stored; a forced step (--no-cache) has the capital.
enum class StepState : char {
  Source = 'd',
  HitByDefinition = 'h',
  HitByContent = 'c',
  MadeMeanwhile = 'w',  // found after another build that ran it at the time was waited for
  Ran = 'r',
  Failed = 'f',
  Stopped = 's',  // it had begun when another step failed
  NotReached = 'n',
  NotNeeded = 'u',
};

/// What was built: two builds of one subject are likely to have the same steps.
struct Subject {
  std::string dockerfile;  // as given
  std::string context;
  std::string target;
  std::vector<std::string> platforms;
  bool operator==(const Subject&) const = default;
};

/// Stored forms; decode fails on what another version wrote.
std::string encode(const std::vector<StepFacts>& steps);
Result<std::vector<StepFacts>> decode_steps(std::string_view text);
std::string encode(const Subject& subject);
Result<Subject> decode_subject(std::string_view text);

}  // namespace mybuild::explain
