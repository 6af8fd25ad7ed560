// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/layer_store.h"

#include "snapshotter/archive/codec.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/tree_scan.h"
#include "tests/snapshotter/tree_support.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <ctime>
#include <functional>

namespace mybuild::snapshotter::testing {
namespace {

class LayerStoreTest : public ::testing::Test {
 protected:
  /// A directory that commit_tree() may take.
  std::string draft() {
    drafts_.push_back(must(store_.layers->scratch()));
    const std::string dir = drafts_.back().path() + "/fs";
    must(make_dirs(dir));
    return dir;
  }
  std::string tree_of(const Layer& layer) {
    return must(store_.layers->tree(std::array{layer.diff_id})).value_or("<missing>");
  }
  std::string tar_of(const Digest& diff_id) {
    StringSink sink;
    must(store_.layers->write_tar(diff_id, sink));
    return sink.text;
  }
  ChangeList changes_of(const std::string& dir) {
    const Fd fd = must(sys::open(dir, O_RDONLY | O_DIRECTORY));
    return must(scan_layer_tree(fd.get())).changes;
  }
  static std::unique_ptr<EntryContents> contents_of(const std::string& dir) {
    return tree_contents(must(sys::open(dir, O_RDONLY | O_DIRECTORY)));
  }
  std::size_t count_of(const std::string& part) {
    const Fd fd = must(sys::open(store_.root + "/" + part, O_RDONLY | O_DIRECTORY));
    return must(sys::list_dir(fd.get())).size();
  }

  TestStore store_;
  std::vector<TempDir> drafts_;
};

void fill(const std::string& dir) {
  TreeMaker(dir)
      .file("bin/tool", "tool", 04755)
      .hard_link("bin/same", "bin/tool")
      .link("lib", "usr/lib")
      .dir("tmp", 01777)
      .file("etc/conf", "x=1")
      .xattr("etc/conf", "user.note", "n")
      .owner("etc/conf", 5, 6)
      .fifo("run/pipe")
      .device("dev/null", 1, 3)
      .whiteout("old")
      .opaque("fresh")
      .time("etc", 42);
}

TEST_F(LayerStoreTest, a_committed_tree_is_there_with_all_its_metadata) {
  const std::string dir = draft();
  fill(dir);
  const std::string before = describe_layers({dir});
  const Layer layer = must(store_.layers->commit_tree(dir));
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, dir));
  EXPECT_EQ(describe_layers({tree_of(layer)}), before);
  EXPECT_EQ(layer.size, 7U);
  EXPECT_TRUE(layer.changes);
}

TEST_F(LayerStoreTest, diff_id_is_the_digest_of_the_tar_and_both_ways_of_making_a_layer_agree) {
  const std::string dir = draft();
  fill(dir);
  const auto contents = must(open_directory_view(dir));
  const Layer realised = must(store_.layers->commit_changes(changes_of(dir), *contents));
  EXPECT_EQ(Digest::of(tar_of(realised.diff_id)), realised.diff_id);
  const Layer taken = must(store_.layers->commit_tree(dir));
  EXPECT_EQ(taken.diff_id, realised.diff_id);
  EXPECT_EQ(taken.changes, realised.changes);
  EXPECT_EQ(taken.size, realised.size);
}

TEST_F(LayerStoreTest, attributes_of_a_hard_link_are_those_of_its_first_name) {
  const std::string dir = draft();
  TreeMaker(dir).file("a", "x");
  const auto contents = must(open_directory_view(dir));
  ChangeList changes = changes_of(dir);
  Entry link = changes.back();
  link.path = "b";
  link.type = EntryType::HardLink;
  link.link = "a";
  link.content.reset();
  changes.back().xattrs.set("user.k", "v");
  link.xattrs.set("user.k", "v");
  changes.push_back(link);
  const Layer layer = must(store_.layers->commit_changes(changes, *contents));
  EXPECT_EQ(Digest::of(tar_of(layer.diff_id)), layer.diff_id);
}

