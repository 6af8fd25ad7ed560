// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/metadata.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/oci/media_type.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <sys/wait.h>

#include <array>

namespace mybuild::snapshotter {
namespace {

/// What schemas before the fifth did not have.
constexpr const char* kWithoutTrees =
    "DROP INDEX records_by_layer; ALTER TABLE records DROP COLUMN layer; DROP TABLE trees";

const LayerRow kLayerOnly{.diff_id = Digest::of("a"), .changes = {}, .size = 0, .created = 0};

/// A layer is known by its tree.
Status put_layer(Metadata& db, const LayerRow& layer) {
  return db.trees().put({.name = layer.diff_id.hex(),
                         .diff_id = layer.diff_id,
                         .size = layer.size,
                         .created = layer.created,
                         .synced = false,
                         .seal = {}},
                        layer);
}

class MetadataTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = std::make_unique<TempDir>(TempDir::create().value());
    path_ = dir_->path() + "/state.db";
    reopen();
  }
  void reopen() {
    db_.reset();
    auto opened = Metadata::open(path_);
    ASSERT_TRUE(opened) << opened.error().message();
    db_ = std::move(opened).value();
  }
  void run_sql(const char* sql) {
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &raw), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(raw, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(raw);
  }

  std::unique_ptr<TempDir> dir_;
  std::string path_;
  std::unique_ptr<Metadata> db_;
};

const Digest kA = Digest::of("a");
const Digest kB = Digest::of("b");
const Digest kC = Digest::of("c");

TEST_F(MetadataTest, layers_are_found_after_reopening) {
  ASSERT_TRUE(put_layer(*db_, {.diff_id = kA, .changes = kB, .size = 5, .created = 6}));
  ASSERT_TRUE(
      put_layer(*db_, {.diff_id = kB, .changes = std::nullopt, .size = 1ULL << 40U, .created = 7}));
  reopen();
  const auto own = db_->find_layer(kA);
  ASSERT_TRUE(own && *own);
  EXPECT_EQ((*own)->changes, kB);
  EXPECT_EQ((*own)->size, 5U);
  EXPECT_EQ((*own)->created, 6);
  const auto foreign = db_->find_layer(kB);
  ASSERT_TRUE(foreign && *foreign);
  EXPECT_FALSE((*foreign)->changes);
  EXPECT_EQ((*foreign)->size, 1ULL << 40U);
  EXPECT_FALSE(db_->find_layer(kC).value());
}

TEST_F(MetadataTest, what_needs_a_tree_goes_with_the_last_one_of_its_layer) {
  oci::Descriptor blob;
  blob.media_type = "application/x";
  blob.digest = kC;
  blob.size = 9;
  ASSERT_TRUE(put_layer(*db_, {.diff_id = kA, .changes = kB, .size = 5, .created = 6}));
  ASSERT_TRUE(db_->put_layer_blob(kA, "gzip", blob));
  EXPECT_EQ(db_->find_layer_blob(kA, "gzip").value(), blob);
  EXPECT_EQ(db_->find_layer_blob(kA, "zstd").value(), std::nullopt);
  ASSERT_TRUE(db_->put_git_tree({.key = kC, .diff_id = kA, .time = 1}));
  RecordRow record{.definition_key = kA, .content_key = kB, .output = kC, .body = "{}"};
  ASSERT_TRUE(db_->put_record(record));
  record.definition_key = kB;
  record.layer = kA;
  ASSERT_TRUE(db_->put_record(record));
  ASSERT_TRUE(db_->trees().put(
      {.name = "chain", .diff_id = kA, .size = 0, .created = 0, .synced = false, .seal = {}},
      kLayerOnly));

  ASSERT_TRUE(db_->trees().remove(std::array{kA.hex()}));
  EXPECT_TRUE(*db_->find_layer(kA)) << "there is another tree of it";
  EXPECT_EQ(db_->record_count().value(), 2U);
  ASSERT_TRUE(db_->trees().remove(std::array{std::string("chain"), std::string("unknown")}));
  EXPECT_FALSE(*db_->find_layer(kA));
  EXPECT_FALSE(*db_->find_git_tree(kC));
  EXPECT_EQ(db_->record_count().value(), 1U) << "a record without a layer stays";
  EXPECT_EQ(db_->find_layer_blob(kA, "gzip").value(), blob) << "a blob is a thing of its own";
}

