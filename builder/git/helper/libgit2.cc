// SPDX-License-Identifier: Apache-2.0
#include "builder/git/helper/libgit2.h"

#include <algorithm>
#include <cstdlib>

namespace mybuild::git {

namespace {

constexpr std::size_t kMapWindow = std::size_t{64} << 20U;
constexpr std::size_t kMapLimit = std::size_t{1} << 30U;
constexpr std::size_t kLongestMessage = 500;

std::string printable(std::string_view text) {
  std::string clean(text.substr(0, kLongestMessage));
  std::replace_if(
      clean.begin(), clean.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return clean;
}

ErrorKind kind_of(int code, const git_error* error) {
  switch (code) {
    case GIT_ENOTFOUND:
      return ErrorKind::NotFound;
    case GIT_EAUTH:
    case GIT_ECERTIFICATE:
      return ErrorKind::Denied;
    case GIT_EINVALIDSPEC:
      return ErrorKind::InvalidArgument;
    case GIT_EMISMATCH:
      return ErrorKind::DataLoss;
    default:
      break;
  }
  const int source = error == nullptr ? GIT_ERROR_NONE : error->klass;
  switch (source) {
    case GIT_ERROR_NOMEMORY:
      return ErrorKind::Unsupported;
    case GIT_ERROR_NET:
    case GIT_ERROR_HTTP:
    case GIT_ERROR_SSH:
    case GIT_ERROR_SSL:
      return ErrorKind::Unavailable;
    case GIT_ERROR_ODB:
    case GIT_ERROR_OBJECT:
    case GIT_ERROR_INDEXER:
    case GIT_ERROR_ZLIB:
    case GIT_ERROR_TREE:
      return ErrorKind::DataLoss;
    default:
      return ErrorKind::Internal;
  }
}

}  // namespace

Status start_library(const std::string& home) {
  TRY(check(git_libgit2_init(), "start libgit2"));
  for (const int level : {GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_XDG,
                          GIT_CONFIG_LEVEL_PROGRAMDATA}) {
    const char* path = level == GIT_CONFIG_LEVEL_GLOBAL ? home.c_str() : "/nonexistent";
    TRY(check(git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, path), "set up libgit2"));
  }
  git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
  git_libgit2_opts(GIT_OPT_SET_TEMPLATE_PATH, "/nonexistent");
  git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, kMapWindow);
  git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, kMapLimit);
  // Mirrors are in our own store; a repository of the machine is read for the one who named it.
  git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
  const char* file = std::getenv("SSL_CERT_FILE");
  const char* directory = std::getenv("SSL_CERT_DIR");
  if (file != nullptr || directory != nullptr) {
    TRY(check(git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, file, directory),
              "read the certificates that SSL_CERT_FILE and SSL_CERT_DIR name"));
  }
  return {};
}

Error library_error(int code, std::string_view what) {
  const git_error* error = git_error_last();
  const std::string text =
      error == nullptr || error->message == nullptr ? "" : printable(error->message);
  const ErrorKind kind = kind_of(code, error);
  if (error != nullptr && error->klass == GIT_ERROR_NOMEMORY) {
    return make_error(kind, "{}: the answer needs more memory than git is given", what)
        .with_hint("no sound repository does; the server may be broken, or mean harm");
  }
  return text.empty() ? make_error(kind, "{}: libgit2 says {}", what, code)
                      : make_error(kind, "{}: {}", what, text);
}

Result<git_oid> parse_oid(const std::string& text) {
  git_oid oid{};
  if (text.size() != GIT_OID_HEXSZ || git_oid_fromstr(&oid, text.c_str()) != 0) {
    return invalid_argument("'{}' is no object id of 40 digits", printable(text));
  }
  return oid;
}

std::string hex(const git_oid& oid) {
  std::string text(GIT_OID_HEXSZ, '0');
  git_oid_fmt(text.data(), &oid);
  return text;
}

Result<Commit> lookup_commit(git_repository* repository, const git_oid& oid) {
  const Object object =
      TRY(lookup<Object>(repository, oid, GIT_OBJECT_ANY, fmt::format("read object {}", hex(oid))));
  git_object* peeled = nullptr;
  if (git_object_peel(&peeled, object.get(), GIT_OBJECT_COMMIT) < 0) {
    return invalid_argument("{} is a {} and leads to no commit", hex(oid),
                            git_object_type2string(git_object_type(object.get())));
  }
  return Commit(reinterpret_cast<git_commit*>(peeled));
}

}  // namespace mybuild::git