TEST_F(LayerStoreTest, it_knows_whether_a_layer_has_files_of_some_size) {
  const std::string dir = draft();
  fill(dir);
  EXPECT_FALSE(must(store_.layers->has_layer_of(0)));
  const Layer layer =
      must(store_.layers->commit_changes(changes_of(dir), *must(open_directory_view(dir))));
  EXPECT_GT(layer.size, 0U);
  EXPECT_TRUE(must(store_.layers->has_layer_of(layer.size)));
  EXPECT_FALSE(must(store_.layers->has_layer_of(layer.size + 1)));
}

TEST_F(LayerStoreTest, a_realised_list_is_the_tree_it_was_made_from) {
  const std::string dir = draft();
  fill(dir);
  const auto contents = must(open_directory_view(dir));
  const Layer layer = must(store_.layers->commit_changes(changes_of(dir), *contents));
  EXPECT_EQ(describe_directory(tree_of(layer)), describe_directory(dir));
}

TEST_F(LayerStoreTest, an_empty_layer_is_the_well_known_one) {
  const Layer layer = must(store_.layers->commit_tree(draft()));
  EXPECT_EQ(layer.diff_id.str(),
            "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef");
  EXPECT_NE(tree_of(layer), "<missing>");
}

TEST_F(LayerStoreTest, an_equal_layer_that_is_already_there_wins) {
  const std::string first = draft();
  const std::string second = draft();
  TreeMaker(first).file("a", "x");
  TreeMaker(second).file("a", "x");
  const Layer one = must(store_.layers->commit_tree(first));
  const ino_t inode = must(sys::stat_at(AT_FDCWD, tree_of(one))).st_ino;
  const Layer two = must(store_.layers->commit_tree(second));
  EXPECT_EQ(one.diff_id, two.diff_id);
  EXPECT_EQ(must(sys::stat_at(AT_FDCWD, tree_of(two))).st_ino, inode);
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, second));
}

TEST_F(LayerStoreTest, times_become_whole_seconds_and_sockets_go) {
  const std::string dir = draft();
  TreeMaker(dir).file("d/f", "x");
  must(sys::set_times_at(AT_FDCWD, dir + "/d/f", {.tv_sec = 9, .tv_nsec = 123}));
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  struct sockaddr_un address {};
  address.sun_family = AF_UNIX;
  (dir + "/d/s").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(
      ::bind(socket.get(), reinterpret_cast<const struct sockaddr*>(&address), sizeof address), 0);
  const std::string tree = tree_of(must(store_.layers->commit_tree(dir)));
  EXPECT_EQ(must(sys::lstat_at(AT_FDCWD, tree + "/d/f")).st_mtim.tv_nsec, 0);
  EXPECT_EQ(must(sys::lstat_at(AT_FDCWD, tree + "/d")).st_mtim.tv_nsec, 0);
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, tree + "/d/s"));
}

TEST_F(LayerStoreTest, change_digest_leaves_times_out) {
  const std::string first = draft();
  const std::string second = draft();
  TreeMaker(first).file("a", "x").time("a", 1);
  TreeMaker(second).file("a", "x").time("a", 2);
  const Layer one = must(store_.layers->commit_tree(first));
  const Layer two = must(store_.layers->commit_tree(second));
  EXPECT_NE(one.diff_id, two.diff_id);
  EXPECT_EQ(one.changes, two.changes);
}

TEST_F(LayerStoreTest, contents_that_changed_since_they_were_listed_are_named) {
  const std::string dir = draft();
  TreeMaker(dir).file("d/name", "12345");
  const auto contents = must(open_directory_view(dir));
  const ChangeList listed = changes_of(dir);
  ChangeList known = listed;
  known[1].content = Digest::of("other");
  const auto wrong = store_.layers->commit_changes(known, *contents);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().kind(), ErrorKind::DataLoss);
  EXPECT_NE(wrong.error().message().find("d/name"), std::string::npos);
  for (const char* text : {"123456", "1234"}) {
    must(write_file(dir + "/d/name", text));
    const auto resized = store_.layers->commit_changes(listed, *contents);
    ASSERT_FALSE(resized);
    EXPECT_EQ(resized.error().kind(), ErrorKind::DataLoss);
  }
  EXPECT_EQ(count_of("layers"), 0U);
}

