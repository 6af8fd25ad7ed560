// SPDX-License-Identifier: Apache-2.0
// `mybuild manifest …`.
#include "cmd/mybuild/cli/manifest_options.h"
#include "cmd/mybuild/cli/verb_table.h"
#include "cmd/mybuild/group_verb.h"
#include "cmd/mybuild/work.h"

#include <fmt/format.h>

namespace mybuild::cli {

namespace {

Result<int> inspect(const ManifestInspectOptions& options) {
  return run_transfer(options, [&](builder::Engine& engine, solver::EventSink&, Cancel& cancel) {
    return engine.inspect_manifest(options.question, cancel);
  });
}

Result<int> create(const ManifestCreateOptions& options) {
  return run_transfer(
      options,
      [&](builder::Engine& engine, solver::EventSink&, Cancel& cancel) -> Result<std::string> {
        TRY(engine.create_manifest_list(options.list, options.images, options.amend, cancel));
        return "Created manifest list " + options.list.str() + "\n";
      });
}

Result<int> annotate(const ManifestAnnotateOptions& options) {
  auto engine = TRY(open_engine(options.global));
  const manifest_list::ListStore& lists = engine->manifest_lists();
  TRY(lists.find(options.list));  // a change would make it
  TRY(lists.change(options.list, [&](manifest_list::ManifestList& list) {
    return manifest_list::annotate(list, options.image, options.edit);
  }));
  return 0;
}

/// docker's lines: the images that came from other repositories, then the list's digest.
std::string report_text(oci::Reference name, const manifest_list::PushedList& pushed) {
  std::string text;
  name.tag.clear();
  for (const Digest& digest : pushed.brought) {
    name.digest = digest;
    text += fmt::format("Pushed ref {} with digest: {}\n", name.str(), digest.str());
  }
  return text + pushed.digest.str() + "\n";
}

Result<int> push(const ManifestPushOptions& options) {
  return run_transfer(
      options,
      [&](builder::Engine& engine, solver::EventSink& events,
          Cancel& cancel) -> Result<std::string> {
        const manifest_list::PushedList pushed =
            TRY(engine.push_manifest_list(options.list, events, cancel));
        TRY(options.purge ? engine.manifest_lists().remove(options.list) : Status());
        return report_text(options.list, pushed);
      });
}

Result<int> remove(const ManifestRmOptions& options) {
  auto engine = TRY(open_engine(options.global));
  int exit_code = 0;
  for (const oci::Reference& name : options.lists) {
    const Status removed = engine->manifest_lists().remove(name);
    exit_code = removed ? exit_code : fail(removed.error());
  }
  return exit_code;
}

constexpr Verb kVerbs[] = {
    {"annotate", "Say for which platform an image of a list is",
     verb<kManifestAnnotateCommand, annotate>},
    {"create", "Make a list of images of registries", verb<kManifestCreateCommand, create>},
    {"inspect", "Print a manifest or manifest list, of here or of a registry",
     verb<kManifestInspectCommand, inspect>},
    {"push", "Send a list to its registry", verb<kManifestPushCommand, push>},
    {"rm", "Remove lists that were made here", verb<kManifestRmCommand, remove>},
};

}  // namespace

int manifest_verb(std::span<const std::string> args) {
  return dispatch_group(
      {.name = "manifest", .summary = "Manage image manifests and manifest lists", .verbs = kVerbs},
      args);
}

}  // namespace mybuild::cli
