// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/explain_text.h"

#include "cmd/mybuild/cli/elide.h"
#include "cmd/mybuild/cli/human_text.h"
#include "cmd/mybuild/progress/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

namespace mybuild::cli {

namespace {

using explain::ChangeKind;
using explain::Difference;
using explain::Explanation;
using explain::FactKind;
using explain::FileChange;
using explain::FileChangeKind;
using explain::Reason;
using explain::StepExplanation;
using explain::StepState;

constexpr std::size_t kColumns = 80;
constexpr std::size_t kStateColumns = 9;
constexpr std::size_t kIndent = 11;
constexpr std::size_t kTextColumns = kColumns - kIndent;
constexpr std::size_t kNameColumns = 40;  // of a name inside a sentence

std::string short_name(std::string_view name) {
  return elide_middle(visible(name), kNameColumns);
}

std::string quoted(const std::string& value) {
  return "\"" + value + "\"";
}

/// "the step before it", "build argument VERSION".
std::string subject(const Difference& difference) {
  const std::string name = short_name(difference.name);
  switch (difference.kind) {
    case FactKind::Command:
      return "the command";
    case FactKind::Copy:
      return "what is copied, and how";
    case FactKind::File:
      return "the text of " + name;
    case FactKind::Directory:
      return "the directory";
    case FactKind::Platform:
      return "the platform";
    case FactKind::BuildArg:
      return "build argument " + name;
    case FactKind::Variable:
      return "environment variable " + name;
    case FactKind::WorkDir:
      return "the working directory";
    case FactKind::User:
      return "the user";
    case FactKind::HostName:
      return "the host name";
    case FactKind::Network:
      return "the network";
    case FactKind::Security:
      return "the security mode";
    case FactKind::Hosts:
      return "the extra hosts";
    case FactKind::ShmSize:
      return "the size of /dev/shm";
    case FactKind::Ulimits:
      return "the ulimits";
    case FactKind::Mount:
      return "the mount " + name;
    case FactKind::Devices:
      return "the devices";
    case FactKind::Source:
      return "what is at " + name;
    case FactKind::Files:
      return "the files of " + name;
    case FactKind::Base:
      return "the base image " + name;
    case FactKind::Step:
      return "a step it stands on";
  }
  return "an input";
}

/// What was and what is, in one line if that is short enough.
std::vector<std::string> was_and_is(const std::string& what, const std::string& was,
                                    const std::string& is) {
  const auto [then, now] = elide_pair(visible(was), visible(is), kTextColumns - 8);
  std::string line = fmt::format("{}: was {}, is {}", what, quoted(then), quoted(now));
  if (progress::display_width(line) <= kTextColumns) {
    return {std::move(line)};
  }
  return {what + ":", "  was " + quoted(then), "  is  " + quoted(now)};
}

std::string short_digest(std::string_view text) {
  constexpr std::string_view kAlgorithm = "sha256:";
  constexpr std::size_t kDigits = 12;
  const bool full = text.starts_with(kAlgorithm);
  return full ? std::string(text.substr(0, kAlgorithm.size() + kDigits))
              : std::string(text.substr(0, kDigits));
}

std::string image_words(const std::string& name, const std::string& digest) {
  return digest.empty() ? short_name(name)
                        : fmt::format("{} ({})", short_name(name), short_digest(digest));
}

std::vector<std::string> base_lines(const Difference& difference) {
  if (difference.change != ChangeKind::Changed) {
    return {subject(difference) +
            (difference.change == ChangeKind::Added ? " is new" : " is gone")};
  }
  if (difference.was_name.empty()) {
    return {fmt::format("{}: was {}, is {}", subject(difference), short_digest(difference.was),
                        short_digest(difference.is))};
  }
  if (difference.was_step) {
    return {fmt::format("it stands on {}, formerly on {}",
                        image_words(difference.name, difference.is),
                        short_name(difference.was_name))};
  }
  return {fmt::format("the base image: was {}, is {}",
                      image_words(difference.was_name, difference.was),
                      image_words(difference.name, difference.is))};
}

std::vector<std::string> step_lines(const Difference& difference) {
  if (difference.change == ChangeKind::Added) {
    return {fmt::format("it stands on {} as well", short_name(difference.name))};
  }
  if (difference.change == ChangeKind::Removed) {
    return {fmt::format("it no longer stands on {}", short_name(difference.name))};
  }
  if (difference.was_name.empty()) {
    return {fmt::format("it stands on another result of {}", short_name(difference.name))};
  }
  return {fmt::format("it stands on {}, formerly on {}", short_name(difference.name),
                      short_name(difference.was_name))};
}

std::string file_words(const FileChange& file) {
  const std::string path = file.path.empty() ? "the directory itself"
                                             : elide_middle(visible(file.path), kTextColumns - 24);
  const std::string was = short_name(file.was);
  const std::string is = short_name(file.is);
  switch (file.kind) {
    case FileChangeKind::Content:
      return path + " changed";
    case FileChangeKind::Mode:
      return fmt::format("{} has mode {}, had {}", path, is, was);
    case FileChangeKind::Owner:
      return fmt::format("{} belongs to {}, formerly to {}", path, is, was);
    case FileChangeKind::Type:
      return fmt::format("{} is {}, was {}", path, is, was);
    case FileChangeKind::Link:
      return fmt::format("{} leads to {}, formerly to {}", path, is, was);
    case FileChangeKind::Other:
      return path + " has other attributes";
    case FileChangeKind::Added:
      return path + " is new";
    case FileChangeKind::Removed:
      return path + " is gone";
  }
  return path;
}

std::vector<std::string> files_lines(const Difference& difference) {
  const std::string place = short_name(difference.name);
  if (difference.change != ChangeKind::Changed) {
    return {fmt::format("it {} files of {}",
                        difference.change == ChangeKind::Added ? "takes" : "no longer takes",
                        place)};
  }
  if (!difference.was_name.empty() && !difference.is_step) {
    return {fmt::format("it takes files of {}, formerly of {}", place,
                        short_name(difference.was_name))};
  }
  if (difference.files.empty()) {
    return {fmt::format("the files it takes from {} differ{}", place,
                        difference.files_known ? " in their names" : " (which ones is not known)")};
  }
  std::string line = file_words(difference.files.front());
  if (const std::size_t more = difference.files.size() - 1; more > 0) {
    line += fmt::format(" (and {} more file{})", more, more == 1 ? "" : "s");
  }
  if (difference.name != "the build context") {
    line += ", in " + place;
  }
  return {std::move(line)};
}

/// A step's name without its place.
std::string_view instruction(std::string_view name) {
  const std::size_t end = name.starts_with('[') ? name.find("] ") : std::string_view::npos;
  return end == std::string_view::npos ? name : name.substr(end + 2);
}

/// "less than a second ago"
std::string age_words(std::int64_t seconds, Time now) {
  std::string age = ago(Time(std::chrono::seconds(seconds)), now);
  age[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(age[0])));
  return age;
}

class TextPrinter {
 public:
  TextPrinter(const Explanation& explanation, Time now) : all_(explanation), now_(now) {}

