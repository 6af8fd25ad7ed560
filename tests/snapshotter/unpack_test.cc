// SPDX-License-Identifier: Apache-2.0
// Layers from outside: well-formed, odd and hostile ones.
#include "snapshotter/base/sys.h"
#include "snapshotter/layer_extractor.h"
#include "tests/snapshotter/overlay_mount.h"
#include "tests/snapshotter/tree_support.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>

namespace mybuild::snapshotter::testing {
namespace {

enum class Place { Ordinary, OnOverlay };  // an overlayfs cannot hold its own marks of deletions

class UnpackTest : public ::testing::TestWithParam<Place> {
 protected:
  using Archive = std::vector<ArchiveEntry>;

  void SetUp() override {
    if (GetParam() == Place::Ordinary) {
      store_ = std::make_unique<TestStore>();
      return;
    }
    if (!place_.emplace().problem().empty()) {
      GTEST_SKIP() << "no overlayfs to work on: " << place_->problem();
    }
    store_ = std::make_unique<TestStore>(place_->path());
  }

  Status unpack(const std::vector<Archive>& chain) {
    std::vector<LayerBlob> blobs;
    ids_.clear();
    for (const Archive& entries : chain) {
      blobs.push_back(blob_of(make_archive(entries)));
      ids_.push_back(blobs.back().diff_id);
    }
    return store_->layers->unpack(blobs, lanes_);
  }
  std::vector<std::string> trees() {
    std::vector<std::string> dirs;
    for (std::size_t i = 1; i <= ids_.size(); ++i) {
      dirs.push_back(must(store_->layers->tree(std::span(ids_).first(i))).value_or("<missing>"));
    }
    return dirs;
  }
  std::unique_ptr<TreeView> view() { return must(open_layered_view(trees())); }
  std::string read(const std::string& path) {
    return must(view()->read_small(path, 1000)).value_or("<none>");
  }
  std::optional<Entry> look(const std::string& path) { return must(view()->lookup(path)); }
  bool stored_by_chain() { return trees().back().find("/chain-") != std::string::npos; }

