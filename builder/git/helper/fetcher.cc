// SPDX-License-Identifier: Apache-2.0
#include "builder/git/helper/fetcher.h"

#include "builder/git/helper/connection.h"
#include "builder/git/helper/git_program.h"
#include "snapshotter/base/digest.h"

#include <sys/stat.h>

#include <algorithm>
#include <optional>

namespace mybuild::git {

namespace {

constexpr const char* kBranches = "+refs/heads/*:refs/mybuild/all/heads/*";
constexpr const char* kTags = "+refs/tags/*:refs/mybuild/all/tags/*";

/// One way to ask a server for a commit.
struct Attempt {
  bool shallow = false;
  std::vector<std::string> refspecs;
};

Attempt by_id(const Wanted& wanted, bool shallow) {
  return {shallow, {fmt::format("+{0}:refs/mybuild/{0}", wanted.object)}};
}

Attempt by_name(const Wanted& wanted, bool shallow) {
  const std::string hash = Digest::of(wanted.ref_name).hex();
  return {shallow, {fmt::format("+{}:refs/mybuild/by-name/{}", wanted.ref_name, hash)}};
}

Attempt all() {
  return {false, {kBranches, kTags}};
}

class Fetch {
 public:
  Fetch(Session& session, const Wanted& wanted, Mirror& mirror)
      : session_(session), wanted_(wanted), mirror_(mirror), url_(wanted.remote) {}

  /// The mirror has the commit afterwards.
  Status run() {
    oid_ = TRY(parse_oid(wanted_.object));
    if (mirror_.is_damaged(oid_)) {
      TRY(mirror_.discard());
    }
    Status fetched = fetch();
    if (!fetched && fetched.error().kind() == ErrorKind::DataLoss) {
      TRY(mirror_.discard());
      fetched = fetch();
    }
    return fetched;
  }

 private:
  Status fetch() {
    std::optional<GitProgram> program = TRY(GitProgram::find(session_, wanted_.remote));
    if (!program) {
      return with_library();
    }
    Status fetched = with_program(*program);
    // With credentials git follows no redirect; forges send to the name with .git mostly, and
    // libgit2 follows on the same host.
    if (is_redirect(fetched) && !url_.path.ends_with(".git")) {
      url_.path += ".git";
      fetched = with_program(*program);
    }
    return is_redirect(fetched) ? with_library() : fetched;
  }

  static bool is_redirect(const Status& fetched) {
    return !fetched && fetched.error().message().find("returned error: 30") != std::string::npos;
  }

  bool has_name() const { return is_ref_name(wanted_.ref_name); }
  bool arrived() const { return mirror_.find(oid_) != nullptr; }

  Error not_there() const {
    return not_found("{}: it has no commit {} that a branch or tag leads to", shown(wanted_.remote),
                     wanted_.object)
        .with_hint("was it pushed, or replaced by a force push?");
  }

  /// What can be had without its history, then what old and dumb servers give.
  Status with_program(GitProgram& program) {
    std::vector<Attempt> attempts = {by_id(wanted_, true)};
    if (has_name()) {
      attempts.push_back(by_name(wanted_, true));
      attempts.push_back(by_name(wanted_, false));
    }
    attempts.push_back(all());
    const Repository repository = TRY(mirror_.prepare(Mirror::Kind::Shallow));
    for (const Attempt& attempt : attempts) {
      const GitOutcome outcome = TRY(program.run(arguments(attempt)));
      if (arrived()) {
        return {};
      }
      if (!outcome.success && !may_go_on(outcome.said)) {
        return program.failure(outcome);
      }
    }
    return not_there();
  }

  std::vector<std::string> arguments(const Attempt& attempt) const {
    const std::string path = mirror_.path(Mirror::Kind::Shallow);
    // A mirror that a power cut tore would be found damaged by every later build. Git before 2.36
    // knows nothing of this and syncs packs.
    std::vector<std::string> args = {"-c",
                                     "core.fsync=committed,loose-object",
                                     "-c",
                                     "core.fsyncMethod=batch",
                                     "--git-dir=" + path,
                                     "fetch",
                                     "--no-tags",
                                     "--no-write-fetch-head",
                                     "--force",
                                     "--progress",
                                     "--no-recurse-submodules"};
    struct stat info {};
    if (attempt.shallow) {
      args.emplace_back("--depth=1");
    } else if (::stat((path + "/shallow").c_str(), &info) == 0 && info.st_size > 0) {
      args.emplace_back("--unshallow");
    }
    if (attempt.refspecs.size() > 1) {
      args.emplace_back("--prune");
    }
    args.emplace_back("--");
    args.push_back(shown(url_));
    args.insert(args.end(), attempt.refspecs.begin(), attempt.refspecs.end());
    return args;
  }