  std::string print() {
    header();
    if (all_.steps.empty()) {
      sentence(all_.facts_lost            ? "What went into its steps is no longer kept."
               : all_.build.error.empty() ? "It has no steps."
                                          : "It failed before any of its steps was looked at.",
               0);
    }
    for (const StepExplanation& step : all_.steps) {
      if (step.reason != Reason::NotNeeded) {
        print_step(step);
      }
    }
    return std::move(out_);
  }

 private:
  void sentence(std::string_view text, std::size_t indent) {
    for (const std::string& line : wrap(text, kColumns - indent)) {
      out_ += std::string(indent, ' ') + line + "\n";
    }
  }

  void header() {
    const explain::BuildSummary& build = all_.build;
    const std::string age = age_words(build.repeats > 0 ? build.last : build.created, now_);
    sentence(fmt::format("build {}, {}, in {}: {} of {} steps found{}", build.id, age,
                         progress::elapsed(std::chrono::milliseconds(build.duration)), build.found,
                         build.steps,
                         build.repeats > 0 ? fmt::format(" (repeated: {})", build.repeats) : ""),
             0);
    std::string subject =
        fmt::format("of {} in {}", elide_middle(visible(build.subject.dockerfile), 60),
                    elide_middle(visible(build.subject.context), 60));
    subject += build.subject.target.empty() ? "" : ", target " + short_name(build.subject.target);
    for (const std::string& platform : build.subject.platforms) {
      subject += ", " + platform;
    }
    sentence(subject, 0);
    if (!build.error.empty()) {
      sentence("it failed: " + elide_middle(visible(build.error), kColumns - 11), 0);
    }
    const auto is_first = [](const StepExplanation& step) {
      return step.reason == Reason::FirstBuild;
    };
    if (std::any_of(all_.steps.begin(), all_.steps.end(), is_first)) {
      sentence("nothing like it was built here before", 0);
    }
    out_ += "\n";
  }

  void print_step(const StepExplanation& step) {
    out_ += fmt::format("{:<{}}{}\n", state_word(step.state), kStateColumns,
                        elide_middle(visible(step.name), kColumns - kStateColumns));
    for (const std::string& line : reason_lines(step)) {
      // Lines of was and is are made to fit, and stand in.
      const std::size_t inner = line.starts_with("  ") ? 2 : 0;
      sentence(std::string_view(line).substr(inner), kIndent + inner);
    }
  }

