// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/tar_reader.h"
#include "tests/archive/fake_contents.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace mybuild::snapshotter {
namespace {

class RandomList {
 public:
  explicit RandomList(unsigned seed) : random_(seed) {}

  ChangeList make(FakeContents& contents) {
    ChangeList list;
    std::vector<std::string> directories = {""};
    const std::size_t count = 1 + pick(40);
    for (std::size_t i = 0; i < count; ++i) {
      Entry entry = random_entry(directories[pick(directories.size())], contents, list);
      if (entry.type == EntryType::Directory) {
        directories.push_back(entry.path);
      }
      list.push_back(std::move(entry));
    }
    std::sort(list.begin(), list.end(),
              [](const Entry& a, const Entry& b) { return path_less(a.path, b.path); });
    list.erase(std::unique(list.begin(), list.end(),
                           [](const Entry& a, const Entry& b) { return a.path == b.path; }),
               list.end());
    return list;
  }

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }

  std::string random_name() {
    static const std::vector<std::string> kNames = {"a",
                                                    "bin",
                                                    "ä",
                                                    "e\xcc\x81",
                                                    "\xff\xfe",
                                                    "x y",
                                                    "n\nl",
                                                    std::string(99, 'l'),
                                                    std::string(100, 'm'),
                                                    std::string(101, 'n'),
                                                    std::string(255, 'o')};
    return kNames[pick(kNames.size())] + std::to_string(pick(30));
  }

  std::string random_bytes(std::size_t size) {
    std::string bytes(size, '\0');
    std::generate(bytes.begin(), bytes.end(), [this] { return static_cast<char>(pick(256)); });
    return bytes;
  }

  Entry random_entry(const std::string& parent, FakeContents& contents, const ChangeList& list) {
    const std::string path = parent.empty() ? random_name() : parent + "/" + random_name();
    Entry entry =
        make_entry(path, static_cast<EntryType>(1 + pick(8)), static_cast<mode_t>(pick(010000)));
    if (entry.type == EntryType::Whiteout) {
      return make_whiteout(path);
    }
    if (entry.type == EntryType::HardLink && list.empty()) {
      entry.type = EntryType::Fifo;
    }
    entry.uid = pick(3) == 0 ? 4'000'000'000U : static_cast<uid_t>(pick(70'000));
    entry.gid = pick(3) == 0 ? 2'097'152U : static_cast<gid_t>(pick(70'000));
    static const std::vector<std::int64_t> kTimes = {
        0, 1, -1, 1'700'000'000, 8'589'934'591, 8'589'934'592, -99'999'999'999};
    entry.mtime.tv_sec = kTimes[pick(kTimes.size())];
    if (entry.type == EntryType::File) {
      contents.bytes[path] =
          random_bytes(std::vector<std::size_t>{0, 1, 511, 512, 513, 3000}[pick(6)]);
      entry.size = contents.bytes[path].size();
    } else if (entry.type == EntryType::Symlink) {
      entry.link = pick(2) == 0 ? "../" + random_name() : "/" + std::string(pick(200) + 1, 't');
    } else if (entry.type == EntryType::HardLink) {
      entry.link = list[pick(list.size())].path;
      if (entry.link == entry.path) {
        entry.link = "elsewhere";
      }
    } else if (entry.type == EntryType::Directory) {
      entry.opaque = pick(4) == 0;
    } else if (entry.type != EntryType::Fifo) {
      entry.device_major = static_cast<std::uint32_t>(pick(4096));
      entry.device_minor = static_cast<std::uint32_t>(pick(1 << 20));
    }
    if (pick(4) == 0) {
      entry.xattrs.set("security.capability", random_bytes(20));
      entry.xattrs.set("user.n\n", random_bytes(pick(300)));
    }
    return entry;
  }

  std::mt19937 random_;
};

/// Reads a layer back, with opaque marks merged into their directories and contents hashed.
Result<ChangeList> read_back(const std::string& tar) {
  StringSource source(tar);
  TarReader reader = TRY(TarReader::open(source, {}));
  ChangeList list;
  for (;;) {
    std::optional<Entry> entry = TRY(reader.next());
    if (!entry) {
      return list;
    }
    if (entry->opaque) {
      list.back().opaque = list.back().path == entry->path;
      continue;
    }
    if (entry->type == EntryType::File) {
      Hasher hasher;
      std::vector<std::byte> buffer(777);
      for (std::size_t count = 1; count != 0;) {
        count = TRY(reader.read(buffer));
        hasher.update(ByteSpan(buffer).first(count));
      }
      entry->content = hasher.finish();
    }
    list.push_back(std::move(*entry));
  }
}

TEST(TarRoundTrip, AnyListComesBackAsItWas) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    FakeContents contents;
    ChangeList list = RandomList(seed).make(contents);
    const std::string tar = layer_tar(list, contents);
    const Result<ChangeList> back = read_back(tar);
    ASSERT_TRUE(back) << "seed " << seed << ": " << back.error().message();
    ASSERT_EQ(back->size(), list.size()) << "seed " << seed;
    for (std::size_t i = 0; i < list.size(); ++i) {
      ASSERT_EQ(back->at(i).path, list[i].path) << "seed " << seed;
      ASSERT_EQ(back->at(i).mtime.tv_sec, list[i].mtime.tv_sec)
          << "seed " << seed << " " << list[i].path;
      ASSERT_EQ(change_digest({back->at(i)}), change_digest({list[i]}))
          << "seed " << seed << " " << list[i].path;
    }
    ASSERT_EQ(change_digest(*back), change_digest(list)) << "seed " << seed;
  }
}

TEST(TarRoundTrip, EveryTruncationIsDataLossOrAShorterListButNeverACrash) {
  FakeContents contents;
  ChangeList list = RandomList(7).make(contents);
  const std::string tar = layer_tar(list, contents);
  for (std::size_t size = 0; size < tar.size(); size += 97) {
    const Result<ChangeList> back = read_back(tar.substr(0, size));
    if (back) {
      EXPECT_TRUE(size % 512 == 0 || size > tar.size() - 1024) << size;
    } else if (size > 512) {
      EXPECT_EQ(back.error().kind(), ErrorKind::DataLoss) << size << ": " << back.error().message();
    }
  }
}

TEST(TarRoundTrip, FlippedBitsNeverCrash) {
  FakeContents contents;
  ChangeList list = RandomList(11).make(contents);
  const std::string tar = layer_tar(list, contents);
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string broken = tar;
    for (int flips = 0; flips < 3; ++flips) {
      broken[random() % broken.size()] ^= static_cast<char>(1U << (random() % 8));
    }
    (void)read_back(broken);
  }
}

}  // namespace
}  // namespace mybuild::snapshotter