TEST_F(MetadataTest, what_was_unsynced_is_marked_by_a_number_that_no_later_tree_has) {
  ASSERT_TRUE(put_layer(*db_, kLayerOnly));
  const auto before = db_->trees().unsynced().value();
  ASSERT_EQ(before.size(), 1U);
  ASSERT_TRUE(db_->trees().remove(std::array{kA.hex()}));
  ASSERT_TRUE(put_layer(*db_, kLayerOnly));
  ASSERT_TRUE(db_->trees().mark_synced(std::array{before[0].id}));
  EXPECT_TRUE(db_->trees().synced_names()->empty());
  ASSERT_TRUE(db_->trees().mark_synced(std::array{db_->trees().unsynced().value().at(0).id}));
  EXPECT_EQ(db_->trees().synced_names().value(), std::set<std::string>{kA.hex()});
}

TEST_F(MetadataTest, a_name_moves_and_leaves_the_older_image_untagged) {
  ASSERT_TRUE(db_->put_image({.name = "app", .config = kA, .created = 1, .size = 10}));
  ASSERT_TRUE(db_->put_image({.name = "app", .config = kB, .created = 2, .size = 20}));
  EXPECT_EQ(db_->find_image_by_name("app").value()->config, kB);
  const auto older = db_->find_images_by_config(kA).value();
  ASSERT_EQ(older.size(), 1U);
  EXPECT_EQ(older[0].name, "");
  EXPECT_EQ(older[0].created, 1);
}

TEST_F(MetadataTest, an_image_with_another_name_is_not_untagged_when_it_loses_one) {
  ASSERT_TRUE(db_->put_image({.name = "app", .config = kA, .created = 1, .size = 10}));
  ASSERT_TRUE(db_->put_image({.name = "app:v1", .config = kA, .created = 1, .size = 10}));
  ASSERT_TRUE(db_->put_image({.name = "app", .config = kB, .created = 2, .size = 20}));
  const auto older = db_->find_images_by_config(kA).value();
  ASSERT_EQ(older.size(), 1U);
  EXPECT_EQ(older[0].name, "app:v1");
}

TEST_F(MetadataTest, naming_an_untagged_image_replaces_its_untagged_row) {
  ASSERT_TRUE(db_->put_image({.name = "", .config = kA, .created = 1, .size = 10}));
  ASSERT_TRUE(db_->put_image({.name = "app", .config = kA, .created = 2, .size = 10}));
  ASSERT_TRUE(db_->put_image({.name = "", .config = kA, .created = 3, .size = 10}));
  const auto rows = db_->images().value();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].name, "app");
  EXPECT_FALSE(*db_->find_image_by_name(""));
}

TEST_F(MetadataTest, images_come_newest_first_and_go_by_name) {
  ASSERT_TRUE(db_->put_image({.name = "old", .config = kA, .created = 1, .size = 1}));
  ASSERT_TRUE(db_->put_image({.name = "new", .config = kB, .created = 2, .size = 2}));
  EXPECT_EQ(db_->images().value().front().name, "new");
  ASSERT_TRUE(db_->remove_image("new", kB));
  ASSERT_EQ(db_->images().value().size(), 1U);
  EXPECT_EQ(db_->images().value().front().name, "old");
}