  std::optional<OverlayPlace> place_;  // outlives the store
  std::unique_ptr<TestStore> store_;
  Lanes lanes_{Lanes::Caps{}};
  std::vector<Digest> ids_;
};

TEST_P(UnpackTest, a_chain_becomes_trees_that_stack) {
  must(unpack({{archive_dir("etc"), archive_file("etc/a", "0"), archive_file("etc/b", "0")},
               {archive_dir("etc", 0700), archive_whiteout("etc/a"), archive_file("etc/c", "1")},
               {archive_dir("etc"), archive_file("etc/b", "2")}}));
  EXPECT_EQ(must(view()->list("etc")), (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(read("etc/b"), "2");
  EXPECT_FALSE(stored_by_chain());
}

TEST_P(UnpackTest, unpacking_again_opens_no_blob) {
  const std::string archive = make_archive({archive_file("a", "x")});
  const LayerBlob blob = blob_of(archive);
  must(store_->layers->unpack({blob}, lanes_));
  const LayerBlob untouchable{
      .diff_id = blob.diff_id,
      .open = []() -> Result<std::unique_ptr<Source>> { return internal_error("opened"); }};
  EXPECT_TRUE(store_->layers->unpack({untouchable}, lanes_));
}

TEST_P(UnpackTest, the_diff_id_is_checked_over_all_bytes) {
  std::string archive = make_archive({archive_file("a", "x")});
  LayerBlob blob = blob_of(archive + std::string(5000, '\0') + "tail");
  EXPECT_TRUE(store_->layers->unpack({blob}, lanes_));
  blob = blob_of(archive);
  blob.diff_id = Digest::of("another");
  const Status wrong = store_->layers->unpack({blob}, lanes_);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().kind(), ErrorKind::DataLoss);
  EXPECT_FALSE(must(store_->layers->tree(std::span(&blob.diff_id, 1))));
}

TEST_P(UnpackTest, one_bad_layer_leaves_nothing_half_done) {
  const LayerBlob good = blob_of(make_archive({archive_file("a", "x")}));
  LayerBlob bad = blob_of(make_archive({archive_file("b", "x")}));
  bad.diff_id = Digest::of("another");
  EXPECT_FALSE(store_->layers->unpack({good, bad}, lanes_));
  EXPECT_FALSE(must(store_->layers->tree(std::span(&bad.diff_id, 1))));
  const Fd tmp = must(sys::open(store_->root + "/tmp", O_RDONLY | O_DIRECTORY));
  for (const std::string& session : must(sys::list_dir(tmp.get()))) {
    const Fd dir = must(sys::open_at(tmp.get(), session, O_RDONLY | O_DIRECTORY));
    EXPECT_TRUE(must(sys::list_dir(dir.get())).empty());
  }
}

TEST_P(UnpackTest, a_truncated_archive_is_an_error) {
  const std::string archive = make_archive({archive_file("a", std::string(3000, 'x'))});
  EXPECT_FALSE(store_->layers->unpack({blob_of(archive.substr(0, 1500))}, lanes_));
}

TEST_P(UnpackTest, implied_directories_look_like_the_lower_ones) {
  must(unpack({{archive_dir("opt", 0711, 55), archive_dir("opt/app", 0750, 66)},
               {archive_file("opt/app/bin", "x"), archive_file("new/dir/file", "x")}}));
  EXPECT_EQ(look("opt")->mode, 0711U);
  EXPECT_EQ(look("opt")->mtime.tv_sec, 55);
  EXPECT_EQ(look("opt/app")->mode, 0750U);
  EXPECT_EQ(look("new/dir")->mode, 0755U);
  EXPECT_EQ(look("new/dir")->mtime.tv_sec, 0);
  EXPECT_TRUE(stored_by_chain());
}

TEST_P(UnpackTest, a_layer_with_implied_directories_is_never_taken_from_another_chain) {
  const Archive top = {archive_file("opt/f", "x")};
  must(unpack({top}));
  EXPECT_EQ(look("opt")->mode, 0755U);
  must(unpack({{archive_dir("opt", 0700)}, top}));
  EXPECT_EQ(look("opt")->mode, 0700U);
  must(unpack({{archive_dir("opt", 0711)}, top}));
  EXPECT_EQ(look("opt")->mode, 0711U);
}

TEST_P(UnpackTest, a_described_directory_may_come_after_its_children) {
  must(unpack({{archive_file("d/f", "x"), archive_dir("d", 0700, 99)}}));
  EXPECT_EQ(look("d")->mode, 0700U);
  EXPECT_EQ(look("d")->mtime.tv_sec, 99);
  EXPECT_FALSE(stored_by_chain());
}

TEST_P(UnpackTest, a_path_through_a_link_of_a_lower_layer_leads_where_the_link_leads) {
  must(unpack({{archive_dir("usr", 0755), archive_dir("usr/lib", 0751, 12),
                archive_link("lib", "usr/lib"), archive_file("usr/lib/old", "0")},
               {archive_file("lib/new", "1"), archive_whiteout("lib/old"),
                archive_file("lib/sub/x", "1")}}));
  EXPECT_EQ(look("lib")->type, EntryType::Symlink);
  EXPECT_EQ(read("usr/lib/new"), "1");
  EXPECT_EQ(read("usr/lib/sub/x"), "1");
  EXPECT_FALSE(look("usr/lib/old"));
  EXPECT_EQ(look("usr/lib")->mode, 0751U);
  EXPECT_EQ(look("usr/lib")->mtime.tv_sec, 12);
}

TEST_P(UnpackTest, a_described_directory_replaces_a_link_of_a_lower_layer) {
  must(unpack({{archive_dir("usr"), archive_link("lib", "usr")},
               {archive_dir("lib"), archive_file("lib/x", "1")}}));
  EXPECT_EQ(look("lib")->type, EntryType::Directory);
  EXPECT_EQ(read("lib/x"), "1");
  EXPECT_FALSE(look("usr/x"));
}

TEST_P(UnpackTest, a_hard_link_to_a_lower_file_copies_it_up) {
  must(unpack(
      {{archive_dir("d", 0755, 5), archive_file("d/a", "text")}, {archive_hard_link("b", "d/a")}}));
  EXPECT_EQ(read("b"), "text");
  EXPECT_TRUE(must(view()->hard_link_id("b")));
  EXPECT_EQ(must(view()->hard_link_id("b")), must(view()->hard_link_id("d/a")));
  EXPECT_EQ(look("d")->mtime.tv_sec, 5);
}

TEST_P(UnpackTest, a_hard_link_to_nothing_is_an_error) {
  EXPECT_FALSE(unpack({{archive_hard_link("b", "nowhere")}}));
  EXPECT_FALSE(unpack({{archive_dir("d"), archive_hard_link("b", "d")}}));
}

TEST_P(UnpackTest, hard_links_inside_a_layer_share_their_file) {
  must(unpack({{archive_file("a", "x"), archive_dir("d"), archive_hard_link("d/b", "a"),
                archive_hard_link("c", "d/b")}}));
  EXPECT_EQ(must(view()->hard_link_id("a")), must(view()->hard_link_id("d/b")));
  EXPECT_EQ(must(view()->hard_link_id("a")), must(view()->hard_link_id("c")));
}

ArchiveEntry opaque_mark(const std::string& dir) {
  // The tar writer says an opaque directory with a mark of its own.
  ArchiveEntry item = archive_dir(dir);
  item.entry.opaque = true;
  return item;
}

TEST_P(UnpackTest, an_opaque_directory_hides_the_lower_one) {
  must(unpack({{archive_dir("d"), archive_file("d/old", "0")},
               {opaque_mark("d"), archive_file("d/new", "1")}}));
  EXPECT_EQ(must(view()->list("d")), std::vector<std::string>{"new"});
}

TEST_P(UnpackTest, an_opaque_root_hides_everything_below) {
  must(unpack({{archive_dir("d"), archive_file("d/old", "0"), archive_file("f", "0")},
               {opaque_mark(""), archive_dir("d"), archive_file("d/new", "1")}}));
  EXPECT_EQ(must(view()->list("")), std::vector<std::string>{"d"});
  EXPECT_EQ(must(view()->list("d")), std::vector<std::string>{"new"});
}

TEST_P(UnpackTest, a_whiteout_speaks_of_lower_layers_only) {
  const Archive lower = {archive_dir("d"), archive_file("d/old", "0"), archive_file("f", "0")};
  must(unpack({lower,
               {archive_dir("d"), archive_file("d/new", "1"), archive_file("f", "1"),
                archive_whiteout("d"), archive_whiteout("f")}}));
  EXPECT_EQ(must(view()->list("d")), std::vector<std::string>{"new"});
  EXPECT_EQ(read("f"), "1");
  must(unpack({lower,
               {archive_whiteout("d"), archive_whiteout("f"), archive_dir("d"),
                archive_file("d/new", "2"), archive_file("f", "2")}}));
  EXPECT_EQ(must(view()->list("d")), std::vector<std::string>{"new"});
  EXPECT_EQ(read("f"), "2");
  must(unpack({lower, {archive_whiteout("d"), archive_file("d/implied", "3")}}));
  EXPECT_EQ(must(view()->list("d")), std::vector<std::string>{"implied"});
}

TEST_P(UnpackTest, the_last_entry_of_a_name_wins) {
  must(unpack(
      {{archive_file("a", "1"), archive_file("a", "2"), archive_dir("b"), archive_file("b/x", "1"),
        archive_file("b", "2"), archive_file("c", "1"), archive_dir("c"), archive_file("c/x", "2"),
        archive_link("l", "1"), archive_link("l", "2")}}));
  EXPECT_EQ(read("a"), "2");
  EXPECT_EQ(read("b"), "2");
  EXPECT_EQ(read("c/x"), "2");
  EXPECT_EQ(look("l")->link, "2");
}

// What hostile archives try: every path must stay below the layer's own directory.
class HostileTest : public UnpackTest {
 protected:
  void SetUp() override {
    UnpackTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    outside_ = store_->root + "/outside";
    must(make_dirs(outside_));
    must(write_file(outside_ + "/victim", "untouched"));
  }
  void expect_untouched() {
    EXPECT_EQ(must(read_file(outside_ + "/victim")), "untouched");
    const Fd dir = must(sys::open(outside_, O_RDONLY | O_DIRECTORY));
    EXPECT_EQ(must(sys::list_dir(dir.get())).size(), 1U);
  }
  std::string outside_;
};

TEST_P(HostileTest, links_of_the_archive_lead_inside_its_own_root) {
  for (const std::string& target :
       {outside_, "../../../../../.." + outside_, std::string("../../../../../outside")}) {
    must(unpack({{archive_link("way", target), archive_file("way/victim", "stolen"),
                  archive_file("way/new", target)}}));
    expect_untouched();
  }
}

TEST_P(HostileTest, a_file_never_goes_through_a_link_of_its_own_name) {
  must(unpack({{archive_link("victim", outside_ + "/victim"), archive_file("victim", "mine")}}));
  EXPECT_EQ(read("victim"), "mine");
  expect_untouched();
}

TEST_P(HostileTest, hard_links_cannot_reach_out) {
  EXPECT_FALSE(unpack({{archive_link("way", outside_), archive_hard_link("mine", "way/victim")}}));
  must(unpack({{archive_link("way", outside_ + "/victim"), archive_hard_link("mine", "way"),
                archive_file("mine", "x")}}));
  expect_untouched();
}

TEST_P(HostileTest, metadata_of_directories_is_not_set_through_links) {
  must(unpack({{archive_dir("d"), archive_file("d/x", "1"), archive_link("d", outside_)}}));
  must(unpack({{archive_link("d", outside_), archive_dir("d", 0700, 1)}}));
  EXPECT_NE(must(sys::stat_at(AT_FDCWD, outside_)).st_mtim.tv_sec, 1);
  expect_untouched();
}

TEST_P(HostileTest, lower_links_lead_inside_the_root_too) {
  must(unpack({{archive_link("way", outside_)}, {archive_file("way/victim", "stolen")}}));
  expect_untouched();
  EXPECT_FALSE(unpack({{archive_link("self", ".")}, {archive_file("self/x", "x")}}));
  EXPECT_FALSE(
      unpack({{archive_link("a", "b"), archive_link("b", "a")}, {archive_file("a/x", "x")}}));
}

TEST_P(HostileTest, circles_and_files_as_directories_are_errors) {
  EXPECT_FALSE(
      unpack({{archive_link("a", "b"), archive_link("b", "a"), archive_file("a/x", "x")}}));
  EXPECT_FALSE(unpack({{archive_file("a", "x"), archive_file("a/b", "x")}}));
}

TEST_P(HostileTest, a_device_that_means_a_whiteout_is_refused) {
  ArchiveEntry device = archive_file("dev", "");
  device.entry.type = EntryType::CharDevice;
  EXPECT_FALSE(unpack({{device}}));
}

TEST_P(UnpackTest, several_layers_with_links_between_them_work_at_once) {
  std::vector<Archive> chain;
  for (int i = 0; i < 12; ++i) {
    Archive layer = {archive_file(fmt::format("only/{}", i), "x")};
    if (i > 0) {
      layer.push_back(archive_hard_link(fmt::format("link/{}", i), fmt::format("only/{}", i - 1)));
    }
    chain.push_back(layer);
  }
  must(unpack(chain));
  EXPECT_EQ(must(view()->list("only")).size(), 12U);
  EXPECT_EQ(must(view()->list("link")).size(), 11U);
}

TEST_P(HostileTest, the_name_of_a_mark_cannot_be_had_through_a_link) {
  ArchiveEntry opaque = archive_dir("d");
  opaque.entry.opaque = true;
  must(unpack(
      {{archive_dir("d"), archive_file("d/old", "x")},
       {archive_dir("d"), archive_link("d/way", ".wh..wh..opq"), archive_file("d/way/f", "x")}}));
  EXPECT_EQ(read("d/old"), "x");
  const Status marked =
      unpack({{opaque, archive_link("d/way", ".wh..wh..opq"), archive_file("d/way/f", "x")}});
  EXPECT_EQ(marked.has_value(), GetParam() == Place::Ordinary);  // no room for the mark is an error
}

std::string name_of(const ::testing::TestParamInfo<Place>& place) {
  return place.param == Place::Ordinary ? "ordinary" : "on_overlay";
}
constexpr auto kPlaces = {Place::Ordinary, Place::OnOverlay};
INSTANTIATE_TEST_SUITE_P(Places, UnpackTest, ::testing::ValuesIn(kPlaces), name_of);
INSTANTIATE_TEST_SUITE_P(Places, HostileTest, ::testing::ValuesIn(kPlaces), name_of);

/// Extracts with `count` descriptors to spare.
Result<ExtractedLayer> extract_with(int count, const LayerBlob& blob, const std::string& dir) {
  const int next = must(sys::dup(STDIN_FILENO)).get();
  struct rlimit before = {};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const struct rlimit few = {.rlim_cur = static_cast<rlim_t>(next + count),
                             .rlim_max = before.rlim_max};
  const std::unique_ptr<Source> source = must(blob.open());
  ::setrlimit(RLIMIT_NOFILE, &few);
  Result<ExtractedLayer> layer = extract_layer(*source, dir);
  ::setrlimit(RLIMIT_NOFILE, &before);
  return layer;
}

TEST(ExtractLayerTest, a_directory_that_cannot_be_opened_for_want_of_descriptors_is_not_replaced) {
  const LayerBlob blob =
      blob_of(make_archive({archive_dir("a"), archive_dir("a/b"), archive_link("l", "a/b"),
                            archive_file("a/b/y", "1"), archive_file("l/x", "2"), archive_dir("c"),
                            archive_file("c/z", "3"), archive_hard_link("c/h", "l/x")}));
  const TempDir reference = must(TempDir::create());
  must(extract_layer(*must(blob.open()), reference.path()));
  int failures = 0;
  for (int count = 0; count < 100; ++count) {
    const TempDir dir = must(TempDir::create());
    if (const auto layer = extract_with(count, blob, dir.path())) {
      EXPECT_EQ(describe_layers({dir.path()}), describe_layers({reference.path()}));
      EXPECT_TRUE(layer->needs.empty());
      break;
    } else {
      ASSERT_EQ(layer.error().os_errno(), EMFILE) << layer.error().message();
      ++failures;
    }
  }
  EXPECT_GT(failures, 3);
}

}  // namespace
}  // namespace mybuild::snapshotter::testing
