// SPDX-License-Identifier: Apache-2.0
#include "builder/export/output_file.h"

#include "snapshotter/base/sys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdlib.h>
#include <unistd.h>

namespace mybuild::exporter {
namespace {

using testing::ElementsAre;

class OutputFileTest : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return join_path(dir_.path(), name); }
  std::vector<std::string> names() const {
    const Fd fd = sys::open(dir_.path(), O_RDONLY | O_DIRECTORY).value();
    return sys::list_dir(fd.get()).value();
  }
  TempDir dir_ = TempDir::create().value();
};

TEST_F(OutputFileTest, TheFileIsThereOnlyAfterCommit) {
  {
    OutputFile file = OutputFile::open(path("out")).value();
    ASSERT_TRUE(file.write(as_bytes("dropped")));
  }
  EXPECT_THAT(names(), ElementsAre());
  OutputFile file = OutputFile::open(path("out")).value();
  const std::string large(3 << 20, 'x');
  ASSERT_TRUE(file.write(as_bytes("head")));
  ASSERT_TRUE(file.write(as_bytes(large)));
  ASSERT_TRUE(file.write(as_bytes("tail")));
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, path("out")));
  ASSERT_TRUE(std::move(file).commit());
  EXPECT_EQ(read_file(path("out")).value(), "head" + large + "tail");
}

TEST_F(OutputFileTest, ALinkStaysALinkToTheNewFile) {
  ASSERT_TRUE(write_file(path("real"), "old"));
  ASSERT_TRUE(sys::symlink_at("real", AT_FDCWD, path("link")));
  OutputFile file = OutputFile::open(path("link")).value();
  ASSERT_TRUE(file.write(as_bytes("new")));
  ASSERT_TRUE(std::move(file).commit());
  EXPECT_EQ(read_file(path("real")).value(), "new");
  EXPECT_EQ(sys::readlink_at(AT_FDCWD, path("link")).value(), "real");
}

TEST_F(OutputFileTest, APipeIsWrittenToAndNotReplaced) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  const Fd reader = sys::open(path("fifo"), O_RDONLY | O_NONBLOCK).value();
  OutputFile file = OutputFile::open(path("fifo")).value();
  ASSERT_TRUE(file.write(as_bytes("bytes")));
  ASSERT_TRUE(std::move(file).commit());
  std::byte buffer[16];
  EXPECT_EQ(sys::read(reader.get(), buffer).value(), 5U);
  EXPECT_TRUE(S_ISFIFO(sys::lstat_at(AT_FDCWD, path("fifo")).value().st_mode));
}

TEST_F(OutputFileTest, ADirectoryIsRefused) {
  const auto file = OutputFile::open(dir_.path());
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().message(), dir_.path() + " is a directory");
}

TEST_F(OutputFileTest, AMissingFolderIsNamed) {
  const auto file = OutputFile::open(path("missing/out"));
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().kind(), ErrorKind::NotFound);
  EXPECT_THAT(file.error().message(), testing::StartsWith("create " + path("missing/out")));
}

TEST_F(OutputFileTest, ATerminalIsRefused) {
  const Fd master(::posix_openpt(O_RDWR | O_NOCTTY));
  ASSERT_EQ(::unlockpt(master.get()), 0);
  const Fd slave = sys::open(::ptsname(master.get()), O_RDWR | O_NOCTTY).value();
  const Fd ours = sys::dup(STDOUT_FILENO).value();
  ::dup2(slave.get(), STDOUT_FILENO);
  const auto file = OutputFile::open("-");
  ::dup2(ours.get(), STDOUT_FILENO);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().message(), "refusing to write an archive to a terminal");
}

}  // namespace
}  // namespace mybuild::exporter
