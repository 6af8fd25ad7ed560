// SPDX-License-Identifier: Apache-2.0
#include "builder/git/helper/git_program.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>

namespace mybuild::git {

namespace {

constexpr std::size_t kMaxOutput = std::size_t{256} << 20U;
constexpr std::size_t kMaxSaid = std::size_t{16} << 20U;
constexpr std::size_t kKept = std::size_t{8} << 10U;

/// Objects are not looked into as they come: what could harm is refused when it is checked out, and
/// many repositories hold something that fsck dislikes.
constexpr std::string_view kConfig = R"([safe]
	directory = *
[core]
	hooksPath = /dev/null
	fsmonitor = false
	packedGitWindowSize = 64m
	packedGitLimit = 1g
[gc]
	auto = 0
[maintenance]
	auto = false
[protocol]
	version = 2
[http]
	followRedirects = initial
	lowSpeedLimit = 1
	lowSpeedTime = 60
[transfer]
	fsckObjects = false
	bundleURI = false
[fetch]
	recurseSubmodules = false
	writeCommitGraph = false
)";

std::string in_path(const std::string& name) {
  for (const char* folder :
       {"/usr/local/sbin/", "/usr/local/bin/", "/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"}) {
    if (::access((folder + name).c_str(), X_OK) == 0) {
      return folder + name;
    }
  }
  return "";
}

/// For ssh's own quotes inside the shell's.
std::string ssh_quoted(const std::string& path) {
  std::string quoted = "\"";
  for (const char c : path) {
    quoted += c == '%' ? "%%" : std::string(1, c);
  }
  return quoted + "\"";
}

std::string shell_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return quoted + "'";
}

std::string ssh_command(const Session& session) {
  const std::string hosts = "UserKnownHostsFile=" + ssh_quoted(session.known_hosts_file());
  return "ssh -F /dev/null -oBatchMode=yes -oStrictHostKeyChecking=accept-new -oHashKnownHosts=no "
         "-oGlobalKnownHostsFile=/dev/null -oIdentityFile=none -oForwardAgent=no "
         "-oClearAllForwardings=yes -oControlPath=none -oUpdateHostKeys=no "
         "-oConnectTimeout=60 -oServerAliveInterval=30 -o" +
         shell_quoted(hosts);
}

