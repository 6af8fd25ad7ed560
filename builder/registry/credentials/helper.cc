// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/credentials/helper.h"

#include "snapshotter/base/child.h"
#include "snapshotter/base/json.h"
#include "snapshotter/base/sys.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

namespace mybuild::registry {

namespace {

using Clock = std::chrono::steady_clock;

/// Long enough for somebody to unlock a keyring.
constexpr std::chrono::seconds kTimeLimit{60};
constexpr std::size_t kMaxAnswer = 1 << 20;
constexpr std::string_view kNoCredentials = "credentials not found in native keychain";
constexpr std::string_view kNoServer = "no credentials server URL";
/// In place of a user name: the secret is an identity token.
constexpr char kTokenUser[] = "<token>";

struct Answer {
  ExitStatus status;
  std::string text;    // standard output
  std::string errors;  // standard error
};

bool is_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

/// What a person reads of it: one line, no control characters.
std::string one_line(std::string_view text) {
  constexpr std::size_t kShown = 200;
  std::string line;
  for (const char c : text.substr(0, kShown)) {
    line += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  }
  while (line.ends_with(' ')) {
    line.pop_back();
  }
  return line;
}

Result<std::string> contents(const Fd& file) {
  if (::lseek(file.get(), 0, SEEK_SET) < 0) {
    return os_error(errno, "read a credential helper's messages");
  }
  return sys::read_to_end(file.get());
}

/// Its whole answer, as long as time and cancel allow.
Result<std::string> read_answer(const Fd& output, const std::string& program,
                                const Cancel& cancel) {
  std::string text;
  std::array<char, 4096> buffer;
  const Clock::time_point end = Clock::now() + kTimeLimit;
  for (;;) {
    TRY(cancel.check());
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    if (left.count() <= 0) {
      return make_error(ErrorKind::Deadline, "{} does not answer within {} s", program,
                        kTimeLimit.count());
    }
    std::array<pollfd, 2> waits{pollfd{output.get(), POLLIN, 0}, pollfd{cancel.fd(), POLLIN, 0}};
    if (::poll(waits.data(), waits.size(), static_cast<int>(left.count())) < 0 && errno != EINTR) {
      return os_error(errno, "wait for " + program);
    }
    if (waits[0].revents == 0) {
      continue;
    }
    const std::size_t count =
        TRY(sys::read(output.get(), std::as_writable_bytes(std::span(buffer))));
    if (count == 0) {
      return text;
    }
    text.append(buffer.data(), count);
    if (text.size() > kMaxAnswer) {
      return invalid_argument("{} answers with more than {} bytes", program, kMaxAnswer);
    }
  }
}

std::vector<std::string> environment() {
  std::vector<std::string> list;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    list.emplace_back(*entry);
  }
  return list;
}

Result<Answer> call(const std::string& name, const char* verb, const std::string& input,
                    const Cancel& cancel) {
  if (!is_name(name)) {
    return invalid_argument("\"{}\" is not the name of a credential helper", one_line(name))
        .with_hint("credsStore and credHelpers hold what follows \"docker-credential-\"");
  }
  const std::string program = "docker-credential-" + name;
  // A file in memory, so that a program that reads nothing blocks nobody.
  const Fd request = TRY(sys::memfd("credential-request"));
  const Fd errors = TRY(sys::memfd("credential-errors"));
  TRY(sys::write_all(request.get(), as_bytes(input)));
  if (::lseek(request.get(), 0, SEEK_SET) < 0) {
    return os_error(errno, "ask " + program);
  }
  Pipe output = TRY(sys::pipe());
  Child::Options options;
  options.argv = {program, verb};
  options.env = environment();
  options.fds = {{request.get(), 0}, {output.write_end.get(), 1}, {errors.get(), 2}};
  Result<Child> child = Child::spawn(options);
  if (!child) {
    return Error(child.error())
        .context("ask the credential helper " + program)
        .with_hint(
            "is it installed, and in PATH? credsStore and credHelpers of docker's "
            "config.json name it");
  }
  output.write_end.reset();
  Answer answer;
  answer.text = TRY(read_answer(output.read_end, program, cancel));
  answer.status = TRY(child->wait());
  answer.errors = TRY(contents(errors));
  return answer;
}

bool says(const Answer& answer, std::string_view words) {
  return answer.text.find(words) != std::string::npos ||
         answer.errors.find(words) != std::string::npos;
}

/// What it says of its failure; never what it says of a success, which may be the secret.
Error failed(const std::string& name, const char* verb, const Answer& answer) {
  const std::string words = one_line(answer.text.empty() ? answer.errors : answer.text);
  return make_error(ErrorKind::ProcessFailed, "docker-credential-{} {} failed: {}", name, verb,
                    words.empty() ? fmt::format("exit code {}", answer.status.code) : words);
}

}  // namespace

Result<std::optional<Credential>> helper_get(const std::string& name, const std::string& server,
                                             const Cancel& cancel) {
  const Answer answer = TRY(call(name, "get", server, cancel));
  if (!answer.status.success()) {
    if (says(answer, kNoCredentials) || says(answer, kNoServer)) {
      return std::optional<Credential>();
    }
    return failed(name, "get", answer);
  }
  const std::string what = "answer of docker-credential-" + name;
  const Json json = TRY(parse_json(answer.text).context(what));
  const JsonField root(json, what);
  const std::string user = TRY(TRY(root.field("Username")).string_or(""));
  const std::string secret = TRY(TRY(root.field("Secret")).string_or(""));
  if (user.empty() && secret.empty()) {
    return std::optional<Credential>();
  }
  Credential credential;
  if (user == kTokenUser) {
    credential.identity_token = secret;
  } else {
    credential.username = user;
    credential.password = secret;
  }
  return std::optional(std::move(credential));
}

Status helper_store(const std::string& name, const std::string& server,
                    const Credential& credential, const Cancel& cancel) {
  const bool token = !credential.identity_token.empty();
  const Json request = {{"ServerURL", server},
                        {"Username", token ? kTokenUser : credential.username},
                        {"Secret", token ? credential.identity_token : credential.password}};
  const Answer answer = TRY(call(name, "store", canonical_dump(request), cancel));
  return answer.status.success() ? Status() : failed(name, "store", answer);
}

Status helper_erase(const std::string& name, const std::string& server, const Cancel& cancel) {
  const Answer answer = TRY(call(name, "erase", server, cancel));
  const bool nothing = says(answer, kNoCredentials);
  return answer.status.success() || nothing ? Status() : failed(name, "erase", answer);
}

}  // namespace mybuild::registry
