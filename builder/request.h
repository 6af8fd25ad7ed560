// SPDX-License-Identifier: Apache-2.0
// BuildRequest and BuildReport: what a build is asked for and what it says afterwards, as plain
// data between the command line (or a later server) and the engine. Value types.
#pragma once

#include "builder/entitlements.h"
#include "builder/export/exporter.h"
#include "builder/secrets/secret_source.h"
#include "builder/secrets/ssh_agent.h"
#include "frontend/frontend.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mybuild::builder {

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
  bool pull = false;
  bool reread_contexts = false;  // --context-verify=full: what stat says of files proves nothing
  solver::NetworkMode network = solver::NetworkMode::Default;
  std::vector<std::string> extra_hosts;
  std::uint64_t shm_size = 0;
  std::vector<solver::Ulimit> ulimits;
  std::vector<oci::Reference> names;               // -t
  std::vector<exporter::OutputSpec> outputs;       // empty: the local store
  std::size_t jobs = 0;                            // RUN steps at once; 0 = no cap
  Entitlements allowed;                            // --allow
  std::shared_ptr<secrets::SecretSource> secrets;  // null: none
  std::shared_ptr<secrets::AgentSource> agents;    // null: none
};

struct BuildReport {
  std::vector<exporter::ExportReport> exports;  // one per output, in order
  std::optional<Digest> image_id;               // config digest of the (first) image
  std::size_t vertices = 0;
  std::size_t cached = 0;
};

}  // namespace mybuild::builder
