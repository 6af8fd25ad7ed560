// SPDX-License-Identifier: Apache-2.0
// BuildRequest and BuildReport: what a build is asked for and what it says afterwards, as plain
// data between the command line (or a later server) and the engine. Value types.
#pragma once

#include "builder/cache_client/settings.h"
#include "builder/entitlements.h"
#include "builder/export/exporter.h"
#include "builder/remote_cache/spec.h"
#include "builder/secrets/secret_source.h"
#include "builder/secrets/ssh_agent.h"
#include "frontend/frontend.h"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mybuild::builder {

/// What is done with the files of a step that failed.
enum class OnError {
  Discard,  // nothing
  Keep,     // they become an image without a name
  Shell,    // and a shell is offered in them
};

/// Prints what failed, then calls `shell` in the same thread, which takes the terminal until it
/// ends; its error says why there was none.
using OfferShell = std::function<void(const Error& failure, const std::function<Status()>& shell)>;

struct BuildRequest {
  std::string context;  // a directory, a URL, or "-" for standard input
  /// As given by -f: a path, a URL, or "-" for standard input; empty: Dockerfile (else dockerfile)
  /// in the context.
  std::string dockerfile;
  std::string target;
  std::map<std::string, std::string> build_args;
  std::vector<oci::Platform> platforms;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> contexts;  // --build-context name=value, as given
  bool no_cache = false;
  std::vector<std::string> no_cache_filter;
  bool early_cutoff = true;  // a step that runs again and leaves the same files ends the rebuild
  std::chrono::milliseconds step_timeout{0};  // how long one RUN may take; 0 = no limit
  bool pull = false;
  bool reread_contexts = false;  // --context-verify=full: what stat says of files proves nothing
  solver::NetworkMode network = solver::NetworkMode::Default;
  std::vector<std::string> extra_hosts;
  std::uint64_t shm_size = 0;
  std::vector<solver::Ulimit> ulimits;
  std::vector<oci::Reference> names;          // -t
  std::vector<exporter::OutputSpec> outputs;  // empty: the local store
  std::vector<remote_cache::CacheSource> cache_from;
  std::vector<remote_cache::CacheTarget> cache_to;
  cache_client::Wish cache_server;
  std::size_t jobs = 0;                            // RUN steps at once; 0 = no cap
  Entitlements allowed;                            // --allow
  std::shared_ptr<secrets::SecretSource> secrets;  // null: none
  std::shared_ptr<secrets::AgentSource> agents;    // null: none
  OnError on_error = OnError::Discard;
  OfferShell offer_shell;      // for OnError::Shell
  bool export_failed = false;  // outputs get the files of the step that failed; -t does not
};

struct BuildReport {
  std::vector<exporter::ExportReport> exports;  // one per output, in order
  std::optional<Digest> image_id;               // config digest of the (first) image
  std::size_t vertices = 0;
  std::size_t cached = 0;
};

}  // namespace mybuild::builder
