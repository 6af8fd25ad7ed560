// SPDX-License-Identifier: Apache-2.0
#include "builder/git/helper/helper_main.h"

#include "builder/git/helper/provider.h"
#include "snapshotter/base/sys.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mybuild::git {

namespace {

constexpr rlim_t kMemoryToResolve = rlim_t{512} << 20U;
constexpr rlim_t kMemoryToProvide = rlim_t{4} << 30U;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kLimitMemory = false;  // their shadows are larger than any limit
#else
constexpr bool kLimitMemory = true;
#endif

void limit(__rlimit_resource what, rlim_t value) {
  const struct rlimit wanted = {.rlim_cur = value, .rlim_max = value};
  ::setrlimit(what, &wanted);
}

/// git starts programs of its own, which a signal to git alone would leave behind.
void end_group(int) {
  ::kill(0, SIGKILL);
}

/// Nobody else's programs get our descriptors, and nothing of us outlives the builder.
void settle_in() {
  ::setsid();  // the builder did that; by hand nobody else may be in our group
  ::signal(SIGTERM, ::getpgrp() == ::getpid() ? end_group : SIG_DFL);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  ::signal(SIGPIPE, SIG_IGN);
  ::umask(022);
  limit(RLIMIT_CORE, 0);
  for (const int fd : {kRequestFd, kAnswersFd, kAgentFd}) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
}

Result<HelperResult> resolve(Session& session) {
  const Remote remote = TRY(parse_remote(session.request().remote));
  const std::vector<AdvertisedRef> refs = TRY(ask_refs(session, remote));
  const ChosenRef ref = TRY(choose_ref(refs, session.request().ref).context(shown(remote)));
  return HelperResult{.ref_name = ref.name, .object = ref.object, .commit = ref.commit, .time = 0};
}

Result<HelperResult> answer(Reporter& reporter) {
  const std::string document = TRY(sys::read_to_end(kRequestFd));
  const HelperRequest request = TRY(decode_request(document));
  const bool resolves = request.op == HelperRequest::Op::Resolve;
  if (kLimitMemory) {
    limit(RLIMIT_AS, resolves ? kMemoryToResolve : kMemoryToProvide);
  }
  Session session = TRY(Session::open(request, reporter));
  TRY(start_library(session.home()));
  return resolves ? resolve(session) : Provider(session).provide();
}

}  // namespace

int helper_main() {
  settle_in();
  Reporter reporter(kAnswersFd);
  Result<HelperResult> result = answer(reporter);
  if (result) {
    reporter.end(std::move(result).value());
  } else {
    reporter.end(std::move(result).error());
  }
  return 0;
}

}  // namespace mybuild::git
