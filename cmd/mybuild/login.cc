// SPDX-License-Identifier: Apache-2.0
#include "builder/login.h"

#include "cmd/mybuild/cli/login_options.h"
#include "cmd/mybuild/cli/prompt.h"
#include "cmd/mybuild/progress/report.h"
#include "cmd/mybuild/verbs.h"
#include "cmd/mybuild/work.h"
#include "snapshotter/base/log.h"

#include <fmt/format.h>

#include <unistd.h>

namespace mybuild::cli {

namespace {

constexpr char kDone[] = "Login Succeeded\n";
constexpr char kPasswordSeen[] =
    "WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n";

void warn_unencrypted(const std::string& path) {
  print_err(
      fmt::format("\nWARNING! Your credentials are stored unencrypted in '{}'.\n"
                  "Configure a credential helper to remove this warning: \"credsStore\" in that "
                  "file.\n\n",
                  path));
}

/// As docker: what is stored is tried before anybody is asked.
Result<bool> done_with_stored(const builder::LoginRequest& request, const Cancel& cancel) {
  const auto known = builder::stored_user(request.registry, cancel);
  if (!known) {
    return false;
  }
  print_err(fmt::format("Authenticating with existing credentials...{}\n",
                        known->empty() ? "" : " [Username: " + *known + "]"));
  const auto user = TRY(builder::login_again(request, cancel));
  if (!user) {
    print_err("The stored login is not taken any more.\n");
  }
  return user.has_value();
}

/// Fills in what the command line does not say.
Status ask_for_rest(const LoginOptions& options, builder::LoginRequest& request,
                    const Cancel& cancel) {
  if (options.password_stdin) {
    request.password = TRY(read_secret_from_stdin(cancel));
  } else if (options.password) {
    request.password = *options.password;
  }
  const bool complete = !request.username.empty() && !request.password.empty();
  if (!complete && !options.password_stdin && ::isatty(STDIN_FILENO) == 0) {
    return invalid_argument("Cannot perform an interactive login from a non-TTY device")
        .with_hint("give --username, and the password on standard input of --password-stdin");
  }
  if (request.username.empty()) {
    request.username = TRY(ask("Username: ", Echo::On, cancel));
  }
  if (request.username.empty()) {
    return invalid_argument("username is empty");
  }
  if (request.password.empty() && !options.password_stdin) {
    request.password = TRY(ask("Password: ", Echo::Off, cancel));
  }
  return request.password.empty() ? invalid_argument("password is empty") : Status();
}

Status log_in(const LoginOptions& options, const Cancel& cancel) {
  builder::LoginRequest request;
  if (!options.server.empty()) {
    request.registry = TRY(builder::registry_of(options.server));
  }
  request.username = options.username;
  request.insecure_registries = options.global.insecure_registries;
  if (options.password) {
    print_err(kPasswordSeen);
  }
  const bool nothing_given = options.username.empty() && !options.password;
  if (nothing_given && TRY(done_with_stored(request, cancel))) {
    return print_out(kDone);
  }
  TRY(ask_for_rest(options, request, cancel));
  const builder::LoginReport report = TRY(builder::login(request, cancel));
  if (!report.unencrypted.empty()) {
    warn_unencrypted(report.unencrypted);
  }
  return print_out(kDone);
}

}  // namespace

int login_verb(std::span<const std::string> args) {
  const auto reading = read_command(kLoginCommand, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  log::enable_debug(reading.options->global.debug);
  auto gate = SignalGate::open();  // before the first thread
  if (!gate) {
    return fail(gate.error());
  }
  const Status result =
      run_guarded(*gate, [&](Cancel& cancel) { return log_in(*reading.options, cancel); });
  if (result) {
    return 0;
  }
  return fail(result.error(), gate->first_signal() ? 128 + *gate->first_signal() : 1);
}

}  // namespace mybuild::cli
