// SPDX-License-Identifier: Apache-2.0
// Frontend: text becomes a Graph and, per platform, the ImageConfig of the result. No I/O but
// asking for the configs of base images through MetaResolver. Thread-compatible.
#pragma once

#include "frontend/checks/report.h"
#include "snapshotter/base/result.h"
#include "snapshotter/oci/image_config.h"
#include "snapshotter/oci/platform.h"
#include "snapshotter/oci/reference.h"
#include "solver/graph/graph.h"
#include "solver/progress.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace mybuild::frontend {

/// --build-context name=… after its kind was recognised.
struct LocalContext {};  // a directory; becomes a LocalSource
struct ImageContext {    // docker-image://
  oci::Reference reference;
};
struct LayoutContext {  // oci-layout:// or a docker archive
  std::string path;
  std::string tag;  // empty: the only image there, or "latest"
  std::optional<Digest> digest;
};
/// A remote one is a directory: the files of a commit, or one file called "context".
using NamedContext =
    std::variant<LocalContext, ImageContext, LayoutContext, solver::GitSource, solver::HttpSource>;

/// What is in a tar, compressed or not: of a URL, or of the one file "context" in the directory.
struct ArchiveContext {
  std::variant<LocalContext, solver::HttpSource> archive;
};
/// What COPY copies from. HttpSource: one file, "context", which is the Dockerfile as well.
using MainContext =
    std::variant<LocalContext, solver::GitSource, solver::HttpSource, ArchiveContext>;

/// The LocalSource of a named context: its name, unless that is the main context's.
inline std::string local_source_name(const std::string& context) {
  return context == "context" ? "_context" : context;
}

struct ImageRequest {
  std::variant<oci::Reference, LayoutContext> source;
  std::string display;  // as the Dockerfile says it
  oci::Platform platform;
  bool operator==(const ImageRequest& other) const;
};
struct ImageMeta {
  Digest id;  // manifest digest (or image id for images of the local store)
  oci::ImageConfig config;
};

class MetaResolver {
 public:
  virtual ~MetaResolver() = default;
  /// One answer per request, in order; all are asked for at once.
  virtual std::vector<Result<ImageMeta>> resolve(const std::vector<ImageRequest>& requests) = 0;
  /// Seconds since 1970: the time of a commit, what a server calls the last change of a file. Only
  /// asked for what SOURCE_DATE_EPOCH names; nullopt when the source has none.
  virtual Result<std::optional<std::int64_t>> source_time(const solver::SourceOp& /*source*/) {
    return std::optional<std::int64_t>();
  }
};

/// What a file is read for. Whoever does not build wants to hear all there is to say: what cannot
/// be reached or is not supported is passed over.
enum class Purpose { Build, Check, Outline };

struct FrontendInput {
  std::string file_name = "Dockerfile";  // for messages
  std::string text;
  std::string target;  // --target; empty = last stage
  std::map<std::string, std::string>
      build_args;                             // --build-arg; SOURCE_DATE_EPOCH and friends included
  std::vector<oci::Platform> platforms;       // what to build for; empty = the host
  bool platforms_given = false;               // --platform was on the command line
  oci::Platform build_platform;               // where RUN runs
  std::map<std::string, std::string> labels;  // --label, applied last
  MainContext context;
  std::map<std::string, NamedContext> contexts;  // --build-context
  bool no_cache = false;
  std::vector<std::string> no_cache_filter;  // stage names
  solver::NetworkMode network = solver::NetworkMode::Default;
  std::vector<std::string> extra_hosts;
  std::uint64_t shm_size = 0;
  std::vector<solver::Ulimit> ulimits;
  std::vector<std::string> ignored;  // patterns of the ignore file of a local build context
  Purpose purpose = Purpose::Build;
};

struct Target {
  oci::Platform platform;
  std::optional<solver::Edge> root;  // nullopt: FROM scratch with no layer
  /// History is complete but for times (`created` unset where this build makes them); diff_ids are
  /// the base's only.
  oci::ImageConfig config;
  /// How many layers of the result come from the base image, and that image's history entries in
  /// `config.history`.
  std::size_t base_layers = 0;
};

struct FrontendOutput {
  solver::Graph graph;
  std::vector<Target> targets;            // one per platform
  std::vector<solver::Warning> warnings;  // of the build itself; what rules find goes to the linter
  /// SOURCE_DATE_EPOCH of the build argument or of a global ARG.
  std::optional<std::int64_t> source_date_epoch;
};

/// The Dockerfile frontend. Errors carry the place in the text with its excerpt. `linter` hears
/// what the rules have to say of the first platform, also when the build fails.
Result<FrontendOutput> build_dockerfile(const FrontendInput& input, MetaResolver& resolver,
                                        checks::Linter& linter);
/// For whoever does not care what the rules say.
inline Result<FrontendOutput> build_dockerfile(const FrontendInput& input, MetaResolver& resolver) {
  checks::Linter linter;
  return build_dockerfile(input, resolver, linter);
}
/// Findings as a build prints them: each once, with its rule's name.
std::vector<solver::Warning> warnings_of(const std::vector<checks::Finding>& findings);

/// --call: what the file says about itself, for the first platform. A check looks at all stages
/// unless a target is given; base images that cannot be reached leave their variables unknown.
checks::CheckReport check_dockerfile(FrontendInput input, MetaResolver& resolver);
Result<checks::Outline> outline_dockerfile(FrontendInput input, MetaResolver& resolver);
Result<checks::TargetList> list_targets(const FrontendInput& input);

}  // namespace mybuild::frontend
