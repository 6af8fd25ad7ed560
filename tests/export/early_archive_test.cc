// SPDX-License-Identifier: Apache-2.0
#include "builder/export/early_archive.h"

#include "tests/export/fixture.h"

#include <sys/stat.h>

#include <future>
#include <thread>

namespace mybuild::exporter {
namespace {

using snapshotter::CompressionSpec;
using snapshotter::GrowingBlob;

/// A layer that is worth looking at before it is whole.
class EarlyArchiveTest : public ExportTest {
 protected:
  EarlyArchiveTest() { spec_.compression.compression = oci::Compression::None; }

  /// Of an image with a layer for each size, made beside the archive where there is one.
  std::string archive(const std::string& name, const std::vector<std::size_t>& sizes, bool early) {
    spec_.dest = path(name);
    std::optional<EarlyArchives> archives;
    snapshotter::OnDraft on_draft;
    if (early) {
      archives.emplace(std::span(&spec_, 1), lanes_);
      deps_->archives = &*archives;
      on_draft = archives->on_draft();
    }
    output_.images.clear();
    output_.images.push_back(make_image({"linux", "amd64", "", ""}));
    for (const std::size_t size : sizes) {
      add(large_layer(size, on_draft));
    }
    const auto report = run_export(spec_);
    deps_->archives = nullptr;
    return report ? read_file(spec_.dest).value_or("nothing") : report.error().message();
  }
  snapshotter::Layer large_layer(std::size_t size, const snapshotter::OnDraft& on_draft) {
    TextContents contents;
    contents.texts = {{"large", std::string(size, 'x')}};
    snapshotter::ChangeList list{entry("large", EntryType::File, 0644)};
    list[0].size = size;
    return layers_
        ->commit_changes(std::move(list), contents, std::span(&spec_.compression, 1), on_draft)
        .value();
  }
  void add(const snapshotter::Layer& layer) {
    output_.images.front().layers.push_back(layer);
    output_.images.front().config.diff_ids.push_back(layer.diff_id);
  }
  /// A blob of so many bytes, which are not all there yet.
  static std::shared_ptr<GrowingBlob> half_a_blob(const std::string& text) {
    const auto blob = std::make_shared<GrowingBlob>();
    Fd draft = sys::memfd("draft").value();
    EXPECT_TRUE(sys::write_all(draft.get(), as_bytes(text)));
    blob->begin(std::move(draft));
    blob->advance(text.size() / 2);
    return blob;
  }
  static oci::Descriptor whole(const std::string& text) {
    oci::Descriptor blob;
    blob.digest = Digest::of(text);
    blob.size = text.size();
    return blob;
  }

  OutputSpec spec_ = to(OutputType::Oci, "image.tar");
};

TEST_F(EarlyArchiveTest, TheBytesAreThoseOfAnArchiveThatIsWrittenAtTheEnd) {
  constexpr std::size_t kMiB = 1 << 20;
  for (const std::vector<std::size_t>& sizes : {std::vector<std::size_t>{6 * kMiB},
                                                {6 * kMiB, 9 * kMiB + 1},
                                                {9 * kMiB + 1, 6 * kMiB},
                                                {1},
                                                {}}) {
    const std::string late = archive("late.tar", sizes, false);
    ASSERT_GT(late.size(), 10'000U) << late;
    EXPECT_TRUE(archive("early.tar", sizes, true) == late) << testing::PrintToString(sizes);
    EXPECT_TRUE(archive("late.tar", sizes, true) == late) << "in place of an older one";
  }
}

/// One thread, so that what was posted later comes later.
class OneThread {
 public:
  Lanes& lanes() { return lanes_; }
  void wait() {
    std::promise<void> passed;
    lanes_.post(Lane::Net, [&] { passed.set_value(); });
    passed.get_future().wait();
  }

 private:
  Lanes lanes_{Lanes::Caps{.exec = 0, .net = 1, .disk = 1}};
};

TEST_F(EarlyArchiveTest, TheLargestBlobIsTakenFromItsPlace) {
  OneThread thread;
  EarlyArchive archive(path("image.tar"), spec_.compression, thread.lanes());
  const std::string small(1000, 'a');
  const std::string large(100'000, 'b');
  for (const std::string& text : {small, large, small}) {
    const std::shared_ptr<GrowingBlob> blob = half_a_blob(text);
    archive.begin(spec_.compression, blob);
    blob->advance(text.size() - text.size() / 2);
    blob->end(whole(text));
  }
  CompressionSpec other = spec_.compression;
  other.compression = oci::Compression::Zstd;
  archive.begin(other, half_a_blob(large + large));
  thread.wait();
  std::optional<OutputFile> file = archive.take(Digest::of(large));
  ASSERT_TRUE(file);
  EXPECT_EQ(file->position(), 0U);
  EXPECT_THAT(list(""), testing::Not(testing::Contains("image.tar"))) << "it has no name yet";
  ASSERT_TRUE(std::move(*file).commit());
  EXPECT_TRUE(read_file(path("image.tar")).value().substr(kFirstBlobAt) == large);
}

TEST_F(EarlyArchiveTest, ABetThatIsLostLeavesNothing) {
  OneThread thread;
  const std::string text(1000, 'a');
  for (const bool fails : {true, false}) {
    EarlyArchive archive(path("image.tar"), spec_.compression, thread.lanes());
    const std::shared_ptr<GrowingBlob> blob = half_a_blob(text);
    archive.begin(spec_.compression, blob);
    blob->advance(fails ? 0 : text.size() - text.size() / 2);
    blob->end(fails ? Result<oci::Descriptor>(internal_error("no")) : whole(text));
    thread.wait();
    EXPECT_FALSE(archive.take(Digest::of(fails ? text : "another")));
  }
  EXPECT_THAT(list(""), testing::Not(testing::Contains("image.tar")));
}

TEST_F(EarlyArchiveTest, APipeIsNotOpened) {
  OneThread thread;
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EarlyArchive archive(path("pipe"), spec_.compression, thread.lanes());
  const std::shared_ptr<GrowingBlob> blob = half_a_blob("text");
  archive.begin(spec_.compression, blob);
  thread.wait();  // nobody reads from it
  EXPECT_FALSE(archive.take(Digest::of("text")));
}

TEST_F(EarlyArchiveTest, WhatHasNotBegunIsNotWaitedFor) {
  OneThread thread;
  std::promise<void> free;
  thread.lanes().post(Lane::Net, [&] { free.get_future().wait(); });
  EarlyArchive archive(path("image.tar"), spec_.compression, thread.lanes());
  archive.begin(spec_.compression, half_a_blob("text"));
  EXPECT_FALSE(archive.take(Digest::of("text")));
  free.set_value();
}

}  // namespace
}  // namespace mybuild::exporter