TEST_F(LayerStoreTest, names_that_mean_deletions_in_a_tar_are_refused) {
  const std::string dir = draft();
  TreeMaker(dir).file(".wh.a", "x");
  const auto contents = must(open_directory_view(dir));
  EXPECT_FALSE(store_.layers->commit_changes(changes_of(dir), *contents));
  EXPECT_FALSE(store_.layers->commit_tree(dir));
}

TEST_F(LayerStoreTest, a_list_without_parents_or_order_is_refused) {
  const std::string dir = draft();
  TreeMaker(dir).file("a/b", "x").file("c", "y");
  const auto contents = must(open_directory_view(dir));
  ChangeList orphan = changes_of(dir);
  orphan.erase(orphan.begin());
  EXPECT_FALSE(store_.layers->commit_changes(orphan, *contents));
  ChangeList shuffled = changes_of(dir);
  std::swap(shuffled.front(), shuffled.back());
  EXPECT_FALSE(store_.layers->commit_changes(shuffled, *contents));
}

TEST_F(LayerStoreTest, blobs_are_made_once_and_hold_the_layer) {
  const std::string dir = draft();
  fill(dir);
  const Layer layer = must(store_.layers->commit_tree(dir));
  for (const auto compression :
       {oci::Compression::None, oci::Compression::Gzip, oci::Compression::Zstd}) {
    const oci::Descriptor blob =
        must(store_.layers->ensure_blob(layer.diff_id, {.compression = compression, .level = {}}));
    EXPECT_EQ(blob.media_type, oci::layer_media_type(compression));
    FileSource compressed(must(store_.content->open(blob.digest)));
    const auto plain = must(make_decompressor(compressed));
    EXPECT_EQ(Digest::of(must(read_all(*plain, 1 << 20))), layer.diff_id);
    EXPECT_EQ(
        must(store_.layers->ensure_blob(layer.diff_id, {.compression = compression, .level = {}})),
        blob);
  }
}

TEST_F(LayerStoreTest, blobs_that_are_wanted_come_from_the_pass_that_makes_the_layer) {
  const std::vector<CompressionSpec> forms = {
      {.compression = oci::Compression::Zstd, .level = {}},
      {.compression = oci::Compression::Gzip, .level = 9},
  };
  const std::string dir = draft();
  fill(dir);
  std::vector<Layer> layers = {
      must(store_.layers->commit_changes(changes_of(dir), *contents_of(dir), forms))};
  TreeMaker(dir).file("one more", "file");
  layers.push_back(must(store_.layers->commit_tree(dir, forms)));
  for (const Layer& layer : layers) {
    must(store_.layers->drop_tree(layer.diff_id.hex()));
    for (const CompressionSpec& form : forms) {  // nothing is left to make it of
      const oci::Descriptor blob = must(store_.layers->ensure_blob(layer.diff_id, form));
      EXPECT_EQ(blob.media_type, oci::layer_media_type(form.compression));
      FileSource compressed(must(store_.content->open(blob.digest)));
      const auto plain = must(make_decompressor(compressed));
      EXPECT_EQ(Digest::of(must(read_all(*plain, 1 << 20))), layer.diff_id);
    }
  }
}

TEST_F(LayerStoreTest, a_wanted_blob_is_the_one_that_would_be_made_later) {
  const std::string dir = draft();
  fill(dir);
  const Layer later = must(store_.layers->commit_changes(changes_of(dir), *contents_of(dir)));
  const oci::Descriptor made_later = must(store_.layers->ensure_blob(later.diff_id, {}));
  TestStore other(store_.root + "/other");
  const CompressionSpec form;
  const Layer early =
      must(other.layers->commit_changes(changes_of(dir), *contents_of(dir), std::span(&form, 1)));
  EXPECT_EQ(early.diff_id, later.diff_id);
  EXPECT_EQ(must(other.layers->ensure_blob(early.diff_id, {})), made_later);
}

