// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/error.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <optional>

namespace mybuild {

struct Error::Data {
  ErrorKind kind;
  int os_errno = 0;
  int exit_code = 0;
  std::string message;
  std::string hint;
  std::optional<SourceLocation> location;
};

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::InvalidArgument:
      return "invalid argument";
    case ErrorKind::NotFound:
      return "not found";
    case ErrorKind::AlreadyExists:
      return "already exists";
    case ErrorKind::Denied:
      return "denied";
    case ErrorKind::Unavailable:
      return "unavailable";
    case ErrorKind::Cancelled:
      return "cancelled";
    case ErrorKind::Deadline:
      return "deadline";
    case ErrorKind::DataLoss:
      return "data loss";
    case ErrorKind::ProcessFailed:
      return "process failed";
    case ErrorKind::Unsupported:
      return "unsupported";
    case ErrorKind::Internal:
      return "internal";
  }
  return "unknown";
}

Error::Error(ErrorKind kind, std::string message)
    : data_(new Data{.kind = kind, .message = std::move(message), .hint = {}, .location = {}}) {}
Error::Error(const Error& other) : data_(new Data(*other.data_)) {}
Error& Error::operator=(const Error& other) {
  if (this != &other) {
    data_ = std::make_unique<Data>(*other.data_);
  }
  return *this;
}
Error::Error(Error&&) noexcept = default;
Error& Error::operator=(Error&&) noexcept = default;
Error::~Error() = default;

ErrorKind Error::kind() const {
  return data_->kind;
}
const std::string& Error::message() const {
  return data_->message;
}
int Error::os_errno() const {
  return data_->os_errno;
}
int Error::exit_code() const {
  return data_->exit_code;
}
const std::string& Error::hint() const {
  return data_->hint;
}
const SourceLocation* Error::location() const {
  return data_->location ? &*data_->location : nullptr;
}

Error Error::context(std::string_view what) && {
  data_->message = fmt::format("{}: {}", what, data_->message);
  return std::move(*this);
}
Error Error::with_errno(int os_errno) && {
  data_->os_errno = os_errno;
  return std::move(*this);
}
Error Error::with_exit_code(int exit_code) && {
  data_->exit_code = exit_code;
  return std::move(*this);
}
Error Error::with_hint(std::string hint) && {
  data_->hint = std::move(hint);
  return std::move(*this);
}
Error Error::at(SourceLocation location) && {
  if (!data_->location) {
    data_->location = std::move(location);
  }
  return std::move(*this);
}

namespace {

ErrorKind kind_of_errno(int os_errno) {
  switch (os_errno) {
    case ENOENT:
    case ENOTDIR:
      return ErrorKind::NotFound;
    case EEXIST:
      return ErrorKind::AlreadyExists;
    case EPERM:
    case EACCES:
    case EROFS:
      return ErrorKind::Denied;
    case EINVAL:
    case ENAMETOOLONG:
    case ELOOP:
      return ErrorKind::InvalidArgument;
    case EAGAIN:
    case EBUSY:
    case ECONNREFUSED:
    case ECONNRESET:
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
      return ErrorKind::Unavailable;
    case ENOSYS:
    case EOPNOTSUPP:
      return ErrorKind::Unsupported;
    case ECANCELED:
      return ErrorKind::Cancelled;
    case ETIMEDOUT:
      return ErrorKind::Deadline;
    default:
      return ErrorKind::Internal;
  }
}

}  // namespace

Error os_error(int os_errno, std::string_view what) {
  return make_error(kind_of_errno(os_errno), "{}: {}", what, std::strerror(os_errno))
      .with_errno(os_errno);
}

}  // namespace mybuild
