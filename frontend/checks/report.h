// SPDX-License-Identifier: Apache-2.0
// What --call answers, and its forms: text as buildx prints it, JSON in BuildKit's shape, SARIF 2.1
// and the annotations of GitHub's logs. Value types; the functions are pure.
#pragma once

#include "frontend/checks/linter.h"
#include "snapshotter/base/error.h"

#include <optional>
#include <string>
#include <vector>

namespace mybuild::frontend::checks {

/// The file that an answer is about.
struct SourceText {
  std::string file;  // its name
  std::string path;  // as it was given; "" = the name has to do
  std::string text;
};

/// --call=check.
struct CheckReport {
  SourceText source;
  std::vector<Finding> findings;     // by line
  std::vector<std::string> unknown;  // base images out of reach: their stages' steps say nothing
  std::optional<Error> error;        // what would make a build fail before its first step

  /// A rule of BuildKit's has struck, or there is an error.
  bool failed() const;
};

struct Lines {
  int first = 0;
  int last = 0;
};

/// --call=outline: what the target can be given.
struct Outline {
  struct Argument {
    std::string name = {};
    std::string description = {};
    std::string value = {};
    Lines lines = {};
  };
  struct Credential {  // of a secret or an SSH agent
    std::string name = {};
    bool required = false;
    Lines lines = {};
  };
  struct Cache {
    std::string id = {};
    Lines lines = {};
  };
  std::string name = {};  // "" = the target has none
  std::string description = {};
  std::vector<Argument> args = {};
  std::vector<Credential> secrets = {};
  std::vector<Credential> ssh = {};
  std::vector<Cache> caches = {};
  SourceText source = {};
};

/// --call=targets.
struct TargetList {
  struct Target {
    std::string name = {};
    std::string description = {};
    std::string base = {};      // not expanded
    std::string platform = {};  // not expanded
    bool is_default = false;
    Lines lines = {};
  };
  std::vector<Target> targets = {};
  SourceText source = {};
};

std::string to_text(const CheckReport& report);
std::string to_text(const Outline& outline);
std::string to_text(const TargetList& list);
/// Our own rules are in it only if the file asks for them: it is read by tools that know
/// BuildKit's.
std::string to_json(const CheckReport& report);
std::string to_json(const Outline& outline);
std::string to_json(const TargetList& list);
std::string to_sarif(const CheckReport& report);
/// "::warning file=…,line=…::…", one line each.
std::string to_github(const CheckReport& report);

/// The message with its hint, as BuildKit joins them.
std::string message_of(const Error& error);
/// "UndefinedVar: Usage of …".
std::string title_of(const Finding& finding);

}  // namespace mybuild::frontend::checks