TEST_F(MetadataTest, tags_resolve_per_platform) {
  ASSERT_TRUE(db_->put_resolved({.reference = "r", .platform = "linux/amd64", .manifest = kA}));
  ASSERT_TRUE(db_->put_resolved({.reference = "r", .platform = "linux/arm64", .manifest = kB}));
  ASSERT_TRUE(db_->put_resolved({.reference = "r", .platform = "linux/amd64", .manifest = kC}));
  EXPECT_EQ(db_->find_resolved("r", "linux/amd64").value(), kC);
  EXPECT_EQ(db_->find_resolved("r", "linux/arm64").value(), kB);
  EXPECT_EQ(db_->find_resolved("r", "linux/386").value(), std::nullopt);
}

TEST_F(MetadataTest, records_are_found_by_each_key_newest_first) {
  ASSERT_TRUE(db_->put_record(
      {.definition_key = kA, .content_key = kB, .output = kC, .body = "one", .created = 1}));
  ASSERT_TRUE(db_->put_record(
      {.definition_key = kA, .content_key = kA, .output = kC, .body = "two", .created = 2}));
  ASSERT_EQ(db_->find_records_by_definition({{kA}}).value().at(0).size(), 2U);
  EXPECT_EQ(db_->find_records_by_definition({{kA}}).value().at(0).front().body, "two");
  ASSERT_EQ(db_->find_records_by_content(kB).value().size(), 1U);
  EXPECT_EQ(db_->find_records_by_content(kB).value().front().body, "one");
  EXPECT_EQ(db_->find_records_by_output(kC).value().size(), 2U);
  EXPECT_TRUE(db_->find_records_by_output(kA).value().empty());
}

TEST_F(MetadataTest, an_equal_record_is_replaced) {
  ASSERT_TRUE(db_->put_record(
      {.definition_key = kA, .content_key = kB, .output = kC, .body = "one", .created = 1}));
  ASSERT_TRUE(db_->put_record(
      {.definition_key = kA, .content_key = kB, .output = kC, .body = "again", .created = 5}));
  const auto rows = db_->find_records_by_definition({{kA}}).value().at(0);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].body, "again");
  EXPECT_EQ(rows[0].created, 5);
}

TEST_F(MetadataTest, a_known_build_is_found_by_its_key_until_all_are_forgotten) {
  ASSERT_TRUE(db_->put_known_build(kA, "one"));
  ASSERT_TRUE(db_->put_known_build(kA, "two"));
  EXPECT_EQ(db_->find_known_build(kA).value(), "two");
  EXPECT_FALSE(db_->find_known_build(kB).value());
  ASSERT_TRUE(db_->forget_known_builds());
  EXPECT_FALSE(db_->find_known_build(kA).value());
}

TEST_F(MetadataTest, of_known_builds_the_newest_thousand_stay) {
  for (int i = 0; i < 1002; ++i) {
    ASSERT_TRUE(db_->put_known_build(Digest::of(std::to_string(i)), "x"));
  }
  EXPECT_FALSE(db_->find_known_build(Digest::of("1")).value());
  EXPECT_TRUE(db_->find_known_build(Digest::of("2")).value());
}

TEST_F(MetadataTest, records_of_many_keys_come_in_the_order_of_the_keys) {
  ASSERT_TRUE(db_->put_record(
      {.definition_key = kA, .content_key = kB, .output = kC, .body = "a", .created = 1}));
  ASSERT_TRUE(db_->put_record(
      {.definition_key = kC, .content_key = kB, .output = kC, .body = "c", .created = 1}));
  const auto rows = db_->find_records_by_definition({{kC, kB, kA}}).value();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].at(0).body, "c");
  EXPECT_TRUE(rows[1].empty());
  EXPECT_EQ(rows[2].at(0).body, "a");
}

TEST_F(MetadataTest, text_with_nul_and_quotes_is_kept) {
  const std::string body("{\"a\":\"'\0'\"}", 11);
  ASSERT_TRUE(db_->put_record(
      {.definition_key = kA, .content_key = kB, .output = kC, .body = body, .created = 1}));
  EXPECT_EQ(db_->find_records_by_content(kB).value().front().body, body);
}

