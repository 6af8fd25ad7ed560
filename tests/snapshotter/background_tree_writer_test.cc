// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/background_tree_writer.h"

#include "snapshotter/base/sys.h"
#include "snapshotter/tree_entry.h"
#include "tests/snapshotter/tree_support.h"

#include <unistd.h>

#include <cerrno>
#include <list>

namespace mybuild::snapshotter::testing {
namespace {

using Bytes = BackgroundTreeWriter::Bytes;

Bytes bytes_of(const std::string& text) {
  const ByteSpan bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

class BackgroundTreeWriterTest : public ::testing::Test {
 protected:
  Entry& entry(EntryType type, const std::string& path, mode_t mode = 0640) {
    Entry& made = list_.emplace_back();
    made.type = type;
    made.path = path;
    made.mode = mode;
    made.uid = ::geteuid();
    made.gid = ::getegid();
    made.mtime.tv_sec = 7;
    return made;
  }
  Status file(const std::string& path, const std::string& text) {
    Entry& made = entry(EntryType::File, path);
    made.size = text.size();
    return writer_->write(made, bytes_of(text), text.size(), true);
  }
  std::string text_of(const std::string& path) { return must(read_file(dir_.path() + "/" + path)); }

  TempDir dir_ = must(TempDir::create());
  std::list<Entry> list_;  // they stay where they are
  std::unique_ptr<BackgroundTreeWriter> writer_ =
      std::make_unique<BackgroundTreeWriter>(must(sys::open(dir_.path(), O_RDONLY | O_DIRECTORY)));
};

TEST_F(BackgroundTreeWriterTest, more_files_than_can_wait_are_written_in_order) {
  for (int d = 0; d < 3; ++d) {
    const std::string dir = "d" + std::to_string(d);
    must(writer_->add(entry(EntryType::Directory, dir, 0750)));
    for (int f = 1000; f < 2000; ++f) {
      must(file(dir + "/f" + std::to_string(f), dir + std::to_string(f)));
    }
    Entry& link = entry(EntryType::HardLink, dir + "/link");
    link.link = dir + "/f1999";
    must(writer_->add(link));
  }
  must(writer_->finish());
  EXPECT_EQ(text_of("d0/f1000"), "d01000");
  EXPECT_EQ(text_of("d2/f1999"), "d21999");
  const struct stat info = must(sys::lstat_at(AT_FDCWD, dir_.path() + "/d1/link"));
  EXPECT_EQ(info.st_nlink, 2U);
  EXPECT_EQ(info.st_mode & 07777U, 0640U);
  EXPECT_EQ(info.st_mtim.tv_sec, 7);
  for (const char* dir : {"/d0", "/d1", "/d2"}) {
    const struct stat made = must(sys::lstat_at(AT_FDCWD, dir_.path() + dir));
    EXPECT_EQ(made.st_mtim.tv_sec, 7) << "something was made in " << dir << " after its end";
    EXPECT_EQ(made.st_mode & 07777U, 0750U);
  }
}

TEST_F(BackgroundTreeWriterTest, a_file_may_be_larger_than_what_can_wait) {
  const std::string chunk(1 << 20, 'x');
  Entry& large = entry(EntryType::File, "large", 04755);
  large.uid = 5;
  for (int i = 0; i < 40; ++i) {
    Bytes buffer = writer_->buffer();
    buffer.assign(as_bytes(chunk).begin(), as_bytes(chunk).end());
    must(writer_->write(large, std::move(buffer), chunk.size(), false));
  }
  must(writer_->write(large, bytes_of("end, and what is not meant"), 3, true));
  must(writer_->finish());
  const std::string text = text_of("large");
  EXPECT_EQ(text.size(), (40U << 20U) + 3);
  EXPECT_TRUE(text.ends_with("xxend"));
  const struct stat info = must(sys::lstat_at(AT_FDCWD, dir_.path() + "/large"));
  EXPECT_EQ(info.st_mode & 07777U, 04755U) << "a change of the owner takes the set-id bit";
  EXPECT_EQ(info.st_uid, 5U);
}

TEST_F(BackgroundTreeWriterTest,
       a_file_that_the_caller_made_is_there_at_once_and_can_be_handed_over) {
  for (int i = 100; i < 200; ++i) {
    must(file("f" + std::to_string(i), "x"));
  }
  Entry& made = entry(EntryType::File, "made");
  Fd fd = must(writer_->create(made));
  EXPECT_EQ(text_of("f199"), "x");
  must(sys::write_all(fd.get(), as_bytes(std::string("first "))));
  writer_->hand_over(std::move(fd));
  must(writer_->write(made, bytes_of("then"), 4, true));
  must(writer_->finish());
  EXPECT_EQ(text_of("made"), "first then");
}

TEST_F(BackgroundTreeWriterTest, what_went_wrong_is_said_and_nothing_is_written_after_it) {
  for (int i = 100; i < 200; ++i) {
    must(file("f" + std::to_string(i), "x"));
  }
  (void)file("f150", "taken");
  Status later;
  for (int i = 0; i < 5000 && later; ++i) {
    later = file("later" + std::to_string(i), "x");
  }
  const Status finished = writer_->finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().os_errno(), EEXIST);
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, dir_.path() + "/later4999"));
}

TEST_F(BackgroundTreeWriterTest, one_that_is_given_up_ends) {
  for (int i = 100; i < 2000; ++i) {
    must(file("f" + std::to_string(i), "x"));
  }
  writer_.reset();
  EXPECT_TRUE(sys::exists_at(AT_FDCWD, dir_.path() + "/f100"));
}

}  // namespace
}  // namespace mybuild::snapshotter::testing