TEST_F(LayerStoreTest, a_foreign_layer_keeps_its_blob_unless_that_is_a_plain_tar) {
  const std::string tar = "what somebody packed";
  const BlobInfo stored = must(store_.content->put(tar));
  oci::Descriptor blob;
  blob.digest = stored.digest;
  blob.size = stored.size;
  blob.media_type = oci::kDockerMediaTypeLayerGzip;
  must(store_.layers->add_original_blob(stored.digest, blob));
  EXPECT_EQ(must(store_.layers->ensure_blob(stored.digest, {})), blob);

  blob.media_type = oci::kMediaTypeLayer;
  must(store_.layers->add_original_blob(stored.digest, blob));
  const CompressionSpec none{.compression = oci::Compression::None, .level = {}};
  EXPECT_EQ(must(store_.layers->ensure_blob(stored.digest, none)), blob);
  const oci::Descriptor gzip =
      must(store_.layers->ensure_blob(stored.digest, {}, {.max_mtime = 7}));
  EXPECT_EQ(gzip.media_type, oci::kMediaTypeLayerGzip);
  EXPECT_TRUE(gzip.annotations.empty()) << "its times are kept";
  FileSource compressed(must(store_.content->open(gzip.digest)));
  const auto plain = must(make_decompressor(compressed));
  EXPECT_EQ(must(read_all(*plain, 1 << 20)), tar);
  EXPECT_EQ(must(store_.layers->original_blob(stored.digest)), blob);
}

TEST_F(LayerStoreTest, a_lost_blob_is_made_again_with_the_same_bytes) {
  const std::string dir = draft();
  fill(dir);
  const Layer layer = must(store_.layers->commit_tree(dir));
  const oci::Descriptor blob = must(store_.layers->ensure_blob(layer.diff_id, {}));
  must(store_.content->remove(blob.digest));
  EXPECT_EQ(must(store_.layers->ensure_blob(layer.diff_id, {})), blob);
  EXPECT_TRUE(must(store_.content->stat(blob.digest)));
}

TEST_F(LayerStoreTest, a_time_clamp_gives_another_blob_and_says_its_diff_id) {
  const std::string dir = draft();
  TreeMaker(dir).file("a", "x").time("a", 5000);
  const Layer layer = must(store_.layers->commit_tree(dir));
  const oci::Descriptor blob = must(store_.layers->ensure_blob(
      layer.diff_id, {.compression = oci::Compression::None, .level = {}}, {.max_mtime = 100}));
  EXPECT_EQ(blob.annotations.at(std::string(kUncompressedAnnotation)), blob.digest.str());
  EXPECT_NE(blob.digest, layer.diff_id);
}

TEST_F(LayerStoreTest, a_tree_that_was_tampered_with_gives_no_blob) {
  const std::string dir = draft();
  TreeMaker(dir).file("a", "x");
  const Layer layer = must(store_.layers->commit_tree(dir));
  must(write_file(tree_of(layer) + "/a", "y"));
  const auto blob = store_.layers->ensure_blob(layer.diff_id, {});
  ASSERT_FALSE(blob);
  EXPECT_EQ(blob.error().kind(), ErrorKind::DataLoss);
}

TEST_F(LayerStoreTest, a_tree_that_is_changed_while_it_is_used_gives_no_clamped_blob) {
  const std::string dir = draft();
  TreeMaker(dir).file("a", "x");
  const Layer layer = must(store_.layers->commit_tree(dir));
  const std::array chain{layer.diff_id};
  ASSERT_TRUE(must(store_.layers->trees(chain))) << "from here on this process believes it";
  must(write_file(tree_of(layer) + "/a", "y"));
  const auto blob = store_.layers->ensure_blob(layer.diff_id, {}, {.max_mtime = 2000});
  ASSERT_FALSE(blob);
  EXPECT_EQ(blob.error().kind(), ErrorKind::DataLoss);
  EXPECT_EQ(tree_of(layer), "<missing>");
}