TEST_F(MetadataTest, a_newer_schema_is_refused_by_name) {
  db_.reset();
  run_sql("PRAGMA user_version = 99");
  const auto opened = Metadata::open(path_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind(), ErrorKind::Unsupported);
  EXPECT_NE(opened.error().message().find("schema 99"), std::string::npos);
  EXPECT_NE(opened.error().message().find("state.db"), std::string::npos);
}

TEST_F(MetadataTest, a_database_of_the_first_schema_is_upgraded_and_keeps_its_rows) {
  ASSERT_TRUE(put_layer(*db_, {.diff_id = kA, .changes = kB, .size = 5, .created = 6}));
  db_.reset();
  run_sql(kWithoutTrees);
  run_sql(
      "DROP TABLE repo_digests; DROP TABLE blob_sources; DROP TABLE http_files; "
      "DROP TABLE git_trees; PRAGMA user_version = 1");
  reopen();
  EXPECT_TRUE(db_->find_layer(kA).value());
  ASSERT_TRUE(db_->put_repo_digest({.config = kA, .repository = "h/r", .manifest = kB}));
  ASSERT_TRUE(db_->put_blob_source("h", "r", {kC}));
  reopen();
  EXPECT_EQ(db_->find_repo_digests(kA).value().size(), 1U);
}

TEST_F(MetadataTest, a_database_of_the_second_schema_learns_of_commits) {
  ASSERT_TRUE(db_->put_git_tree({.key = kA, .diff_id = kB, .time = 5}));
  db_.reset();
  run_sql(kWithoutTrees);
  run_sql("DROP TABLE git_trees; PRAGMA user_version = 2");
  reopen();
  EXPECT_FALSE(db_->find_git_tree(kA).value());
  ASSERT_TRUE(db_->put_git_tree({.key = kA, .diff_id = kB, .time = 5}));
  ASSERT_TRUE(db_->put_git_tree({.key = kA, .diff_id = kC, .time = 6}));
  reopen();
  const auto row = db_->find_git_tree(kA).value();
  ASSERT_TRUE(row);
  EXPECT_EQ(row->diff_id, kC);
  EXPECT_EQ(row->time, 6);
}

TEST_F(MetadataTest, a_database_of_the_third_schema_learns_of_builds_and_keeps_its_rows) {
  ASSERT_TRUE(put_layer(*db_, {.diff_id = kA, .changes = kB, .size = 5, .created = 6}));
  db_.reset();
  run_sql(kWithoutTrees);
  run_sql("DROP TABLE builds; DROP TABLE build_parts; PRAGMA user_version = 3");
  reopen();
  EXPECT_TRUE(db_->find_layer(kA).value());
  EXPECT_FALSE(db_->builds().newest_build().value());
  BuildRow row;
  row.id = "x";
  ASSERT_TRUE(db_->builds().add_build(row));
  reopen();
  EXPECT_EQ(db_->builds().newest_build().value()->id, "x");
}

TEST_F(MetadataTest, a_database_of_the_fifth_schema_learns_of_witnesses_and_keeps_its_trees) {
  ASSERT_TRUE(put_layer(*db_, {.diff_id = kA, .changes = {}, .size = 5, .created = 6}));
  db_.reset();
  run_sql(
      "ALTER TABLE trees DROP COLUMN disk; ALTER TABLE trees DROP COLUMN witness; "
      "PRAGMA user_version = 5");
  reopen();
  const auto row = db_->trees().find(kA.hex()).value();
  ASSERT_TRUE(row);
  EXPECT_FALSE(row->witness);
  EXPECT_EQ(row->disk, 0U);
  EXPECT_EQ(row->size, 5U);
}

