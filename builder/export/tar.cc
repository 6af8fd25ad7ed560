// SPDX-License-Identifier: Apache-2.0
// The result's tree as one uncompressed tar, owners and times as stored.
#include "builder/export/exporters.h"
#include "builder/export/output_file.h"
#include "builder/export/step.h"
#include "builder/export/tree_walk.h"
#include "snapshotter/archive/tar_writer.h"
#include "snapshotter/base/sys.h"

namespace mybuild::exporter {

namespace {

using snapshotter::Entry;
using snapshotter::EntryType;

class TarExporter final : public Exporter {
 public:
  TarExporter(OutputSpec spec, ExportDeps& deps) : spec_(std::move(spec)), deps_(deps) {}

  std::string title() const override { return "exporting to client tarball"; }

  Result<ExportReport> write(const BuildOutput& output, const solver::VertexId& vertex) override {
    OutputFile file = TRY(OutputFile::open(spec_.dest));
    if (deps_.fetch.trees) {
      TRY(deps_.fetch.trees());
    }
    Step step(deps_, vertex, "sending tarball");
    snapshotter::TarWriter tar(file);
    for (const BuiltImage& image : output.images) {
      TRY(add_image(image, output, tar));
    }
    TRY(tar.finish());
    TRY(std::move(file).commit());
    step.done();
    return ExportReport();
  }

 private:
  Status add_image(const BuiltImage& image, const BuildOutput& output,
                   snapshotter::TarWriter& tar) {
    const std::string prefix = platform_prefix(image, output, spec_);
    const std::optional<std::int64_t> epoch = output.source_date_epoch;
    if (!prefix.empty()) {
      Entry folder;
      folder.path = prefix.substr(0, prefix.size() - 1);
      folder.type = EntryType::Directory;
      folder.mode = 0755;
      folder.mtime.tv_sec = epoch.value_or(0);
      TRY(tar.add(folder));
    }
    const std::unique_ptr<snapshotter::TreeView> view = TRY(open_result(image, deps_));
    return walk_tree(*view, [&](Entry entry) -> Status {
      TRY(deps_.cancel.check());
      TRY(paths_.add(prefix, entry, image.platform));
      return add_entry(*view, std::move(entry), prefix, epoch, tar);
    });
  }

  static Status add_entry(const snapshotter::TreeView& view, Entry entry, const std::string& prefix,
                          std::optional<std::int64_t> epoch, snapshotter::TarWriter& tar) {
    Entry member = entry;
    member.path.insert(0, prefix);
    if (member.type == EntryType::HardLink) {
      member.link.insert(0, prefix);
    }
    if (epoch) {
      member.mtime = {.tv_sec = *epoch, .tv_nsec = 0};
    }
    TRY(tar.add(member));
    if (entry.type != EntryType::File || entry.size == 0) {
      return {};
    }
    FileSource bytes(TRY(view.open(entry)));
    struct TarBody final : Sink {
      explicit TarBody(snapshotter::TarWriter& writer) : writer_(writer) {}
      Status write(ByteSpan data) override { return writer_.write(data); }
      snapshotter::TarWriter& writer_;
    } body(tar);
    const std::uint64_t count = TRY(copy(bytes, body));
    if (count != entry.size) {
      return data_loss("{} has {} bytes, not {}", entry.path, count, entry.size);
    }
    return {};
  }

  OutputSpec spec_;
  ExportDeps& deps_;
  PlatformPaths paths_;
};

}  // namespace

std::unique_ptr<Exporter> make_tar_exporter(const OutputSpec& spec, ExportDeps& deps) {
  return std::make_unique<TarExporter>(spec, deps);
}

}  // namespace mybuild::exporter
