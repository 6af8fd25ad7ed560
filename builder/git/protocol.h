// SPDX-License-Identifier: Apache-2.0
// What the builder and mybuild-git say to each other: one request as a JSON document, then answers
// as JSON, one a line: any number of progress and warnings, and at the end a result or an error.
// Value types, thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace mybuild::git {

/// Descriptors of the helper.
inline constexpr int kRequestFd = 3;
inline constexpr int kAnswersFd = 4;
inline constexpr int kAgentFd = 5;  // a socket of secrets::AgentProxy, when `has_agent`

struct HelperRequest {
  enum class Op : std::uint8_t {
    Resolve,  // what `ref` is now
    Provide   // the files of `object` in `destination`, fetched if need be
  };
  Op op = Op::Resolve;
  std::string remote;                    // without user and password for http
  std::string authorization;             // http: the header's value for the remote's origin, or ""
  std::string scratch;                   // an empty directory that is the helper's until its end
  std::vector<std::string> known_hosts;  // files, of the user first; may be missing
  bool has_agent = false;
  bool use_git_program = true;  // where it is installed

  std::string ref;  // Resolve: as the user says it

  std::string mirrors;        // Provide: where bare repositories are kept
  std::string object;         // Provide: commit or annotated tag
  std::string ref_name;       // Provide: where the remote has it, in full; "" = not known
  std::string destination;    // Provide: an empty directory
  std::string subdir;         // Provide: clean and relative, "" = all
  bool submodules = true;     // Provide
  bool keep_git_dir = false;  // Provide: not with a subdir
};

struct HelperProgress {
  std::string text;           // "receiving objects", "checking out files"
  std::uint64_t current = 0;  // objects or files
  std::uint64_t total = 0;
  std::uint64_t bytes = 0;  // received so far
};
struct HelperWarning {
  std::string text;
};
struct HelperResult {
  std::string ref_name;   // Resolve
  std::string object;     // Resolve
  std::string commit;     // both
  std::int64_t time = 0;  // Provide: the commit's, in seconds since 1970
};
using HelperAnswer = std::variant<HelperProgress, HelperWarning, HelperResult, Error>;

std::string encode(const HelperRequest& request);
Result<HelperRequest> decode_request(std::string_view text);
/// One line without its end.
std::string encode(const HelperAnswer& answer);
Result<HelperAnswer> decode_answer(std::string_view line);

}  // namespace mybuild::git