TEST_F(MetadataTest, an_image_is_known_under_its_digests_elsewhere) {
  ASSERT_TRUE(db_->put_repo_digest({.config = kA, .repository = "h/r", .manifest = kB}));
  ASSERT_TRUE(db_->put_repo_digest({.config = kA, .repository = "h/s", .manifest = kC}));
  ASSERT_TRUE(db_->put_repo_digest({.config = kA, .repository = "h/r", .manifest = kB}));
  const auto rows = db_->find_repo_digests(kA).value();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].repository, "h/r");
  EXPECT_EQ(rows[1].manifest, kC);
  EXPECT_EQ(db_->find_image_by_digest("h/s", kC).value(), kA);
  EXPECT_FALSE(db_->find_image_by_digest("h/r", kC).value());
  ASSERT_TRUE(db_->remove_repo_digests(kA));
  EXPECT_TRUE(db_->find_repo_digests(kA).value().empty());
}

TEST_F(MetadataTest, the_last_repository_seen_with_a_blob_is_remembered_per_registry) {
  ASSERT_TRUE(db_->put_blob_source("h", "r", {kA, kB}));
  ASSERT_TRUE(db_->put_blob_source("h", "s", {kB}));
  EXPECT_EQ(db_->find_blob_source("h", kA).value(), "r");
  EXPECT_EQ(db_->find_blob_source("h", kB).value(), "s");
  EXPECT_FALSE(db_->find_blob_source("other", kA).value());
  ASSERT_TRUE(db_->put_blob_source("g", "t", {kA}));
  const auto all = db_->find_blob_sources(kA).value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].domain + "/" + all[0].repository + " " + all[1].domain, "g/t h");
}

TEST_F(MetadataTest, a_file_behind_a_url_is_found_with_its_validators) {
  const HttpFileRow row{.request = Digest::of("request"),
                        .content = Digest::of("content"),
                        .size = 7,
                        .etag = "W/\"1\"",
                        .last_modified = "Sun, 06 Nov 1994 08:49:37 GMT",
                        .created = 5};
  ASSERT_TRUE(db_->put_http_file(row));
  HttpFileRow newer = row;
  newer.etag = "\"2\"";
  ASSERT_TRUE(db_->put_http_file(newer));
  const auto found = db_->find_http_file(row.request);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->content, row.content);
  EXPECT_EQ((*found)->size, 7u);
  EXPECT_EQ((*found)->etag, "\"2\"");
  EXPECT_EQ((*found)->last_modified, row.last_modified);
  EXPECT_EQ((*found)->created, 5);
  EXPECT_FALSE(*db_->find_http_file(Digest::of("other")));
}

TEST_F(MetadataTest, all_layers_and_their_blobs_are_listed) {
  ASSERT_TRUE(put_layer(*db_, {.diff_id = kA, .changes = kB, .size = 5, .created = 7}));
  ASSERT_TRUE(put_layer(*db_, {.diff_id = kB, .changes = {}, .size = 6, .created = 6}));
  oci::Descriptor blob;
  blob.media_type = oci::kMediaTypeLayer;
  blob.digest = kC;
  blob.size = 3;
  ASSERT_TRUE(db_->put_layer_blob(kA, "original", blob));
  const auto layers = db_->layers().value();
  ASSERT_EQ(layers.size(), 2U);
  EXPECT_EQ(layers[0].diff_id, kB) << "oldest first";
  const auto blobs = db_->layer_blobs().value();
  ASSERT_EQ(blobs.size(), 1U);
  EXPECT_EQ(blobs[0].diff_id, kA);
  EXPECT_EQ(blobs[0].blob, blob);
}

std::vector<std::string> names_in(const std::string& dir) {
  const Fd fd = sys::open(dir, O_RDONLY | O_DIRECTORY).value();
  return sys::list_dir(fd.get()).value();
}

TEST_F(MetadataTest, a_corrupt_file_is_moved_aside_and_made_anew) {
  ASSERT_TRUE(put_layer(*db_, {.diff_id = kA, .changes = kB, .size = 5, .created = 6}));
  db_.reset();
  ASSERT_TRUE(remove_tree(path_ + "-wal"));  // with its log the database could be read all the same
  ASSERT_TRUE(write_file(path_, std::string(8192, 'x')));
  reopen();
  EXPECT_FALSE(*db_->find_layer(kA));
  ASSERT_TRUE(put_layer(*db_, {.diff_id = kA, .changes = kB, .size = 5, .created = 6}));
  bool aside = false;
  for (const std::string& name : names_in(dir_->path())) {
    aside |= name.starts_with("state.db.corrupt-");
  }
  EXPECT_TRUE(aside);
}

