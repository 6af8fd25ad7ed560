// SPDX-License-Identifier: Apache-2.0
#include "tests/snapshotter/tree_support.h"

#include "snapshotter/archive/tar_writer.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/content/local_store.h"
#include "snapshotter/tree_entry.h"
#include "snapshotter/whiteout.h"

#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <algorithm>

namespace mybuild::snapshotter::testing {

TestStore::TestStore() {
  own_dir = std::make_unique<TempDir>(must(TempDir::create()));
  root = own_dir->path();
  reopen();
}
TestStore::TestStore(const std::string& existing_root) : root(existing_root) {
  reopen();
}

void TestStore::reopen() {
  layers.reset();
  metadata.reset();
  content.reset();
  content = must(make_local_content_store(root + "/content"));
  metadata = must(Metadata::open(root + "/state.db"));
  layers = must(LayerStore::open(root, *content, *metadata));
}

TreeMaker::TreeMaker(std::string root) : root_(std::move(root)) {
  must(make_dirs(root_));
}

std::string TreeMaker::at(const std::string& path) {
  for (std::string parent(parent_path(path)); !parent.empty(); parent = parent_path(parent)) {
    times_.emplace(parent, 1000);
  }
  times_.emplace(path, 1000);
  if (!parent_path(path).empty()) {
    must(make_dirs(root_ + "/" + std::string(parent_path(path))));
  }
  return root_ + "/" + path;
}

TreeMaker& TreeMaker::dir(const std::string& path, mode_t mode) {
  const std::string full = at(path);
  must(make_dirs(full));
  must(sys::fchmod_at(AT_FDCWD, full, mode));
  return *this;
}
TreeMaker& TreeMaker::file(const std::string& path, std::string_view text, mode_t mode) {
  const std::string full = at(path);
  must(write_file(full, text));
  must(sys::fchmod_at(AT_FDCWD, full, mode));
  return *this;
}
TreeMaker& TreeMaker::link(const std::string& path, const std::string& target) {
  must(sys::symlink_at(target, AT_FDCWD, at(path)));
  return *this;
}
TreeMaker& TreeMaker::hard_link(const std::string& path, const std::string& first) {
  must(sys::link_at(AT_FDCWD, root_ + "/" + first, AT_FDCWD, at(path)));
  return *this;
}
TreeMaker& TreeMaker::fifo(const std::string& path) {
  must(sys::mknod_at(AT_FDCWD, at(path), S_IFIFO | 0640, 0));
  return *this;
}
TreeMaker& TreeMaker::device(const std::string& path, unsigned major, unsigned minor) {
  must(sys::mknod_at(AT_FDCWD, at(path), S_IFCHR | 0600, makedev(major, minor)));
  return *this;
}
TreeMaker& TreeMaker::whiteout(const std::string& path) {
  must(make_whiteout(AT_FDCWD, at(path)));
  times_.erase(path);
  return *this;
}
TreeMaker& TreeMaker::opaque(const std::string& path) {
  dir(path);
  const Fd fd = must(sys::open(root_ + "/" + path, O_RDONLY | O_DIRECTORY));
  must(set_opaque(fd.get()));
  return *this;
}
TreeMaker& TreeMaker::owner(const std::string& path, uid_t uid, gid_t gid) {
  must(sys::fchown_at(AT_FDCWD, at(path), uid, gid));
  return *this;
}
TreeMaker& TreeMaker::xattr(const std::string& path, const std::string& name,
                            const std::string& value) {
  EXPECT_EQ(::lsetxattr(at(path).c_str(), name.c_str(), value.data(), value.size(), 0), 0) << path;
  return *this;
}
TreeMaker& TreeMaker::time(const std::string& path, std::int64_t seconds) {
  at(path);
  times_[path] = seconds;
  return *this;
}

void TreeMaker::seal() {
  for (auto item = times_.rbegin(); item != times_.rend(); ++item) {
    (void)sys::set_times_at(AT_FDCWD, root_ + "/" + item->first,
                            {.tv_sec = item->second, .tv_nsec = 0});
  }
}

namespace {

char letter(EntryType type) {
  constexpr std::string_view kLetters = "?fdlhcbpw";
  return kLetters[static_cast<std::size_t>(type)];
}

class Describer {
 public:
  explicit Describer(const TreeView& view) : view_(view) {}