TEST_F(LayerStoreTest, what_was_recorded_since_a_changed_tree_was_made_goes_with_it) {
  const auto record = [&](const std::string& name, std::int64_t created) {
    const Digest key = Digest::of(name);
    must(store_.metadata->put_record({.definition_key = key,
                                      .content_key = key,
                                      .output = key,
                                      .body = "{}",
                                      .created = created}));
  };
  const auto is_known = [&](const std::string& name) {
    return !must(store_.metadata->find_records_by_content(Digest::of(name))).empty();
  };
  const std::string dir = draft();
  TreeMaker(dir).file("a", "x");
  const Layer layer = must(store_.layers->commit_tree(dir));
  const std::int64_t made = must(store_.metadata->trees().all()).at(0).created;
  record("before", made - 1);
  record("after", made + 1);
  must(store_.metadata->put_known_build(layer.diff_id, "a build"));
  drafts_.clear();
  store_.reopen();
  must(write_file(tree_of(layer) + "/a", "y"));
  EXPECT_FALSE(must(store_.layers->trees(std::array{layer.diff_id})));
  EXPECT_TRUE(is_known("before"));
  EXPECT_FALSE(is_known("after"));
  EXPECT_FALSE(must(store_.metadata->find_known_build(layer.diff_id)));
}

TEST_F(LayerStoreTest, what_a_power_cut_tore_was_read_by_nobody_so_records_stay) {
  const std::string dir = draft();
  TreeMaker(dir).file("a", "x");
  const Layer layer = must(store_.layers->commit_tree(dir));
  const std::string file = tree_of(layer) + "/a";
  must(store_.metadata->put_record({.definition_key = layer.diff_id,
                                    .content_key = layer.diff_id,
                                    .output = layer.diff_id,
                                    .body = "{}",
                                    .created = std::time(nullptr) + 9}));
  drafts_.clear();
  must(write_file(store_.root + "/boot", "an earlier boot"));
  must(write_file(file, ""));
  store_.reopen();
  EXPECT_EQ(tree_of(layer), "<missing>");
  EXPECT_EQ(must(store_.metadata->record_count()), 1U);
}

TEST_F(LayerStoreTest, names_of_images_that_a_power_cut_took_go_with_one_warning) {
  const auto name = [&](const std::string& image, const std::string& config) {
    must(store_.metadata->put_image(
        {.name = image, .config = Digest::of(config), .created = 0, .size = 0}));
  };
  must(store_.content->put("whole"));
  name("kept", "whole");
  name("gone:1", "torn");
  name("gone:2", "torn");
  std::vector<std::string> told;
  const Warn warn = [&](const std::string& text) { told.push_back(text); };
  const auto reopen = [&] {
    store_.layers.reset();
    store_.layers = must(LayerStore::open(store_.root, *store_.content, *store_.metadata, warn));
  };
  reopen();
  EXPECT_TRUE(told.empty()) << "in the same boot";
  must(write_file(store_.root + "/boot", "an earlier boot"));
  reopen();
  reopen();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_NE(told[0].find("gone:1, gone:2"), std::string::npos) << told[0];
  EXPECT_EQ(must(store_.metadata->images()).size(), 1U);
}

TEST_F(LayerStoreTest, a_fifo_in_the_place_of_a_note_is_not_waited_for) {
  store_.layers.reset();
  for (const char* note : {"/boot", "/suspects"}) {
    must(remove_tree(store_.root + note));
    must(sys::mknod_at(AT_FDCWD, store_.root + note, S_IFIFO | 0600, 0));
  }
  store_.reopen();
  EXPECT_TRUE(read_file(store_.root + "/boot"));
}