TEST_F(MetadataTest, damaged_pages_are_noticed_at_opening) {
  for (int i = 0; i < 300; ++i) {
    const Digest key = Digest::of(std::to_string(i));
    ASSERT_TRUE(db_->put_record({.definition_key = key,
                                 .content_key = key,
                                 .output = key,
                                 .body = std::string(900, 'b'),
                                 .created = i}));
  }
  db_.reset();  // folds the log: it is long
  std::string bytes = read_file(path_).value();
  ASSERT_GT(bytes.size(), 100'000U);
  for (std::size_t page = 4096; page < bytes.size(); page += 4096) {
    bytes.replace(page, 64, std::string(64, '\xff'));
  }
  ASSERT_TRUE(write_file(path_, bytes));
  reopen();
  EXPECT_TRUE(db_->find_records_by_content(kA).value().empty());
}

TEST_F(MetadataTest, an_empty_file_of_a_crashed_first_start_is_a_new_database) {
  db_.reset();
  ASSERT_TRUE(remove_tree(path_ + "-wal"));
  ASSERT_TRUE(write_file(path_, ""));
  reopen();
  EXPECT_TRUE(db_->images().value().empty());
}

TEST_F(MetadataTest, several_processes_write_at_once) {
  constexpr int kProcesses = 4;
  constexpr int kRows = 50;
  db_.reset();
  for (int p = 0; p < kProcesses; ++p) {
    if (::fork() == 0) {
      bool good = true;
      auto own = Metadata::open(path_);
      for (int i = 0; own && i < kRows; ++i) {
        const Digest key = Digest::of(fmt::format("{}-{}", p, i));
        good &= (*own)
                    ->put_record({.definition_key = key,
                                  .content_key = kB,
                                  .output = kC,
                                  .body = "",
                                  .created = i})
                    .has_value();
      }
      ::_exit(own && good ? 0 : 1);
    }
  }
  for (int p = 0; p < kProcesses; ++p) {
    int status = 0;
    ::wait(&status);
    EXPECT_EQ(status, 0);
  }
  reopen();
  EXPECT_EQ(db_->find_records_by_content(kB).value().size(),
            static_cast<std::size_t>(kProcesses * kRows));
}

TEST_F(MetadataTest, several_processes_may_make_a_new_database_at_once) {
  constexpr int kProcesses = 8;
  constexpr int kRounds = 20;
  for (int round = 0; round < kRounds; ++round) {
    const std::string path = fmt::format("{}-{}", path_, round);
    Pipe start = sys::pipe().value();
    for (int p = 0; p < kProcesses; ++p) {
      if (::fork() == 0) {
        start.write_end.reset();
        (void)sys::read_to_end(start.read_end.get());
        ::_exit(Metadata::open(path) ? 0 : 1);
      }
    }
    start.write_end.reset();
    for (int p = 0; p < kProcesses; ++p) {
      int status = 0;
      ::wait(&status);
      EXPECT_EQ(status, 0) << "round " << round;
    }
  }
}

TEST_F(MetadataTest, rows_survive_a_killed_writer) {
  db_.reset();
  const pid_t child = ::fork();
  if (child == 0) {
    auto own = Metadata::open(path_);
    const bool good =
        own && put_layer(**own, {.diff_id = kA, .changes = kB, .size = 1, .created = 1});
    ::kill(::getpid(), good ? SIGKILL : SIGTERM);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_EQ(WTERMSIG(status), SIGKILL);
  reopen();
  EXPECT_TRUE(*db_->find_layer(kA));
}

}  // namespace
}  // namespace mybuild::snapshotter