  /// The server does not give what was asked for in this way; it may in another.
  static bool may_go_on(const std::string& said) {
    const auto says = [&said](std::string_view text) {
      return said.find(text) != std::string::npos;
    };
    return says("not our ref") || says("unadvertised object") || says("shallow") ||
           says("remote ref") || says("depth") || says("did not send all necessary objects");
  }

  Status with_library() {
    std::vector<Attempt> attempts;
    if (has_name()) {
      attempts.push_back(by_name(wanted_, false));
    }
    attempts.push_back(by_id(wanted_, false));
    attempts.push_back(all());
    const Repository repository = TRY(mirror_.prepare(Mirror::Kind::Full));
    for (const Attempt& attempt : attempts) {
      const Status fetched =
          fetch_all(session_, wanted_.remote, repository.get(), attempt.refspecs);
      if (arrived()) {
        return {};
      }
      const bool last = attempt.refspecs.size() > 1;
      if (!fetched && (last || fetched.error().kind() == ErrorKind::Denied)) {
        return fetched.error();
      }
    }
    return not_there();
  }

  Session& session_;
  const Wanted& wanted_;
  Mirror& mirror_;
  Remote url_;  // as the git program is to ask for it
  git_oid oid_{};
};

std::vector<AdvertisedRef> parse_ls_remote(const std::string& text) {
  std::vector<AdvertisedRef> refs;
  std::string head;
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::string line = text.substr(start, end - start);
    start = end + 1;
    const std::size_t tab = line.find('\t');
    if (tab == std::string::npos) {
      continue;
    }
    const std::string left = line.substr(0, tab);
    const std::string name = line.substr(tab + 1);
    if (left.starts_with("ref: ") && name == "HEAD" && is_ref_name(left.substr(5))) {
      head = left.substr(5);
    } else if (is_commit_id(left) && is_ref_name(name)) {
      refs.push_back({.name = name, .object = left, .symref = name == "HEAD" ? head : ""});
    }
  }
  return refs;
}

bool library_may_be_the_cause(const Error& error, const Remote& remote) {
  return (remote.scheme == Remote::Scheme::Https || remote.scheme == Remote::Scheme::Http) &&
         error.kind() == ErrorKind::Unavailable;
}

bool is_missing(const Error& error) {
  return error.message().ends_with("status code: 404");
}

}  // namespace

Result<Located> locate(Session& session, const Wanted& wanted) {
  const git_oid oid = TRY(parse_oid(wanted.object));
  Mirror mirror = TRY(Mirror::open(session.request().mirrors, wanted.remote, session.reporter()));
  TRY(mirror.lock(FileLock::Mode::Shared));
  Repository repository = mirror.find(oid);
  if (!repository) {
    TRY(mirror.lock(FileLock::Mode::Exclusive));
    if (!mirror.find(oid)) {
      TRY(Fetch(session, wanted, mirror).run());
    }
    TRY(mirror.lock(FileLock::Mode::Shared));
    repository = mirror.find(oid);
  }
  if (!repository) {
    return data_loss("{}: commit {} was fetched and is gone", shown(wanted.remote), wanted.object);
  }
  return Located{std::move(mirror), std::move(repository)};
}

Result<std::vector<AdvertisedRef>> ask_refs(Session& session, const Remote& remote) {
  Result<std::vector<AdvertisedRef>> refs = list_refs(session, remote);
  if (!refs && is_missing(refs.error())) {
    return not_found("{}: there is no repository (the server says 404)", shown(remote))
        .with_hint(session.authorization(remote).empty()
                       ? fmt::format("if it is there for some only: --secret id=GIT_AUTH_TOKEN.{}",
                                     host_and_port(remote))
                       : "or the token may not read it");
  }
  if (!refs && refs.error().message().find("cannot redirect from") != std::string::npos) {
    return make_error(ErrorKind::Denied,
                      "{}: the server sends requests to another host, where "
                      "credentials must not go",
                      shown(remote))
        .with_hint("use the URL that it sends to");
  }
  if (refs || !library_may_be_the_cause(refs.error(), remote)) {
    return refs;
  }
  std::optional<GitProgram> program = TRY(GitProgram::find(session, remote));
  if (!program) {
    return std::move(refs).error().with_hint(
        "if it is a plain web server or sends you elsewhere: mybuild needs the git program for it");
  }
  const GitOutcome outcome = TRY(program->run({"ls-remote", "--symref", "--", shown(remote)}));
  if (!outcome.success) {
    return program->failure(outcome);
  }
  return parse_ls_remote(outcome.out);
}

}  // namespace mybuild::git
