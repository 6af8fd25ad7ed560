// SPDX-License-Identifier: Apache-2.0
// A store with a tiny image of two layers in it: the first made here, with every kind of object a
// step may leave, the second deleting and replacing. Times, owners and bytes are fixed, so that
// digests are.
#pragma once

#include "builder/export/exporter.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/content/local_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace mybuild::exporter {

constexpr std::int64_t kFileTime = 1700000000;
constexpr std::int64_t kEpoch = 1600000000;  // before the files

class EventLog final : public solver::EventSink {
 public:
  void on_event(solver::Event event) override {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
  }
  /// Items that were reported as done.
  std::vector<std::string> done() const {
    std::vector<std::string> items;
    for (const solver::Event& event : events_) {
      const auto* progress = std::get_if<solver::Progress>(&event);
      if (progress != nullptr && progress->done) {
        items.push_back(progress->item);
      }
    }
    return items;
  }

 private:
  std::mutex mutex_;
  std::vector<solver::Event> events_;
};

/// A list of objects whose files hold given texts.
class TextContents final : public snapshotter::EntryContents {
 public:
  std::map<std::string, std::string> texts;
  Result<Fd> open(const snapshotter::Entry& entry) const override {
    Fd file = TRY(sys::memfd("text"));
    TRY(sys::write_all(file.get(), as_bytes(texts.at(entry.path))));
    ::lseek(file.get(), 0, SEEK_SET);
    return file;
  }
};

class ExportTest : public testing::Test {
 protected:
  ExportTest() {
    content_ = snapshotter::make_local_content_store(path("content")).value();
    metadata_ = snapshotter::Metadata::open(path("state.db")).value();
    layers_ = snapshotter::LayerStore::open(path("store"), *content_, *metadata_).value();
    deps_.emplace(ExportDeps{.content = *content_,
                             .layers = *layers_,
                             .metadata = *metadata_,
                             .lanes = lanes_,
                             .events = events_,
                             .cancel = cancel_,
                             .clock = clock_,
                             .fetch = {}});
    output_.images.push_back(make_image({"linux", "amd64", "", ""}));
    output_.names = {oci::Reference::parse("hello:v1").value()};
  }

  std::string path(const std::string& name) const { return join_path(dir_.path(), name); }

  using EntryType = snapshotter::EntryType;
  static snapshotter::Entry entry(const std::string& name, EntryType type, mode_t mode,
                                  std::string link = {}) {
    snapshotter::Entry made;
    made.path = name;
    made.type = type;
    made.mode = mode;
    made.link = std::move(link);
    made.mtime.tv_sec = kFileTime;
    return made;
  }

  snapshotter::Layer first_layer() {
    TextContents contents;
    snapshotter::ChangeList list;
    list.push_back(entry("dir", EntryType::Directory, 0555));
    list.push_back(entry("dir/file", EntryType::File, 0640));
    list.push_back(entry("dir/hard", EntryType::HardLink, 0640, "dir/file"));
    list.push_back(entry("dir/soft", EntryType::Symlink, 0777, "file"));
    list.push_back(entry("gone", EntryType::File, 0644));
    contents.texts = {{"dir/file", "text\n"}, {"gone", "gone\n"}};
    list[1].size = list[4].size = 5;
    return layers_->commit_changes(std::move(list), contents).value();
  }

  snapshotter::Layer second_layer() {
    TextContents contents;
    snapshotter::ChangeList list;
    list.push_back(entry("gone", EntryType::Whiteout, 0));
    list.push_back(entry("tool", EntryType::File, 04755));
    contents.texts = {{"tool", std::string(100000, 'x')}};
    list[1].size = 100000;
    return layers_->commit_changes(std::move(list), contents).value();
  }

  BuiltImage make_image(const oci::Platform& platform) {
    BuiltImage image;
    image.platform = platform;
    image.layers = {first_layer(), second_layer()};
    image.config.platform = platform;
    image.config.created = Time(std::chrono::seconds(kFileTime));
    image.config.cmd = {"/tool"};
    for (const snapshotter::Layer& layer : image.layers) {
      image.config.diff_ids.push_back(layer.diff_id);
    }
    return image;
  }

  Result<ExportReport> run_export(const OutputSpec& spec) {
    return make_exporter(spec, *deps_)->write(output_, solver::internal_vertex("export"));
  }

  OutputSpec to(OutputType type, const std::string& dest) const {
    OutputSpec spec;
    spec.type = type;
    spec.dest = dest == "-" ? dest : path(dest);
    return spec;
  }

  std::vector<std::string> list(const std::string& name) const {
    const Fd fd = sys::open(path(name), O_RDONLY | O_DIRECTORY).value();
    return sys::list_dir(fd.get()).value();
  }

  TempDir dir_ = TempDir::create().value();
  std::unique_ptr<snapshotter::ContentStore> content_;
  std::unique_ptr<snapshotter::Metadata> metadata_;
  std::unique_ptr<snapshotter::LayerStore> layers_;
  Lanes lanes_{Lanes::Caps{}};
  EventLog events_;
  Cancel cancel_;
  FixedClock clock_{Time(std::chrono::seconds(kFileTime + 1))};
  std::optional<ExportDeps> deps_;
  BuildOutput output_;
};

}  // namespace mybuild::exporter
