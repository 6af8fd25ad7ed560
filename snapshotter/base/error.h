// SPDX-License-Identifier: Apache-2.0
// Error: why something failed for an outside reason, as a value that can be stored, queued and sent
// between threads. Eight bytes, copyable. Messages are lower-case without a full stop; context()
// puts the caller's words in front: "pull layer sha256:…: read: connection reset by peer".
// Thread-compatible.
#pragma once

#include <fmt/core.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace mybuild {

/// What a caller may want to decide on. Values appear in JSON; append only.
enum class ErrorKind {
  InvalidArgument,
  NotFound,
  AlreadyExists,
  Denied,
  Unavailable,  // a retry may help
  Cancelled,
  Deadline,
  DataLoss,       // stored bytes are not what was written
  ProcessFailed,  // a build step ended with a non-zero status
  Unsupported,
  Internal,
};

std::string_view to_string(ErrorKind kind);

/// Where in a source text (a Dockerfile) the cause lies. Lines count from 1, both ends included.
struct SourceLocation {
  std::string file;
  int first_line = 0;
  int last_line = 0;
  std::string excerpt;  // the lines around, numbered and marked, ready to print; may be empty
};

class [[nodiscard]] Error {
 public:
  Error(ErrorKind kind, std::string message);
  Error(const Error& other);
  Error& operator=(const Error& other);
  Error(Error&&) noexcept;
  Error& operator=(Error&&) noexcept;
  ~Error();

  ErrorKind kind() const;
  /// The whole chain, outermost context first.
  const std::string& message() const;
  /// The errno of the failed system call, or 0.
  int os_errno() const;
  /// The exit code of the failed process (ProcessFailed), or 0.
  int exit_code() const;
  /// What to try, in words; may be empty.
  const std::string& hint() const;
  /// Null when the error has no place in a source text.
  const SourceLocation* location() const;

  Error context(std::string_view what) &&;
  Error with_errno(int os_errno) &&;
  Error with_exit_code(int exit_code) &&;
  Error with_hint(std::string hint) &&;
  /// Keeps an earlier, more precise location if there is one.
  Error at(SourceLocation location) &&;

 private:
  struct Data;
  std::unique_ptr<Data> data_;
};

template <class... Args>
Error make_error(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  return Error(kind, fmt::format(format, std::forward<Args>(args)...));
}

/// The error of a system call: kind and text follow from `os_errno`; `what` says what was tried
/// ("open /x").
Error os_error(int os_errno, std::string_view what);

template <class... Args>
Error invalid_argument(fmt::format_string<Args...> format, Args&&... args) {
  return Error(ErrorKind::InvalidArgument, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
Error not_found(fmt::format_string<Args...> format, Args&&... args) {
  return Error(ErrorKind::NotFound, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
Error unsupported(fmt::format_string<Args...> format, Args&&... args) {
  return Error(ErrorKind::Unsupported, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
Error data_loss(fmt::format_string<Args...> format, Args&&... args) {
  return Error(ErrorKind::DataLoss, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
Error internal_error(fmt::format_string<Args...> format, Args&&... args) {
  return Error(ErrorKind::Internal, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace mybuild
