// SPDX-License-Identifier: Apache-2.0
#include "builder/git/helper/connection.h"

#include <pwd.h>
#include <unistd.h>

#include <cstring>
#include <optional>

namespace mybuild::git {

namespace {

constexpr std::size_t kMaxRefs = 2'000'000;
constexpr std::size_t kMaxServerText = std::size_t{16} << 20U;
constexpr std::size_t kMaxReceived = std::size_t{64} << 30U;
constexpr std::string_view kPeeled = "^{}";

/// What libgit2 calls back with, and why one of the calls said no.
class Calls {
 public:
  Calls(Session& session, const Remote& remote) : session_(session), remote_(remote) {}

  git_remote_callbacks callbacks() {
    git_remote_callbacks calls = GIT_REMOTE_CALLBACKS_INIT;
    calls.credentials = on_credentials;
    calls.certificate_check = on_certificate;
    calls.transfer_progress = on_progress;
    calls.sideband_progress = on_text;
    calls.payload = this;
    return calls;
  }

  /// The error of a library call, ours first.
  Status judge(int code, std::string_view what) {
    if (code >= 0) {
      return {};
    }
    return error_ ? std::move(*error_).context(what) : library_error(code, what);
  }

 private:
  int refuse(Error error) {
    error_ = std::move(error);
    git_error_set_str(GIT_ERROR_CALLBACK, error_->message().c_str());
    return GIT_EUSER;
  }

  static int on_credentials(git_credential** out, const char*, const char* user, unsigned allowed,
                            void* payload) {
    return static_cast<Calls*>(payload)->give_credentials(out, user, allowed);
  }

  int give_credentials(git_credential** out, const char* user, unsigned allowed) {
    if (remote_.scheme != Remote::Scheme::Ssh) {
      return refuse(
          session_.authorization(remote_).empty()
              ? make_error(ErrorKind::Denied, "the server asks who you are")
                    .with_hint(fmt::format(
                        "give --secret id=GIT_AUTH_TOKEN.{}; or is the repository's name right?",
                        host_and_port(remote_)))
              : make_error(ErrorKind::Denied, "the server refuses the credentials it was given")
                    .with_hint("look at the secrets GIT_AUTH_TOKEN and GIT_AUTH_HEADER"));
    }
    if ((allowed & GIT_CREDENTIAL_USERNAME) != 0) {
      return git_credential_username_new(out, user_name().c_str());
    }
    if ((allowed & GIT_CREDENTIAL_SSH_KEY) == 0 || asked_) {
      return refuse(make_error(ErrorKind::Denied, "{} accepts no key of the ssh agent",
                               host_and_port(remote_))
                        .with_hint("ssh-add -L lists the keys that the agent has"));
    }
    asked_ = true;
    return git_credential_ssh_key_from_agent(out, user == nullptr ? user_name().c_str() : user);
  }

  std::string user_name() const {
    if (!remote_.user.empty()) {
      return remote_.user;
    }
    const struct passwd* own = ::getpwuid(::getuid());
    return own == nullptr ? "git" : own->pw_name;
  }

  /// Called before anything is sent, credentials above all. What is not refused here is accepted.
  static int on_certificate(git_cert* certificate, int valid, const char* host, void* payload) {
    auto* calls = static_cast<Calls*>(payload);
    if (certificate == nullptr || certificate->cert_type != GIT_CERT_HOSTKEY_LIBSSH2) {
      return valid == 1
                 ? 0
                 : calls->refuse(make_error(ErrorKind::Denied,
                                            "the TLS certificate of {} does not verify", host)
                                     .with_hint("SSL_CERT_FILE names a file with other "
                                                "authorities to trust"));
    }
    const auto* key = reinterpret_cast<const git_cert_hostkey*>(certificate);
    if ((key->type & GIT_CERT_SSH_RAW) == 0) {
      return calls->refuse(make_error(ErrorKind::Denied, "the server shows no ssh key"));
    }
    Status judged =
        calls->session_.judge_host_key(calls->remote_, {key->hostkey, key->hostkey_len});
    return judged ? 0 : calls->refuse(std::move(judged).error());
  }

  static int on_progress(const git_indexer_progress* stats, void* payload) {
    auto* calls = static_cast<Calls*>(payload);
    if (stats->received_bytes > kMaxReceived) {
      return calls->refuse(make_error(ErrorKind::Unsupported, "the server sends more than 64 GiB"));
    }
    const bool receiving = stats->received_objects < stats->total_objects;
    calls->session_.reporter().progress(
        {.text = receiving ? "receiving objects" : "resolving deltas",
         .current = receiving ? stats->received_objects : stats->indexed_deltas,
         .total = receiving ? stats->total_objects : stats->total_deltas,
         .bytes = stats->received_bytes});
    return 0;
  }

  static int on_text(const char*, int size, void* payload) {
    auto* calls = static_cast<Calls*>(payload);
    calls->text_ += static_cast<std::size_t>(size);
    if (calls->text_ > kMaxServerText) {
      return calls->refuse(make_error(ErrorKind::Unavailable, "the server talks without end"));
    }
    calls->session_.reporter().progress({.text = "waiting for the server"});
    return 0;
  }