/// Descriptors and process of one run.
class Run {
 public:
  Run(Session& session, std::string path) : session_(session), path_(std::move(path)) {}
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }

  Result<GitOutcome> go(const std::vector<std::string>& args,
                        const std::vector<std::string>& environment) {
    TRY(start(args, environment));
    while (out_ || err_) {
      TRY(pump());
    }
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    outcome_.success = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    return std::move(outcome_);
  }

 private:
  /// fork, as this process has one thread: so git dies with us, whatever kills us.
  Status start(const std::vector<std::string>& args, const std::vector<std::string>& environment) {
    Pipe out = TRY(sys::pipe());
    Pipe err = TRY(sys::pipe());
    std::vector<char*> argv = {const_cast<char*>("git")};
    for (const std::string& arg : args) {
      argv.push_back(const_cast<char*>(arg.c_str()));
    }
    argv.push_back(nullptr);
    std::vector<char*> env;
    for (const std::string& variable : environment) {
      env.push_back(const_cast<char*>(variable.c_str()));
    }
    env.push_back(nullptr);
    const pid_t own = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) {
      return os_error(errno, "start git");
    }
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::signal(SIGPIPE, SIG_DFL);
      if (::getppid() == own && ::dup2(out.write_end.get(), 1) == 1 &&
          ::dup2(err.write_end.get(), 2) == 2) {
        ::execve(path_.c_str(), argv.data(), env.data());
      }
      ::_exit(127);
    }
    out_ = std::move(out.read_end);
    err_ = std::move(err.read_end);
    return {};
  }

  Status pump() {
    std::array<struct pollfd, 2> entries = {{{.fd = out_.get(), .events = POLLIN, .revents = 0},
                                             {.fd = err_.get(), .events = POLLIN, .revents = 0}}};
    if (::poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR) {
      return os_error(errno, "wait for git");
    }
    if (entries[0].revents != 0) {
      TRY(take(out_, [this](std::string_view bytes) { outcome_.out += bytes; }));
    }
    if (entries[1].revents != 0) {
      TRY(take(err_, [this](std::string_view bytes) { hear(bytes); }));
    }
    if (outcome_.out.size() > kMaxOutput || said_ > kMaxSaid) {
      return make_error(ErrorKind::Unavailable, "the server talks without end");
    }
    return {};
  }

  template <class Use>
  Status take(Fd& fd, Use use) {
    const std::size_t size = TRY(sys::read(fd.get(), buffer_));
    if (size == 0) {
      fd.reset();
    } else {
      use(as_text(ByteSpan(buffer_).first(size)));
    }
    return {};
  }

  void hear(std::string_view bytes) {
    said_ += bytes.size();
    for (const char c : bytes) {
      if (c != '\r' && c != '\n') {
        line_ += line_.size() < kKept ? std::string(1, c) : "";
        continue;
      }
      if (!hear_progress() && !line_.empty()) {
        outcome_.said += line_ + "\n";
      }
      line_.clear();
    }
    if (outcome_.said.size() > kKept) {
      outcome_.said.erase(0, outcome_.said.size() - kKept);
    }
  }

  /// "Receiving objects:  45% (90/200), 1.2 MiB | …"
  bool hear_progress() {
    const std::size_t percent = line_.find("% (");
    const std::size_t slash = percent == std::string::npos ? percent : line_.find('/', percent);
    if (slash == std::string::npos) {
      return false;
    }
    HelperProgress progress;
    const std::size_t colon = line_.find(':');
    progress.text = line_.starts_with("Receiving")   ? "receiving objects"
                    : line_.starts_with("Resolving") ? "resolving deltas"
                    : line_.starts_with("remote:")   ? "waiting for the server"
                                                     : line_.substr(0, std::min(colon, slash));
    const char* data = line_.data();
    std::from_chars(data + percent + 3, data + slash, progress.current);
    std::from_chars(data + slash + 1, data + line_.size(), progress.total);
    progress.bytes = bytes_in(line_.substr(slash));
    session_.reporter().progress(progress);
    return true;
  }

  static std::uint64_t bytes_in(const std::string& text) {
    const std::size_t comma = text.find(", ");
    if (comma == std::string::npos) {
      return 0;
    }
    char* end = nullptr;
    const double number = std::strtod(text.c_str() + comma + 2, &end);
    const std::string_view unit(end);
    const double factor = unit.starts_with(" KiB")   ? 1024.0
                          : unit.starts_with(" MiB") ? 1048576.0
                          : unit.starts_with(" GiB") ? 1073741824.0
                                                     : 1.0;
    return number >= 0 && number < 1e12 ? static_cast<std::uint64_t>(number * factor) : 0;
  }

  Session& session_;
  std::string path_;
  pid_t pid_ = -1;
  Fd out_;
  Fd err_;
  std::string line_;
  std::size_t said_ = 0;
  GitOutcome outcome_;
  std::array<std::byte, std::size_t{64} << 10U> buffer_{};
};

bool is_progress(std::string_view line) {
  for (const std::string_view word :
       {"Enumerating objects", "Counting objects", "Compressing objects", "Total "}) {
    if (line.starts_with(word)) {
      return true;
    }
  }
  return false;
}

/// The lines that say why, without git's words in front.
std::string reason(const std::string& said) {
  std::string reasons;
  std::size_t start = 0;
  while (start < said.size()) {
    const std::size_t end = std::min(said.find('\n', start), said.size());
    std::string_view line(said.data() + start, end - start);
    start = end + 1;
    for (const std::string_view word : {"fatal: ", "error: ", "remote: "}) {
      if (line.starts_with(word)) {
        line.remove_prefix(word.size());
        if (!line.empty() && reasons.size() < 1000 && !(word == "remote: " && is_progress(line))) {
          reasons += (reasons.empty() ? "" : "; ") + std::string(line);
        }
        break;
      }
    }
  }
  reasons = reasons.empty() ? said.substr(0, 500) : reasons;
  std::replace_if(
      reasons.begin(), reasons.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return reasons.empty() ? "git failed and did not say why" : reasons;
}

}  // namespace

Result<std::optional<GitProgram>> GitProgram::find(Session& session, const Remote& remote) {
  const std::string path = in_path("git");
  if (!session.request().use_git_program || path.empty() ||
      (remote.scheme == Remote::Scheme::Ssh && in_path("ssh").empty())) {
    return std::optional<GitProgram>();
  }
  TRY(check_agent(session, remote));
  TRY(write_file(session.home() + "/gitconfig", kConfig));
  return std::optional(GitProgram(session, remote, path));
}

