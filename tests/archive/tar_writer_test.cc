// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/tar_writer.h"

#include "snapshotter/archive/codec.h"
#include "snapshotter/archive/tar_reader.h"
#include "snapshotter/base/file.h"
#include "tests/archive/fake_contents.h"
#include "tests/support/run_tool.h"

#include <gtest/gtest.h>

namespace mybuild::snapshotter {
namespace {

/// One of everything, with names and numbers that need extended headers.
ChangeList one_of_everything(FakeContents& contents) {
  ChangeList list;
  list.push_back(make_directory("bin", 0755));
  list.push_back(make_file("bin/tool", "#!/bin/sh\n", contents, 04755));
  list.back().xattrs.set("security.capability", std::string("\x01\0\0\x02\0=\n", 7));
  list.push_back(make_link("bin/tool2", EntryType::HardLink, "bin/tool"));
  list.push_back(make_whiteout("bin/old"));
  list.push_back(make_directory("cache"));
  list.back().opaque = true;
  list.push_back(make_entry("dev", EntryType::CharDevice, 0620));
  list.back().device_major = 10;
  list.back().device_minor = 300;
  list.push_back(make_file(std::string(120, 'x'), std::string(1000, 'y'), contents));
  list.push_back(make_link("\xc3\xa4", EntryType::Symlink, "/usr/\xc3\xb6"));
  list.back().uid = 4'000'000'000U;
  list.back().mtime = {-7, 500'000'000};
  std::sort(list.begin(), list.end(),
            [](const Entry& a, const Entry& b) { return path_less(a.path, b.path); });
  return list;
}

TEST(TarWriter, TheEmptyLayerIs1024Zeros) {
  ChangeList none;
  const std::string tar = layer_tar(none, {});
  EXPECT_TRUE(tar == std::string(1024, '\0'));
  EXPECT_EQ(Digest::of(tar).hex(),
            "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef")
      << "the diff id every builder gives it";
}

TEST(TarWriter, AMemberThatFitsUstarIsWrittenByteForByteAsGoDoes) {
  FakeContents contents;
  ChangeList list = {make_file("etc/motd", "hi\n", contents, 0640)};
  list[0].uid = 1000;
  list[0].gid = 100;
  list[0].mtime.tv_sec = 1'600'000'000;
  std::string expected("etc/motd");
  expected.resize(100, '\0');
  expected += std::string(
      "0000640\0"
      "0001750\0"
      "0000144\0"
      "00000000003\0"
      "13727410000\0",
      48);
  expected += std::string(
      "010712\0 "
      "0",
      9);
  expected.resize(257, '\0');
  expected += std::string(
      "ustar\0"
      "00",
      8);
  expected.resize(329, '\0');
  expected += std::string(
      "0000000\0"
      "0000000\0",
      16);
  expected.resize(512, '\0');
  expected += "hi\n";
  expected.resize(1024 + 1024, '\0');
  EXPECT_TRUE(layer_tar(list, contents) == expected);
}

/// testdata/archive/go_pax_layer.tar.gz was written by buildah (Go's archive/tar, Format PAX) from
/// a tree with every kind of awkward name, owner, time and attribute; its file type bits in the
/// mode were removed, as BuildKit's writer has none.
TEST(TarWriter, WritesTheSameBytesAsGosPaxWriter) {
  Result<std::string> packed =
      read_file(MYBUILD_SOURCE_DIR "/testdata/archive/go_pax_layer.tar.gz");
  ASSERT_TRUE(packed);
  StringSource packed_source(*packed);
  const auto plain = make_decompressor(packed_source);
  const std::string expected = read_all(**plain, 1 << 20).value();
  StringSource source(expected);
  Result<TarReader> reader = TarReader::open(source, {});
  ASSERT_TRUE(reader);
  StringSink sink;
  TarWriter writer(sink);
  int members = 0;
  for (auto entry = reader->next(); entry && *entry; entry = reader->next(), ++members) {
    ASSERT_TRUE(writer.add(**entry));
    std::vector<std::byte> buffer(4096);
    const std::size_t count = reader->read(buffer).value();
    ASSERT_TRUE(writer.write(ByteSpan(buffer).first(count)));
    ASSERT_TRUE(expected.starts_with(sink.text)) << (*entry)->path;
  }
  ASSERT_TRUE(writer.finish());
  EXPECT_EQ(members, 37);
  EXPECT_TRUE(sink.text == expected);
}

TEST(TarWriter, GnuTarAndPythonSeeWhatWasMeant) {
  FakeContents contents;
  ChangeList list = one_of_everything(contents);
  const auto directory = TempDir::create();
  const std::string file = directory->path() + "/layer.tar";
  ASSERT_TRUE(write_file(file, layer_tar(list, contents)));
  const std::string listing = output_of({"tar", "--numeric-owner", "--utc", "-tvf", file});
  EXPECT_NE(
      listing.find("hrw-r--r-- 0/0               0 1970-01-01 00:00 bin/tool2 link to bin/tool"),
      std::string::npos)
      << listing;
  const std::string script =
      "import sys,tarfile\n"
      "t=tarfile.open(sys.argv[1])\n"
      "for m in t: print(m.name.encode(), m.type, oct(m.mode), m.uid, m.size, int(m.mtime), "
      "m.linkname.encode(),"
      " m.devmajor, m.devminor)\n";
  EXPECT_EQ(output_of({"python3", "-c", script, file}),
            "b'bin' b'5' 0o755 0 0 0 b'' 0 0\n"
            "b'bin/.wh.old' b'0' 0o0 0 0 0 b'' 0 0\n"
            "b'bin/tool' b'0' 0o4755 0 10 0 b'' 0 0\n"
            "b'bin/tool2' b'1' 0o644 0 0 0 b'bin/tool' 0 0\n"
            "b'cache' b'5' 0o755 0 0 0 b'' 0 0\n"
            "b'cache/.wh..wh..opq' b'0' 0o0 0 0 0 b'' 0 0\n"
            "b'dev' b'3' 0o620 0 0 0 b'' 10 300\n"
            "b'" +
                std::string(120, 'x') +
                "' b'0' 0o644 0 1000 0 b'' 0 0\n"
                "b'\\xc3\\xa4' b'2' 0o777 4000000000 0 -7 b'/usr/\\xc3\\xb6' 0 0\n");
}

TEST(TarWriter, LearnsTheContentsDigestOnTheWay) {
  FakeContents contents;
  ChangeList list = {make_file("a", "abc", contents)};
  (void)layer_tar(list, contents);
  EXPECT_EQ(list[0].content, Digest::of("abc"));
}

Error error_of(ChangeList list, const FakeContents& contents) {
  TextHasher sink;
  const Status status = write_layer_tar(list, contents, sink);
  EXPECT_FALSE(status);
  return status ? internal_error("no error") : status.error();
}

TEST(TarWriter, WhoNeedsNoDigestsGetsTheSameBytes) {
  FakeContents contents;
  ChangeList list = {make_file("a", "abc", contents),
                     make_file("b", std::string(5000, 'b'), contents)};
  StringSink sink;
  ASSERT_TRUE(write_unhashed_layer_tar(list, contents, sink));
  EXPECT_FALSE(list[0].content);
  EXPECT_EQ(sink.text, layer_tar(list, contents));
  list[1].size = 4999;
  const Status grown = write_unhashed_layer_tar(list, contents, sink);
  ASSERT_FALSE(grown);
  EXPECT_EQ(grown.error().kind(), ErrorKind::DataLoss);
}

TEST(TarWriter, AFileThatIsNotWhatTheListSaysIsDataLoss) {
  FakeContents contents;
  Entry file = make_file("a", "abc", contents);
  file.size = 2;
  EXPECT_EQ(error_of({file}, contents).kind(), ErrorKind::DataLoss);
  file.size = 4;
  EXPECT_EQ(error_of({file}, contents).kind(), ErrorKind::DataLoss);
  file.size = 3;
  file.content = Digest::of("abd");
  EXPECT_EQ(error_of({file}, contents).kind(), ErrorKind::DataLoss);
}

TEST(TarWriter, NamesThatALayerReaderWouldTakeForDeletionsAreRefused) {
  EXPECT_EQ(error_of({make_directory("a/.wh.b")}, {}).kind(), ErrorKind::InvalidArgument);
  EXPECT_EQ(error_of({make_directory(".wh..wh..opq")}, {}).kind(), ErrorKind::InvalidArgument);
}

TEST(TarWriter, AnUnsortedListIsOurOwnMistake) {
  EXPECT_EQ(error_of({make_directory("b"), make_directory("a")}, {}).kind(), ErrorKind::Internal);
  EXPECT_EQ(error_of({make_directory("a"), make_directory("a")}, {}).kind(), ErrorKind::Internal);
}

TEST(TarWriter, ClampsOnlyLaterTimes) {
  FakeContents contents;
  ChangeList list = {make_directory("early"), make_directory("late")};
  list[0].mtime.tv_sec = 100;
  list[1].mtime.tv_sec = 300;
  const std::string tar = layer_tar(list, contents, {.max_mtime = 200});
  EXPECT_EQ(tar.substr(136, 11), "00000000144");
  EXPECT_EQ(tar.substr(512 + 136, 11), "00000000310");
}

TEST(TarWriter, TheRootIsWrittenOnlyWhenTheListHasIt) {
  ChangeList list = {make_directory("", 0700)};
  list[0].opaque = true;
  const std::string tar = layer_tar(list, {});
  EXPECT_EQ(tar.substr(0, 3), std::string("./\0", 3));
  EXPECT_EQ(tar.substr(512, 13), std::string(".wh..wh..opq\0", 13));
}

TEST(TarWriter, AddFileMakesAMemberOfItsOwn) {
  StringSink sink;
  TarWriter writer(sink);
  ASSERT_TRUE(writer.add_file("index.json", "{}"));
  ASSERT_TRUE(writer.add_file("oci-layout", "{}", 0600, 5));
  ASSERT_TRUE(writer.finish());
  EXPECT_EQ(sink.text.size(), 2 * 1024U + 1024U);
  StringSource source(sink.text);
  Result<TarReader> reader = TarReader::open(source, {.layer = false});
  EXPECT_EQ((*reader->next())->path, "index.json");
  const std::optional<Entry> second = *reader->next();
  EXPECT_EQ(second->mode, 0600U);
  EXPECT_EQ(second->mtime.tv_sec, 5);
}

TEST(TarWriter, CountsTheBytesOfAMember) {
  StringSink sink;
  TarWriter writer(sink);
  Entry entry = make_entry("a", EntryType::File);
  entry.size = 3;
  ASSERT_TRUE(writer.add(entry));
  EXPECT_FALSE(writer.write(as_bytes("abcd")));
  EXPECT_FALSE(writer.finish()) << "three bytes are missing";
}

}  // namespace
}  // namespace mybuild::snapshotter
