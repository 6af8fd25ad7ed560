// SPDX-License-Identifier: Apache-2.0
#include "builder/source/git_source.h"

#include "builder/git/ref_choice.h"
#include "builder/source/git_checkout.h"
#include "snapshotter/base/guarded.h"
#include "solver/key.h"

#include <map>
#include <mutex>
#include <utility>

namespace mybuild::source {

namespace {

class HelperGitSources final : public GitSources {
 public:
  explicit HelperGitSources(GitSourceDeps deps)
      : deps_(std::make_shared<const GitSourceDeps>(std::move(deps))) {}

  Result<SourceTree> open(const solver::GitSource& source, const solver::VertexId& vertex,
                          const Cancel& cancel) override {
    GitCheckout::Wanted wanted;
    wanted.source = source;
    wanted.remote = TRY(git::parse_remote(source.remote));
    wanted.source.keep_git_dir = source.keep_git_dir && source.subdir.empty();
    wanted.resolved = TRY(resolve(source, wanted.remote, vertex, cancel));
    const git::ChosenRef ref{.name = wanted.resolved.ref_name,
                             .object = wanted.resolved.object,
                             .commit = wanted.resolved.commit};
    TRY(git::check_commit(source.checksum, ref).context(git::shown(wanted.remote)));
    wanted.id = identity(wanted);
    const std::shared_ptr<const GitCheckout> checkout = share(wanted, vertex, cancel);
    SourceTree tree;
    tree.id = wanted.id;
    tree.time = TRY(checkout->known_time());
    tree.find_time = [checkout] { return checkout->time(); };
    tree.view = checkout;
    return tree;
  }

 private:
  /// A name that somebody asks for; the others who want it wait for the answer.
  struct Question {
    std::mutex asking;
    std::optional<git::HelperResult> answer;
  };

  Result<git::HelperResult> resolve(const solver::GitSource& source, const git::Remote& remote,
                                    const solver::VertexId& vertex, const Cancel& cancel) {
    // As for BuildKit, a whole commit id says it all: where the ref stands now is not asked.
    for (const std::string& commit : {source.checksum, source.ref}) {
      if (git::is_commit_id(commit)) {
        return git::HelperResult{.ref_name = "", .object = commit, .commit = commit, .time = 0};
      }
    }
    const std::shared_ptr<Question> question = ask({git::shown(remote), source.ref});
    const std::lock_guard lock(question->asking);
    if (!question->answer) {
      git::HelperRequest request;
      request.op = git::HelperRequest::Op::Resolve;
      request.ref = source.ref;
      question->answer = TRY(run_git_helper(*deps_, remote, std::move(request), vertex, cancel));
    }
    return *question->answer;
  }

  std::shared_ptr<Question> ask(const std::pair<std::string, std::string>& name) {
    const auto questions = questions_.lock();
    std::shared_ptr<Question>& question = (*questions)[name];
    if (!question) {
      question = std::make_shared<Question>();
    }
    return question;
  }

  /// solver/key_schema.md. What .git holds differs by the name that was asked for.
  static Digest identity(const GitCheckout::Wanted& wanted) {
    solver::KeyBuilder key("mybuild.source.git.v1");
    key.add(wanted.resolved.commit).add(wanted.source.subdir);
    key.add_number(wanted.source.submodules ? 1 : 0);
    key.add_number(wanted.source.keep_git_dir ? 1 : 0);
    if (wanted.source.keep_git_dir) {
      key.add(wanted.resolved.object).add(wanted.resolved.ref_name);
      key.add(git::shown(wanted.remote));
    }
    return key.finish();
  }

  std::shared_ptr<const GitCheckout> share(const GitCheckout::Wanted& wanted,
                                           const solver::VertexId& vertex, const Cancel& cancel) {
    const auto checkouts = checkouts_.lock();
    std::shared_ptr<const GitCheckout>& checkout = (*checkouts)[wanted.id];
    if (!checkout) {
      checkout = std::make_shared<GitCheckout>(deps_, wanted, vertex, cancel);
    }
    return checkout;
  }

  const std::shared_ptr<const GitSourceDeps> deps_;
  Guarded<std::map<std::pair<std::string, std::string>, std::shared_ptr<Question>>> questions_;
  Guarded<std::map<Digest, std::shared_ptr<const GitCheckout>>> checkouts_;
};

}  // namespace

std::unique_ptr<GitSources> make_git_sources(GitSourceDeps deps) {
  return std::make_unique<HelperGitSources>(std::move(deps));
}

}  // namespace mybuild::source
