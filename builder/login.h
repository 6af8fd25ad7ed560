// SPDX-License-Identifier: Apache-2.0
// Logging in to a registry and out again: asked there first, then kept where docker keeps it. Needs
// no state directory. Thread-safe.
#pragma once

#include "snapshotter/base/cancel.h"
#include "snapshotter/base/result.h"

#include <optional>
#include <string>
#include <vector>

namespace mybuild::builder {

/// Docker Hub, which is meant when no registry is named.
inline constexpr char kDefaultRegistry[] = "docker.io";

struct LoginRequest {
  std::string registry = kDefaultRegistry;
  std::string username;
  std::string password;
  std::vector<std::string> insecure_registries;
};

struct LoginReport {
  std::string unencrypted;  // the file that the password is readable in; empty: it is not in a file
};

/// The registry that an argument means: docker takes addresses with scheme and path, too. Fails
/// when it is none.
Result<std::string> registry_of(const std::string& argument);

/// Denied when the registry does not take it; nothing is stored then.
Result<LoginReport> login(const LoginRequest& request, const Cancel& cancel);
/// With what is stored already; the user's name, or nullopt when nothing is or it is not taken any
/// more.
Result<std::optional<std::string>> login_again(const LoginRequest& request, const Cancel& cancel);
/// The name that is stored; nullopt when there is none.
std::optional<std::string> stored_user(const std::string& registry, const Cancel& cancel);
/// False when nobody was logged in.
Result<bool> logout(const std::string& registry, const Cancel& cancel);

}  // namespace mybuild::builder
