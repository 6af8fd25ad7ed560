// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value or an Error. The API is a subset of std::expected<T, Error>, so that a later
// switch is a rename. TRY(expr) gives the value or returns the error from the calling function. It
// must be a whole statement or the whole right-hand side of an initialisation: inside a braced
// initialiser g++ 12 and clang 14 leak the members already built.
#pragma once

#include "snapshotter/base/error.h"

#include <type_traits>
#include <utility>
#include <variant>

namespace mybuild {

template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}
  template <class U>
  requires(std::is_convertible_v<U, T> && !std::is_same_v<std::remove_cvref_t<U>, T> &&
           !std::is_same_v<std::remove_cvref_t<U>, Error> &&
           !std::is_same_v<std::remove_cvref_t<U>, Result>) Result(U&& value)
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & { return *std::get_if<0>(&state_); }
  const T& value() const& { return *std::get_if<0>(&state_); }
  T value() && { return std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T operator*() && { return std::move(*this).value(); }
  T* operator->() { return std::get_if<0>(&state_); }
  const T* operator->() const { return std::get_if<0>(&state_); }
  template <class U>
  T value_or(U&& fallback) const& {
    return has_value() ? value() : static_cast<T>(std::forward<U>(fallback));
  }

  Error& error() & { return *std::get_if<1>(&state_); }
  const Error& error() const& { return *std::get_if<1>(&state_); }
  Error error() && { return std::move(*std::get_if<1>(&state_)); }

  /// Puts `what` in front of the error's message, if there is one.
  Result context(std::string_view what) && {
    if (!has_value()) {
      return std::move(*this).error().context(what);
    }
    return std::move(*this);
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  void value() const {}
  Error& error() & { return *std::get_if<1>(&state_); }
  const Error& error() const& { return *std::get_if<1>(&state_); }
  Error error() && { return std::move(*std::get_if<1>(&state_)); }

  Result context(std::string_view what) && {
    if (!has_value()) {
      return std::move(*this).error().context(what);
    }
    return {};
  }

 private:
  std::variant<std::monostate, Error> state_;
};

using Status = Result<void>;

#define MYBUILD_TRY_NAME2(line) try_result_##line
#define MYBUILD_TRY_NAME(line) MYBUILD_TRY_NAME2(line)
#define MYBUILD_TRY(name, ...)            \
  __extension__({                         \
    auto name = (__VA_ARGS__);            \
    if (!name.has_value()) [[unlikely]] { \
      return std::move(name).error();     \
    }                                     \
    std::move(name).value();              \
  })
#define TRY(...) MYBUILD_TRY(MYBUILD_TRY_NAME(__COUNTER__), __VA_ARGS__)

}  // namespace mybuild