TEST_F(LayerStoreTest, an_own_layer_whose_blob_from_outside_is_gone_is_packed) {
  const std::string dir = draft();
  TreeMaker(dir).file("a", "x");
  const Layer layer = must(store_.layers->commit_tree(dir));
  oci::Descriptor gone;
  gone.digest = Digest::of("gone");
  gone.media_type = oci::kMediaTypeLayerGzip;
  must(store_.layers->add_original_blob(layer.diff_id, gone));
  EXPECT_NE(must(store_.layers->ensure_blob(layer.diff_id, {})).digest, gone.digest);
  EXPECT_EQ(Digest::of(tar_of(layer.diff_id)), layer.diff_id);
}

TEST_F(LayerStoreTest, unknown_layers_are_not_found) {
  EXPECT_FALSE(must(store_.layers->tree(std::array{Digest::of("x")})));
  EXPECT_FALSE(must(store_.layers->tree({})));
  StringSink sink;
  EXPECT_EQ(store_.layers->write_tar(Digest::of("x"), sink).error().kind(), ErrorKind::NotFound);
  EXPECT_FALSE(store_.layers->ensure_blob(Digest::of("x"), {}));
}

TEST_F(LayerStoreTest, layers_are_found_after_reopening) {
  const std::string dir = draft();
  fill(dir);
  const Layer layer = must(store_.layers->commit_tree(dir));
  drafts_.clear();
  store_.reopen();
  EXPECT_NE(tree_of(layer), "<missing>");
  EXPECT_EQ(Digest::of(tar_of(layer.diff_id)), layer.diff_id);
}

TEST_F(LayerStoreTest, after_a_reboot_young_trees_are_checked_before_they_are_used) {
  const std::string good = draft();
  const std::string bad = draft();
  TreeMaker(good).file("a", "x");
  TreeMaker(bad).file("b", "x");
  const Layer whole = must(store_.layers->commit_tree(good));
  const Layer torn = must(store_.layers->commit_tree(bad));
  const std::string torn_file = tree_of(torn) + "/b";
  const Digest foreign = Digest::of(tar_of(whole.diff_id) + "x");
  drafts_.clear();
  must(write_file(store_.root + "/boot", "an earlier boot"));
  must(make_dirs(store_.root + "/layers/" + foreign.hex() + "/fs"));
  must(write_file(torn_file, ""));  // as ext4 leaves a file whose bytes were still to be written
  store_.reopen();
  EXPECT_NE(tree_of(whole), "<missing>");
  EXPECT_EQ(tree_of(torn), "<missing>");
  EXPECT_FALSE(must(store_.layers->tree(std::array{foreign})));
  const std::string again = draft();
  TreeMaker(again).file("b", "x");
  EXPECT_EQ(must(store_.layers->commit_tree(again)).diff_id, torn.diff_id);
  EXPECT_NE(tree_of(torn), "<missing>");
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, store_.root + "/suspects"));
}

TEST_F(LayerStoreTest, trees_that_are_known_to_be_on_the_disk_are_believed_after_a_reboot) {
  const std::string dir = draft();
  TreeMaker(dir).file("a", "x");
  const Layer layer = must(store_.layers->commit_tree(dir));
  const std::string tree = tree_of(layer);
  must(store_.layers->sync(0));
  must(write_file(store_.root + "/boot", "an earlier boot"));
  drafts_.clear();
  store_.reopen();
  must(remove_tree(tree + "/a"));  // a check would notice
  EXPECT_NE(tree_of(layer), "<missing>");
}