  Session& session_;
  const Remote& remote_;
  bool asked_ = false;
  std::size_t text_ = 0;
  std::optional<Error> error_;
};

/// With a header of ours redirects are followed on the same host only (so libgit2 reads NONE).
class Headers {
 public:
  explicit Headers(const std::string& authorization)
      : line_(authorization.empty() ? "" : "Authorization: " + authorization) {}
  git_strarray array() { return {.strings = &pointer_, .count = line_.empty() ? 0U : 1U}; }
  git_remote_redirect_t redirects() const {
    return line_.empty() ? GIT_REMOTE_REDIRECT_INITIAL : GIT_REMOTE_REDIRECT_NONE;
  }

 private:
  std::string line_;
  char* pointer_ = line_.data();
};

std::string library_url(const Remote& remote) {
  return remote.scheme == Remote::Scheme::File ? file_path(remote) : shown(remote);
}

/// libgit2 takes a path without a repository for an unknown protocol.
Status check_there(const Remote& remote) {
  if (remote.scheme != Remote::Scheme::File) {
    return {};
  }
  git_repository* opened = nullptr;
  const int code = git_repository_open_ext(&opened, file_path(remote).c_str(),
                                           GIT_REPOSITORY_OPEN_NO_SEARCH, nullptr);
  const Repository repository(opened);
  return code == 0 ? Status()
                   : not_found("{}: no git repository is there", shown(remote))
                         .with_hint("the path must lead to a repository, or to what has a .git");
}

}  // namespace

bool is_ref_name(const std::string& name) {
  const std::string plain = name.ends_with(kPeeled) ? name.substr(0, name.size() - 3) : name;
  int valid = 0;
  return git_reference_name_is_valid(&valid, plain.c_str()) == 0 && valid == 1 &&
         (plain == "HEAD" || plain.starts_with("refs/"));
}

Result<std::vector<AdvertisedRef>> list_refs(Session& session, const Remote& remote) {
  TRY(check_there(remote));
  TRY(check_agent(session, remote));
  session.reporter().progress({.text = "asking " + shown(remote)});
  git_remote* made = nullptr;
  TRY(check(git_remote_create_detached(&made, library_url(remote).c_str()), shown(remote)));
  const RemoteHandle handle(made);
  Calls calls(session, remote);
  Headers headers(session.authorization(remote));
  git_remote_connect_options options = GIT_REMOTE_CONNECT_OPTIONS_INIT;
  options.callbacks = calls.callbacks();
  options.proxy_opts.type = GIT_PROXY_AUTO;
  options.follow_redirects = headers.redirects();
  options.custom_headers = headers.array();
  TRY(calls.judge(git_remote_connect_ext(handle.get(), GIT_DIRECTION_FETCH, &options),
                  shown(remote)));
  const git_remote_head** heads = nullptr;
  std::size_t count = 0;
  TRY(calls.judge(git_remote_ls(&heads, &count, handle.get()), shown(remote)));
  if (count > kMaxRefs) {
    return make_error(ErrorKind::Unsupported, "{}: more than {} refs", shown(remote), kMaxRefs);
  }
  std::vector<AdvertisedRef> refs;
  for (std::size_t i = 0; i < count; ++i) {
    AdvertisedRef ref{.name = heads[i]->name, .object = hex(heads[i]->oid), .symref = ""};
    if (heads[i]->symref_target != nullptr && is_ref_name(heads[i]->symref_target)) {
      ref.symref = heads[i]->symref_target;
    }
    if (is_ref_name(ref.name)) {
      refs.push_back(std::move(ref));
    }
  }
  return refs;
}

Status fetch_all(Session& session, const Remote& remote, git_repository* repository,
                 const std::vector<std::string>& refspecs) {
  TRY(check_agent(session, remote));
  session.reporter().progress({.text = "asking " + shown(remote)});
  git_remote* made = nullptr;
  TRY(check(git_remote_create_anonymous(&made, repository, library_url(remote).c_str()),
            shown(remote)));
  const RemoteHandle handle(made);
  Calls calls(session, remote);
  Headers headers(session.authorization(remote));
  git_fetch_options options = GIT_FETCH_OPTIONS_INIT;
  options.callbacks = calls.callbacks();
  options.proxy_opts.type = GIT_PROXY_AUTO;
  options.follow_redirects = headers.redirects();
  options.custom_headers = headers.array();
  options.update_fetchhead = 0;
  options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
  std::vector<std::string> specs = refspecs;
  std::vector<char*> pointers;
  for (std::string& spec : specs) {
    pointers.push_back(spec.data());
  }
  const git_strarray wanted{.strings = pointers.data(), .count = pointers.size()};
  return calls.judge(git_remote_fetch(handle.get(), &wanted, &options, nullptr), shown(remote));
}

}  // namespace mybuild::git
