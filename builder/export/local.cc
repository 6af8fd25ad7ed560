// SPDX-License-Identifier: Apache-2.0
// The result's tree in a directory, as files of the caller: BuildKit's client does the same,
// whatever owners are stored (a tar keeps them). With SOURCE_DATE_EPOCH every time is the epoch.
#include "builder/export/exporters.h"
#include "builder/export/step.h"
#include "builder/export/tree_merge.h"
#include "builder/export/tree_walk.h"

namespace mybuild::exporter {

namespace {

using snapshotter::Entry;

class LocalExporter final : public Exporter {
 public:
  LocalExporter(OutputSpec spec, ExportDeps& deps) : spec_(std::move(spec)), deps_(deps) {}

  std::string title() const override { return "exporting to client directory"; }

  Result<ExportReport> write(const BuildOutput& output, const solver::VertexId& vertex) override {
    if (spec_.dest.empty() || spec_.dest == "-") {
      return invalid_argument("type=local needs a directory").with_hint("name it with dest=");
    }
    if (deps_.fetch.trees) {
      TRY(deps_.fetch.trees());
    }
    Step step(deps_, vertex, "copying files");
    TreeMerge merge = TRY(TreeMerge::open(spec_.dest, deps_.lanes, deps_.cancel));
    for (const BuiltImage& image : output.images) {
      TRY(stage_image(image, output, merge));
    }
    TRY(merge.commit().context(spec_.dest));
    step.done();
    return ExportReport();
  }

 private:
  Status stage_image(const BuiltImage& image, const BuildOutput& output, TreeMerge& merge) {
    const std::unique_ptr<snapshotter::TreeView> view = TRY(open_result(image, deps_));
    std::string folder = platform_prefix(image, output, spec_);
    snapshotter::ChangeList entries;
    TRY(walk_tree(*view, [&](Entry entry) -> Status {
      TRY(deps_.cancel.check());
      TRY(paths_.add(folder, entry, image.platform));
      if (output.source_date_epoch) {
        entry.mtime = {.tv_sec = *output.source_date_epoch, .tv_nsec = 0};
      }
      entries.push_back(std::move(entry));
      return {};
    }));
    if (!folder.empty()) {
      folder.pop_back();
    }
    return merge.stage(*view, entries, folder).context("write to " + spec_.dest);
  }

  OutputSpec spec_;
  ExportDeps& deps_;
  PlatformPaths paths_;
};

}  // namespace

std::unique_ptr<Exporter> make_local_exporter(const OutputSpec& spec, ExportDeps& deps) {
  return std::make_unique<LocalExporter>(spec, deps);
}

}  // namespace mybuild::exporter