TEST_F(LayerStoreTest, a_tree_that_somebody_changed_is_dropped_before_files_of_it_are_read) {
  const std::function<void(const std::string&)> changes[] = {
      [](const std::string& tree) { must(write_file(tree + "/a", "y")); },
      [](const std::string& tree) { must(remove_tree(tree + "/a")); },
      [](const std::string& tree) { must(write_file(tree + "/new", "")); },
      [](const std::string& tree) { must(sys::fchmod_at(AT_FDCWD, tree + "/d/b", 0600)); },
      [](const std::string& tree) {  // one that puts the times back
        must(write_file(tree + "/a", "y"));
        must(sys::set_times_at(AT_FDCWD, tree + "/a", {.tv_sec = 1000, .tv_nsec = 0}));
      },
  };
  for (const auto& change : changes) {
    const std::string dir = draft();
    TreeMaker(dir).file("a", "x").file("d/b", "x");
    const Layer layer = must(store_.layers->commit_tree(dir));
    const std::string tree = tree_of(layer);
    drafts_.clear();
    store_.reopen();
    EXPECT_TRUE(must(store_.layers->trees(std::array{layer.diff_id})));
    store_.reopen();
    change(tree);
    EXPECT_FALSE(must(store_.layers->trees(std::array{layer.diff_id})));
    EXPECT_EQ(store_.layers->damage_found(), 1U);
    EXPECT_EQ(tree_of(layer), "<missing>");
  }
}

TEST_F(LayerStoreTest, a_tree_whose_times_alone_changed_is_looked_through_and_kept) {
  const std::string dir = draft();
  TreeMaker(dir).dir("d").file("d/a", "x");
  const Layer layer = must(store_.layers->commit_tree(dir));
  drafts_.clear();
  store_.reopen();
  const std::string tree = tree_of(layer);
  must(write_file(tree + "/d/new", ""));
  must(remove_tree(tree + "/d/new"));
  must(sys::set_times_at(AT_FDCWD, tree + "/d", {.tv_sec = 1000, .tv_nsec = 0}));
  must(sys::set_times_at(AT_FDCWD, tree + "/d/a", {.tv_sec = 1000, .tv_nsec = 1}));
  EXPECT_TRUE(must(store_.layers->trees(std::array{layer.diff_id})));
}

TEST_F(LayerStoreTest, a_tree_whose_row_was_lost_is_taken_in_again) {
  const std::string dir = draft();
  TreeMaker(dir).file("a", "x");
  const Layer layer = must(store_.layers->commit_tree(dir));
  drafts_.clear();
  must(store_.metadata->trees().remove(std::array{layer.diff_id.hex()}));
  store_.reopen();
  EXPECT_EQ(must(store_.layers->stored_trees()).at(0).diff_id, layer.diff_id);
  EXPECT_TRUE(must(store_.layers->trees(std::array{layer.diff_id})));
  EXPECT_TRUE(must(store_.metadata->trees().find(layer.diff_id.hex())));
}

TEST_F(LayerStoreTest, trees_that_somebody_uses_are_not_removed) {
  std::vector<std::string> names;
  std::vector<Layer> layers;
  for (const char* text : {"used", "unused"}) {
    const std::string dir = draft();
    TreeMaker(dir).file("a", text);
    layers.push_back(must(store_.layers->commit_tree(dir)));
    names.push_back(layers.back().diff_id.hex());
  }
  drafts_.clear();
  store_.reopen();
  EXPECT_NE(tree_of(layers[0]), "<missing>");
  TestStore collector(store_.root);
  EXPECT_EQ(must(collector.layers->stored_trees()).size(), 2U);
  EXPECT_EQ(must(collector.layers->remove_trees(names)), std::vector{names[1]});
  EXPECT_NE(tree_of(layers[0]), "<missing>");
  EXPECT_EQ(tree_of(layers[1]), "<missing>");
  EXPECT_EQ(must(collector.layers->stored_trees()).size(), 1U);
}

TEST_F(LayerStoreTest, tree_to_tar_to_tree_is_the_identity_for_random_trees) {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    std::mt19937 random(seed);
    const std::string dir = draft();
    make_random_tree(dir, random, 60);
    const Layer made = must(store_.layers->commit_tree(dir));
    const std::string before = describe_layers({tree_of(made)});
    TestStore other;
    Lanes lanes({});
    must(other.layers->unpack({blob_of(tar_of(made.diff_id))}, lanes));
    const auto tree = must(other.layers->tree(std::array{made.diff_id}));
    ASSERT_TRUE(tree);
    EXPECT_EQ(describe_layers({*tree}), before) << "seed " << seed;
  }
}

}  // namespace
}  // namespace mybuild::snapshotter::testing