std::vector<std::string> GitProgram::environment() const {
  const std::string scheme(to_string(remote_->scheme));
  std::vector<std::string> env = {
      "GIT_CONFIG_NOSYSTEM=1",
      "GIT_CONFIG_GLOBAL=" + session_->home() + "/gitconfig",
      "GIT_ATTR_NOSYSTEM=1",
      "GIT_TERMINAL_PROMPT=0",
      "GIT_ASKPASS=/bin/false",
      "GIT_NO_REPLACE_OBJECTS=1",
      "GIT_SSH_VARIANT=ssh",
      "GIT_SSH_COMMAND=" + ssh_command(*session_),
      "GIT_ALLOW_PROTOCOL=" + (scheme == "http" ? "http:https" : scheme)};
  for (const char* name : {"PATH", "HOME", "LC_ALL", "SSH_AUTH_SOCK", "http_proxy", "https_proxy",
                           "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
                           "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"}) {
    if (const char* value = std::getenv(name)) {
      env.push_back(fmt::format("{}={}", name, value));
    }
  }
  // git's libcurl does not look at the usual names itself.
  if (const char* file = std::getenv("SSL_CERT_FILE")) {
    env.push_back(fmt::format("GIT_SSL_CAINFO={}", file));
  }
  if (const char* folder = std::getenv("SSL_CERT_DIR")) {
    env.push_back(fmt::format("GIT_SSL_CAPATH={}", folder));
  }
  if (const std::string header = session_->authorization(*remote_); !header.empty()) {
    // git would send the header to wherever the first answer leads.
    env.push_back("GIT_CONFIG_COUNT=2");
    env.push_back("GIT_CONFIG_KEY_1=http.followRedirects");
    env.push_back("GIT_CONFIG_VALUE_1=false");
    env.push_back(fmt::format("GIT_CONFIG_KEY_0=http.{}/.extraheader", origin(*remote_)));
    env.push_back("GIT_CONFIG_VALUE_0=Authorization: " + header);
  }
  return env;
}

Result<GitOutcome> GitProgram::run(const std::vector<std::string>& args) {
  GitOutcome outcome = TRY(Run(*session_, path_).go(args, environment()).context(shown(*remote_)));
  if (remote_->scheme == Remote::Scheme::Ssh) {
    report_accepted_keys();
  }
  return outcome;
}

void GitProgram::report_accepted_keys() {
  const Result<std::string> text = read_file(session_->known_hosts_file());
  if (!text || text->size() <= session_->known_hosts().text().size()) {
    return;
  }
  KnownHosts now;
  now.add(*text);
  for (const std::string& key : now.keys_of(known_hosts_name(remote_->host, remote_->port))) {
    (void)session_->judge_host_key(*remote_, key);
  }
}

Error GitProgram::failure(const GitOutcome& outcome) const {
  const std::string why = reason(outcome.said);
  const auto says = [&outcome](std::string_view text) {
    return outcome.said.find(text) != std::string::npos;
  };
  const std::string what = shown(*remote_);
  if (says("could not read Username") || says("could not read Password") ||
      says("Authentication failed") || says("terminal prompts disabled")) {
    return session_->authorization(*remote_).empty()
               ? make_error(ErrorKind::Denied, "{}: the server asks who you are", what)
                     .with_hint(fmt::format("give --secret id=GIT_AUTH_TOKEN.{}; or is the "
                                            "repository's name right?",
                                            host_and_port(*remote_)))
               : make_error(ErrorKind::Denied,
                            "{}: the server refuses the credentials it was given", what)
                     .with_hint("look at the secrets GIT_AUTH_TOKEN and GIT_AUTH_HEADER");
  }
  if (says("Host key verification failed")) {
    return make_error(ErrorKind::Denied, "{}: its ssh key is not the one in known_hosts", what)
        .with_hint("somebody may be between you and the server");
  }
  if (says("Permission denied (publickey")) {
    return make_error(ErrorKind::Denied, "{} accepts no key of the ssh agent", what)
        .with_hint("ssh-add -L lists the keys that the agent has");
  }
  // Of our own mirror: servers say such things behind "remote: ".
  const bool damaged = says("error: bad object") || says("fatal: bad object") ||
                       says("is corrupt") || says("unable to read");
  return make_error(damaged ? ErrorKind::DataLoss : ErrorKind::Unavailable, "{}: {}", what, why);
}

}  // namespace mybuild::git