  void visit(const std::string& path) {
    const Entry entry = *must(view_.lookup(path));
    text += fmt::format("{} {} {:04o} {}:{} {} t{}", path.empty() ? "/" : path, letter(entry.type),
                        entry.mode, entry.uid, entry.gid, entry.size,
                        path.empty() ? 0 : entry.mtime.tv_sec);
    if (entry.mtime.tv_nsec != 0 && !path.empty()) {
      text += " ns";
    }
    if (!entry.link.empty()) {
      text += " -> " + entry.link;
    }
    if (entry.device_major + entry.device_minor != 0) {
      text += fmt::format(" dev {},{}", entry.device_major, entry.device_minor);
    }
    for (const auto& [name, value] : entry.xattrs) {
      text += fmt::format(" {}={}", name, to_hex(as_bytes(value)));
    }
    if (entry.type == EntryType::File) {
      file(entry);
    }
    text += "\n";
    if (entry.type == EntryType::Directory) {
      for (const std::string& name : must(view_.list(path))) {
        visit(join_path(path, name));
      }
    }
  }

  std::string text;

 private:
  void file(const Entry& entry) {
    FileSource source(must(view_.open(entry)));
    text += " " + Digest::of(must(read_all(source, 64 << 20))).hex().substr(0, 8);
    if (const auto id = must(view_.hard_link_id(entry.path))) {
      const auto [first, is_new] = names_.emplace(*id, entry.path);
      text += is_new ? "" : " same as " + first->second;
    }
  }