  std::vector<std::string> reason_lines(const StepExplanation& step) const {
    switch (step.reason) {
      case Reason::FoundDefinition:
        return step.cause ? cut_off_lines(*step.cause) : std::vector<std::string>();
      case Reason::FoundContent:
        if (step.cause) {
          return cut_off_lines(*step.cause);
        }
        return {"its inputs are what they were in an earlier build, though made in another way"};
      case Reason::FoundMeanwhile:
        return {"another build, or another stage of this one, ran it at the same time"};
      case Reason::Unlike:
        return {"no earlier build had this step"};
      case Reason::Forced:
        return {"it was asked to run again (--no-cache or --no-cache-filter)"};
      case Reason::Gone:
        return {fmt::format("build {} has made it, but its files are no longer in the store",
                            step.compared_build)};
      case Reason::NeverFinished:
        return {fmt::format("build {} began it with the same inputs, and did not finish it",
                            step.compared_build)};
      case Reason::Unreadable:
        return {"what it takes could not be found or read"};
      case Reason::NotReached:
        return {"the build ended before"};
      case Reason::Source:
      case Reason::Changed:
        return changed_lines(step);
      case Reason::FirstBuild:
      case Reason::NotNeeded:
        break;
    }
    return {};
  }

  const StepExplanation* step_at(std::uint32_t index) const {
    const auto found = std::find_if(all_.steps.begin(), all_.steps.end(),
                                    [&](const StepExplanation& s) { return s.index == index; });
    return found == all_.steps.end() ? nullptr : &*found;
  }

  std::vector<std::string> changed_lines(const StepExplanation& step) const {
    if (step.differences.empty()) {
      return {};
    }
    std::vector<std::string> lines =
        step.cause ? cause_lines(*step.cause) : difference_lines(step.differences.front());
    if (step.differences.size() > 1) {
      std::vector<std::string> more;
      for (std::size_t i = 1; i < step.differences.size(); ++i) {
        more.push_back(subject(step.differences[i]));
      }
      lines.push_back(fmt::format("also different: {}", fmt::join(more, ", ")));
    }
    if (instruction(step.compared_step) != instruction(step.name)) {
      lines.push_back(fmt::format("(compared with {} of build {})", short_name(step.compared_step),
                                  step.compared_build));
    }
    return lines;
  }

  std::string name_at(std::uint32_t index) const {
    const StepExplanation* step = step_at(index);
    return step == nullptr ? "a step before it" : short_name(step->name);
  }

  std::vector<std::string> cut_off_lines(const explain::Cause& cause) const {
    return {name_at(cause.step) + " ran again and came out the same"};
  }

  std::vector<std::string> cause_lines(const explain::Cause& cause) const {
    const StepExplanation* source = step_at(cause.step);
    const std::string name = name_at(cause.step);
    if (cause.came_out_different) {
      return {fmt::format("the cause lies further up: {} ran again and came out different", name)};
    }
    std::vector<std::string> lines{fmt::format("the cause lies further up, in {}", name)};
    const bool told = source != nullptr && source->reason == Reason::Changed;
    if (cause.difference && !told) {
      const auto more = difference_lines(*cause.difference);
      lines.insert(lines.end(), more.begin(), more.end());
    }
    return lines;
  }

  const Explanation& all_;
  const Time now_;
  std::string out_;
};

}  // namespace

std::vector<std::string> difference_lines(const Difference& difference) {
  if (difference.change == ChangeKind::Order) {
    return {fmt::format("the same in another order: {} stands where {} stood",
                        short_name(difference.name), short_name(difference.was_name))};
  }
  switch (difference.kind) {
    case FactKind::Base:
      return base_lines(difference);
    case FactKind::Step:
      return step_lines(difference);
    case FactKind::Files:
      return files_lines(difference);
    case FactKind::Source:
      return {fmt::format("{}: was {}, is {}", subject(difference), short_digest(difference.was),
                          short_digest(difference.is))};
    default:
      break;
  }
  const std::string what = subject(difference);
  if (difference.change == ChangeKind::Added) {
    return {fmt::format("{} is new: {}", what,
                        quoted(elide_middle(visible(difference.is), kNameColumns)))};
  }
  if (difference.change == ChangeKind::Removed) {
    return {fmt::format("{} is gone, it was {}", what,
                        quoted(elide_middle(visible(difference.was), kNameColumns)))};
  }
  return was_and_is(what, difference.was, difference.is);
}

std::string_view state_word(StepState state) {
  switch (state) {
    case StepState::Source:
      return "source";
    case StepState::HitByDefinition:
    case StepState::HitByContent:
    case StepState::MadeMeanwhile:
      return "found";
    case StepState::Ran:
      return "ran";
    case StepState::Failed:
      return "failed";
    case StepState::Stopped:
      return "stopped";
    case StepState::NotReached:
    case StepState::NotNeeded:
      return "not run";
  }
  return "";
}

std::string explanation_text(const Explanation& explanation, Time now) {
  return TextPrinter(explanation, now).print();
}

}  // namespace mybuild::cli
