// SPDX-License-Identifier: Apache-2.0
// What the store does most: a layer unpacked, a context looked through, records and stamps found.
#include "snapshotter/archive/tar_writer.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/content_memory.h"
#include "snapshotter/layer_extractor.h"
#include "snapshotter/metadata.h"
#include "snapshotter/stat_index.h"
#include "snapshotter/tree_view.h"
#include "tests/bench/micro/compare.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <unordered_map>

#include <benchmark/benchmark.h>

namespace mybuild::bench {

namespace {

using namespace snapshotter;

constexpr std::size_t kFiles = 1000;
constexpr std::size_t kFileSize = 5000;
constexpr std::size_t kPerDirectory = 100;

/// A folder of its own for each round, taken away after it.
struct Folders {
  TempDir top = must(TempDir::create());
  std::vector<std::string> paths = make_paths(kFiles);
  std::string text = make_text(kFileSize, 4);
  std::string tar;

  std::string round() const { return join_path(top.path(), "round"); }
  void make_directories(const std::string& root) const {
    must(make_dirs(root));
    for (std::size_t i = 0; i < paths.size(); i += kPerDirectory) {
      must(make_dirs(join_path(root, paths[i].substr(0, paths[i].find('/')))));
    }
  }
  void make_files(const std::string& root) const {
    make_directories(root);
    for (const std::string& path : paths) {
      const Fd file = must(sys::open(join_path(root, path), O_WRONLY | O_CREAT | O_EXCL, 0644));
      must(sys::write_all(file.get(), as_bytes(text)));
    }
  }
};

std::string make_tar(const Folders& folders) {
  StringSink sink;
  TarWriter writer(sink);
  for (const std::string& path : folders.paths) {
    must(writer.add_file(path, folders.text));
  }
  must(writer.finish());
  return std::move(sink.text);
}

Work unpacking() {
  const auto folders = std::make_shared<Folders>();
  folders->tar = make_tar(*folders);
  return {.ours =
              [folders] {
                must(make_dirs(folders->round()));
                StringSource source(folders->tar);
                benchmark::DoNotOptimize(must(extract_layer(source, folders->round())));
              },
          .limit = [folders] { folders->make_files(folders->round()); },
          .items = kFiles,
          .after = [folders] { must(remove_tree(folders->round())); }};
}

struct Context {
  Folders folders;
  std::unique_ptr<StatIndex> index;
  std::vector<std::string> directories;
};

std::shared_ptr<Context> make_context() {
  auto context = std::make_shared<Context>();
  const std::string root = context->folders.round();
  context->folders.make_files(root);
  context->index =
      std::make_unique<StatIndex>(join_path(context->folders.top.path(), "index"), "this boot");
  for (const std::string& path : context->folders.paths) {
    const std::string whole = join_path(root, path);
    const struct stat info = must(sys::stat_at(AT_FDCWD, whole));
    context->index->remember(info, {.content = Digest::of(context->folders.text), .bare = true});
    const std::string directory = path.substr(0, path.find('/'));
    if (context->directories.empty() || context->directories.back() != directory) {
      context->directories.push_back(directory);
    }
  }
  must(context->index->save());
  context->index =
      std::make_unique<StatIndex>(join_path(context->folders.top.path(), "index"), "this boot");
  return context;
}

void walk(const Context& context) {
  const std::unique_ptr<TreeView> view =
      must(open_directory_view(context.folders.round(), ContentMemory(*context.index)));
  for (const std::string& directory : context.directories) {
    const std::vector<ListedEntry> entries =
        must(view->read_directory(directory, [](const std::string&) { return true; }));
    if (entries.size() != kPerDirectory || !entries.front().entry.content) {
      give_up("the index does not know the files");
    }
  }
}

void stat_each(const Context& context) {
  for (const std::string& directory : context.directories) {
    const Fd dir = must(sys::open(join_path(context.folders.round(), directory), O_PATH));
    for (std::size_t i = 0; i < kPerDirectory; ++i) {
      struct stat info {};
      const std::string& path = context.folders.paths[i];
      benchmark::DoNotOptimize(
          ::fstatat(dir.get(), path.c_str() + path.find('/') + 1, &info, AT_SYMLINK_NOFOLLOW));
    }
  }
}

Work looking_through() {
  const std::shared_ptr<Context> context = make_context();
  return {.ours = [context] { walk(*context); },
          .limit = [context] { stat_each(*context); },
          .items = kFiles};
}

struct stat stamp(std::uint64_t inode) {
  struct stat info {};
  info.st_dev = 7;
  info.st_ino = inode;
  info.st_size = 100;
  info.st_mode = S_IFREG | 0644;
  info.st_mtim = {.tv_sec = 1000, .tv_nsec = 1};
  info.st_ctim = info.st_mtim;
  return info;
}

struct Stamps {
  static constexpr std::uint64_t kCount = 20'000;
  TempDir dir = must(TempDir::create());
  std::unique_ptr<StatIndex> index;
  std::unordered_map<std::uint64_t, FileFacts> plain;
};

std::shared_ptr<Stamps> make_stamps() {
  auto stamps = std::make_shared<Stamps>();
  const std::string path = join_path(stamps->dir.path(), "index");
  StatIndex made(path, "this boot");
  for (std::uint64_t i = 0; i < Stamps::kCount; ++i) {
    const FileFacts facts{.content = Digest::of(std::to_string(i)), .bare = true};
    made.remember(stamp(i * 3), facts);
    stamps->plain[i * 3] = facts;
  }
  must(made.save());
  stamps->index = std::make_unique<StatIndex>(path, "this boot");
  return stamps;
}

Work stamps_found() {
  const std::shared_ptr<Stamps> stamps = make_stamps();
  return {.ours =
              [stamps] {
                for (std::uint64_t i = 0; i < Stamps::kCount; ++i) {
                  benchmark::DoNotOptimize(stamps->index->find(stamp(i * 3)));
                }
              },
          .limit =
              [stamps] {
                for (std::uint64_t i = 0; i < Stamps::kCount; ++i) {
                  benchmark::DoNotOptimize(stamps->plain.find(i * 3)->second);
                }
              },
          .items = Stamps::kCount};
}

/// 20,000 records, of which a build of 20 steps asks for its own.
struct Records {
  TempDir dir = must(TempDir::create());
  std::unique_ptr<Metadata> metadata;
  std::vector<Digest> wanted;
  std::unique_ptr<sqlite3, decltype(&sqlite3_close)> plain{nullptr, sqlite3_close};
  std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> select{nullptr, sqlite3_finalize};
};

std::vector<RecordRow> make_rows() {
  std::vector<RecordRow> rows;
  for (int i = 0; i < 20'000; ++i) {
    const Digest key = Digest::of(std::to_string(i));
    rows.push_back({.definition_key = key,
                    .content_key = key,
                    .output = key,
                    .body = R"({"layer":"sha256:0123456789abcdef","inputs":["a","b"]})",
                    .created = i});
  }
  return rows;
}

std::shared_ptr<Records> make_records() {
  auto records = std::make_shared<Records>();
  const std::string path = join_path(records->dir.path(), "state.db");
  records->metadata = must(Metadata::open(path));
  const std::vector<RecordRow> rows = make_rows();
  must(records->metadata->put_records(rows));
  for (std::size_t i = 0; i < rows.size(); i += 1000) {
    records->wanted.push_back(rows[i].definition_key);
  }
  sqlite3* db = nullptr;
  sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READONLY, nullptr);
  records->plain.reset(db);
  sqlite3_stmt* select = nullptr;
  sqlite3_prepare_v2(db, "SELECT output, body FROM records WHERE definition_key = ?", -1, &select,
                     nullptr);
  records->select.reset(select);
  return records;
}

void select_each(const Records& records) {
  sqlite3_stmt* const select = records.select.get();
  sqlite3_exec(records.plain.get(), "BEGIN", nullptr, nullptr, nullptr);
  for (const Digest& key : records.wanted) {
    sqlite3_reset(select);
    sqlite3_bind_blob(select, 1, key.bytes.data(), static_cast<int>(key.bytes.size()),
                      SQLITE_STATIC);
    if (sqlite3_step(select) != SQLITE_ROW) {
      give_up("no record");
    }
    benchmark::DoNotOptimize(sqlite3_column_text(select, 1));
  }
  sqlite3_reset(select);
  sqlite3_exec(records.plain.get(), "COMMIT", nullptr, nullptr, nullptr);
}

Work records_found() {
  const std::shared_ptr<Records> records = make_records();
  return {.ours =
              [records] {
                benchmark::DoNotOptimize(
                    must(records->metadata->find_records_by_definition(records->wanted)));
              },
          .limit = [records] { select_each(*records); },
          .items = records->wanted.size()};
}

}  // namespace

std::string_view add_comparisons() {
  compare({.name = "unpacking, files",
           .limit = "open and write of each, plain",
           .measured = Measured::Wall,
           .prepare = unpacking});
  compare({.name = "known context, files",
           .limit = "one statx(2) each",
           .measured = Measured::Wall,
           .prepare = looking_through});
  compare({.name = "stat index", .limit = "std::unordered_map", .prepare = stamps_found});
  compare({.name = "record index", .limit = "a prepared SELECT each", .prepare = records_found});
  return "store";
}

}  // namespace mybuild::bench