  const TreeView& view_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::string> names_;
};

}  // namespace

std::string describe(const TreeView& view) {
  Describer describer(view);
  describer.visit("");
  return describer.text;
}
std::string describe_directory(const std::string& dir) {
  return describe(*must(open_directory_view(dir)));
}
std::string describe_layers(const std::vector<std::string>& layers) {
  return describe(*must(open_layered_view(layers)));
}

namespace {

int pick(std::mt19937& random, int below) {
  return static_cast<int>(random() % static_cast<unsigned>(below));
}

std::vector<std::string> paths_of(const std::string& dir, bool directories) {
  std::vector<std::string> paths;
  const auto view = must(open_directory_view(dir));
  std::vector<std::string> todo = {""};
  while (!todo.empty()) {
    const std::string path = todo.back();
    todo.pop_back();
    for (const std::string& name : must(view->list(path))) {
      std::string child = join_path(path, name);
      const bool is_dir = must(view->lookup(child))->type == EntryType::Directory;
      if (is_dir) {
        todo.push_back(child);
      }
      if (is_dir == directories) {
        paths.push_back(std::move(child));
      }
    }
  }
  std::sort(paths.begin(), paths.end());
  if (directories) {
    paths.insert(paths.begin(), "");
  }
  return paths;
}

void add_randomly(const std::string& dir, std::mt19937& random) {
  const std::vector<std::string> dirs = paths_of(dir, true);
  const std::vector<std::string> files = paths_of(dir, false);
  const std::string& parent = dirs[random() % dirs.size()];
  const std::string path = join_path(parent, fmt::format("n{}", pick(random, 40)));
  if (sys::exists_at(AT_FDCWD, dir + "/" + path)) {
    return;
  }
  const std::int64_t when = 100 + pick(random, 5);
  TreeMaker maker(dir);
  switch (pick(random, 9)) {
    case 0:
    case 1:
      maker.dir(path, pick(random, 2) == 0 ? 0755 : 01777);
      break;
    case 2:
      maker.link(path, fmt::format("../n{}", pick(random, 40)));
      break;
    case 3:
      maker.fifo(path);
      break;
    case 4:
      if (!files.empty()) {
        const std::string& first = files[random() % files.size()];
        if (S_ISREG(must(sys::lstat_at(AT_FDCWD, dir + "/" + first)).st_mode)) {
          maker.hard_link(path, first);
          return;  // its time is the first name's
        }
      }
      [[fallthrough]];
    default: {
      const std::string text(static_cast<std::size_t>(pick(random, 3000)),
                             static_cast<char>('a' + pick(random, 26)));
      maker.file(path, text, pick(random, 4) == 0 ? 04755 : 0644);
      if (pick(random, 4) == 0) {
        maker.xattr(path, "user.note", text.substr(0, 20));
      }
      break;
    }
  }
  if (pick(random, 3) == 0) {
    maker.owner(path, 1000, 50);
  }
  maker.time(path, when);
}

}  // namespace

void make_random_tree(const std::string& dir, std::mt19937& random, int objects) {
  must(make_dirs(dir));
  for (int i = 0; i < objects; ++i) {
    add_randomly(dir, random);
  }
}

void change_randomly(const std::string& dir, std::mt19937& random, int changes) {
  for (int i = 0; i < changes; ++i) {
    std::vector<std::string> paths = paths_of(dir, pick(random, 3) == 0);
    const std::string path = paths.empty() ? "" : paths[random() % paths.size()];
    const int what = pick(random, 6);
    if (path.empty() || what == 0) {
      add_randomly(dir, random);
    } else if (what == 1) {
      must(remove_tree(dir + "/" + path));
    } else if (what == 2) {
      must(remove_tree(dir + "/" + path));
      TreeMaker(dir).file(path, "replaced", 0600);
    } else if (what == 3) {
      must(remove_tree(dir + "/" + path));
      TreeMaker(dir).dir(path).file(path + "/new", "in a new directory");
    } else if (what == 4) {
      must(sys::fchown_at(AT_FDCWD, dir + "/" + path, 7, 8));
    } else {
      must(sys::set_times_at(AT_FDCWD, dir + "/" + path,
                             {.tv_sec = 500 + pick(random, 3), .tv_nsec = 0}));
    }
  }
}

std::string make_archive(const std::vector<ArchiveEntry>& entries) {
  StringSink sink;
  TarWriter writer(sink);
  for (const ArchiveEntry& item : entries) {
    must(writer.add(item.entry));
    must(writer.write(as_bytes(item.text)));
  }
  must(writer.finish());
  return sink.text;
}

namespace {

ArchiveEntry archive_entry(const std::string& path, EntryType type) {
  ArchiveEntry item;
  item.entry.path = path;
  item.entry.type = type;
  item.entry.mode = 0644;
  item.entry.mtime.tv_sec = 7;
  return item;
}

}  // namespace

ArchiveEntry archive_dir(const std::string& path, mode_t mode, std::int64_t mtime) {
  ArchiveEntry item = archive_entry(path, EntryType::Directory);
  item.entry.mode = mode;
  item.entry.mtime.tv_sec = mtime;
  return item;
}
ArchiveEntry archive_file(const std::string& path, const std::string& text) {
  ArchiveEntry item = archive_entry(path, EntryType::File);
  item.entry.size = text.size();
  item.text = text;
  return item;
}
ArchiveEntry archive_link(const std::string& path, const std::string& target) {
  ArchiveEntry item = archive_entry(path, EntryType::Symlink);
  item.entry.link = target;
  item.entry.mode = 0777;
  return item;
}
ArchiveEntry archive_hard_link(const std::string& path, const std::string& first) {
  ArchiveEntry item = archive_entry(path, EntryType::HardLink);
  item.entry.link = first;
  return item;
}
ArchiveEntry archive_whiteout(const std::string& path) {
  return archive_entry(path, EntryType::Whiteout);
}

namespace {

class OwningSource final : public Source {
 public:
  explicit OwningSource(std::string bytes) : bytes_(std::move(bytes)), source_(bytes_) {}
  Result<std::size_t> read(MutableByteSpan buffer) override { return source_.read(buffer); }

 private:
  const std::string bytes_;
  StringSource source_;
};

}  // namespace

LayerBlob blob_of(const std::string& archive) {
  return {.diff_id = Digest::of(archive), .open = [archive]() -> Result<std::unique_ptr<Source>> {
            return std::unique_ptr<Source>(std::make_unique<OwningSource>(archive));
          }};
}

}  // namespace mybuild::snapshotter::testing
