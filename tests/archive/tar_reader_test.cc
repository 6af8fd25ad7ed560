// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/tar_reader.h"

#include "snapshotter/archive/codec.h"
#include "snapshotter/base/file.h"
#include "tests/archive/fake_contents.h"
#include "tests/support/run_tool.h"

#include <gtest/gtest.h>

#include <clocale>

namespace mybuild::snapshotter {
namespace {

struct Member {
  Entry entry;
  std::string bytes;
};

Result<std::vector<Member>> read_members(std::string_view tar, TarReader::Options options = {}) {
  StringSource source(tar);
  TarReader reader = TRY(TarReader::open(source, options));
  std::vector<Member> members;
  for (;;) {
    std::optional<Entry> entry = TRY(reader.next());
    if (!entry) {
      return members;
    }
    Member member{std::move(*entry), {}};
    std::vector<std::byte> buffer(1000);
    for (std::size_t count = 1; count != 0;) {
      count = TRY(reader.read(buffer));
      member.bytes.append(as_text(ByteSpan(buffer).first(count)));
    }
    members.push_back(std::move(member));
  }
}

/// Python's tarfile makes archives that our own writer would not. A body fills one archive:
/// add(name, data, **fields) adds a member. All bodies run in one interpreter.
std::vector<std::string> python_tars(const std::vector<std::string>& bodies,
                                     const std::string& format = "PAX_FORMAT") {
  std::string script =
      "import sys,tarfile,io\n"
      "def add(name, data=b'', **fields):\n"
      "  i=tarfile.TarInfo(name)\n"
      "  i.size=len(data)\n"
      "  for k,v in fields.items(): setattr(i,k,v)\n"
      "  t.addfile(i, io.BytesIO(data))\n";
  for (const std::string& body : bodies) {
    script += "o=io.BytesIO()\nt=tarfile.open(fileobj=o,mode='w',format=tarfile." + format +
              ",errors='surrogateescape')\n" + body +
              "\nt.close()\nsys.stdout.buffer.write(b'%8d'%len(o.getvalue())+o.getvalue())\n";
  }
  const std::string output = output_of({"python3", "-c", script});
  std::vector<std::string> tars;
  for (std::size_t at = 0; at < output.size();) {
    tars.push_back(output.substr(at + 8, std::stoul(output.substr(at, 8))));
    at += 8 + tars.back().size();
  }
  EXPECT_EQ(tars.size(), bodies.size());
  tars.resize(bodies.size());
  return tars;
}
std::string python_tar(const std::string& body, const std::string& format = "PAX_FORMAT") {
  return python_tars({body}, format).front();
}

ErrorKind refusal_of(const std::string& tar, TarReader::Options options = {}) {
  const Result<std::vector<Member>> members = read_members(tar, options);
  EXPECT_FALSE(members);
  return members ? ErrorKind::Internal : members.error().kind();
}

TEST(TarReader, ReadsEveryDialectAlike) {
  const std::string body =
      "add('d/'+'l'*90+'/'+'m'*60, b'x'*700, uid=7, gid=8, mode=0o4755, mtime=99)\n"
      "add('s', type=b'2', linkname='../t')\n"
      "add('h', type=b'1', linkname='./s')\n"
      "add('c', type=b'3', devmajor=1, devminor=3)\n"
      "add('p', type=b'6')\n";
  for (const char* const format : {"PAX_FORMAT", "GNU_FORMAT", "USTAR_FORMAT"}) {
    const Result<std::vector<Member>> members = read_members(python_tar(body, format));
    ASSERT_TRUE(members) << format << members.error().message();
    ASSERT_EQ(members->size(), 5U) << format;
    const Entry& file = (*members)[0].entry;
    EXPECT_EQ(file.path, "d/" + std::string(90, 'l') + "/" + std::string(60, 'm'));
    EXPECT_EQ((*members)[0].bytes, std::string(700, 'x'));
    EXPECT_EQ(file.uid, 7U);
    EXPECT_EQ(file.gid, 8U);
    EXPECT_EQ(file.mode, 04755U);
    EXPECT_EQ(file.mtime.tv_sec, 99);
    EXPECT_EQ((*members)[1].entry.link, "../t");
    EXPECT_EQ((*members)[2].entry.link, "s");
    EXPECT_EQ((*members)[2].entry.type, EntryType::HardLink);
    EXPECT_EQ((*members)[3].entry.device_minor, 3U);
    EXPECT_EQ((*members)[4].entry.type, EntryType::Fifo);
  }
}

TEST(TarReader, NamesStayTheBytesTheyWere) {
  // Composed and decomposed, Latin-1, in every dialect; no locale may touch them.
  ASSERT_NE(std::setlocale(LC_ALL, "C"), nullptr);
  for (const char* const format : {"PAX_FORMAT", "GNU_FORMAT", "USTAR_FORMAT"}) {
    const auto members =
        read_members(python_tar("for n in ('\\u00e4', 'a\\u0308', '\\udcff\\udcfe'):\n"
                                "  add(n, type=b'2', linkname=n)\n",
                                format));
    ASSERT_TRUE(members) << members.error().message();
    const std::vector<std::string> expected = {"\xc3\xa4", "a\xcc\x88", "\xff\xfe"};
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ((*members)[i].entry.path, expected[i]) << format;
      EXPECT_EQ((*members)[i].entry.link, expected[i]) << format;
    }
  }
}

TEST(TarReader, ReadsSparseFilesOfGnuTarWithTheirHoles) {
  const auto directory = TempDir::create();
  const std::string file = directory->path() + "/sparse";
  const Fd fd = sys::open(file, O_RDWR | O_CREAT, 0644).value();
  std::string expected(20 << 20, '\0');
  for (const std::size_t at : {std::size_t{0}, std::size_t{1} << 20, std::size_t{5} << 20,
                               std::size_t{6} << 20, std::size_t{7} << 20, std::size_t{12} << 20}) {
    ASSERT_EQ(::pwrite(fd.get(), "island", 6, static_cast<off_t>(at)), 6);
    expected.replace(at, 6, "island");
  }
  ASSERT_TRUE(sys::ftruncate(fd.get(), static_cast<off_t>(expected.size())));
  ASSERT_TRUE(sys::link_at(AT_FDCWD, file, AT_FDCWD, directory->path() + "/twin"));
  const std::vector<std::vector<std::string>> flavours = {
      {"--format=gnu"},
      {"--format=pax", "--sparse-version=0.0"},
      {"--format=pax", "--sparse-version=0.1"},
      {"--format=pax", "--sparse-version=1.0"},
  };
  for (const auto& flavour : flavours) {
    std::vector<std::string> argv = {"tar", "--sparse", "-C", directory->path(), "-cf", "-"};
    argv.insert(argv.end(), flavour.begin(), flavour.end());
    argv.insert(argv.end(), {"sparse", "twin"});
    const std::string tar = output_of(argv);
    if (tar.size() > 1 << 20) {
      GTEST_SKIP() << "this file system does not tell where holes are";
    }
    const auto members = read_members(tar);
    ASSERT_TRUE(members) << flavour.back() << ": " << members.error().message();
    ASSERT_EQ(members->size(), 2U);
    EXPECT_EQ((*members)[0].entry.path, "sparse") << flavour.back();
    EXPECT_EQ((*members)[0].entry.size, expected.size()) << flavour.back();
    EXPECT_TRUE((*members)[0].bytes == expected) << flavour.back();
    EXPECT_EQ((*members)[1].entry.type, EntryType::HardLink) << flavour.back();
  }
}

TEST(TarReader, SkipsContentsNobodyReads) {
  const std::string tar = python_tar("add('a', b'x'*300000)\nadd('b', b'y')\n");
  StringSource source(tar);
  Result<TarReader> reader = TarReader::open(source, {});
  EXPECT_EQ((*reader->next())->path, "a");
  EXPECT_EQ((*reader->next())->path, "b");
  EXPECT_FALSE(*reader->next());
  EXPECT_FALSE(*reader->next()) << "asking again is fine";
}

TEST(TarReader, KeepsOnlyCarriedAttributes) {
  const auto members = read_members(python_tar(
      "add('a', pax_headers={'SCHILY.xattr.user.x':'1', 'SCHILY.xattr.trusted.overlay.opaque':'y',"
      " 'SCHILY.xattr.user.overlay.opaque':'y', 'SCHILY.xattr.security.selinux':'label',"
      " 'LIBARCHIVE.xattr.user.y%3a':'aGFsbG8=', 'LIBARCHIVE.xattr.user.x':'Mg=='})\n"));
  ASSERT_TRUE(members) << members.error().message();
  EXPECT_EQ((*members)[0].entry.xattrs.map(),
            (std::map<std::string, std::string>{{"user.x", "1"}, {"user.y:", "hallo"}}));
}

TEST(TarReader, TimesMayBeNegativeAndFractional) {
  const auto members = read_members(python_tar(
      "add('a', pax_headers={'mtime':'-1.25'})\nadd('b', pax_headers={'mtime':'5.1234567891'})\n"));
  EXPECT_EQ((*members)[0].entry.mtime.tv_sec, -2);
  EXPECT_EQ((*members)[0].entry.mtime.tv_nsec, 750'000'000);
  EXPECT_EQ((*members)[1].entry.mtime.tv_nsec, 123'456'789);
  const auto gnu = read_members(python_tar("add('a', mtime=-5)\n", "GNU_FORMAT"));
  EXPECT_EQ((*gnu)[0].entry.mtime.tv_sec, -5);
}

TEST(TarReader, CleansPathsButKeepsLinkTargets) {
  const auto members =
      read_members(python_tar("add('/etc/./x//y')\nadd('../../up')\nadd('./', type=b'5')\nadd('l', "
                              "type=b'2', linkname='/a/../b/')\n"
                              "add('h', type=b'1', linkname='/etc/../etc/x/y')\n"));
  ASSERT_TRUE(members);
  EXPECT_EQ((*members)[0].entry.path, "etc/x/y");
  EXPECT_EQ((*members)[1].entry.path, "up");
  EXPECT_EQ((*members)[2].entry.path, "");
  EXPECT_EQ((*members)[3].entry.link, "/a/../b/");
  EXPECT_EQ((*members)[4].entry.link, "etc/x/y");
}

TEST(TarReader, TranslatesDeletionMarksInLayersOnly) {
  const std::string tar = python_tar(
      "add('d/.wh.gone')\nadd('d/.wh..wh..opq')\nadd('.wh..wh.plnk/12.34', "
      "b'aufs')\nadd('.wh..wh.aufs')\n");
  const auto layer = read_members(tar);
  ASSERT_TRUE(layer) << layer.error().message();
  ASSERT_EQ(layer->size(), 2U);
  EXPECT_EQ((*layer)[0].entry.type, EntryType::Whiteout);
  EXPECT_EQ((*layer)[0].entry.path, "d/gone");
  EXPECT_EQ((*layer)[1].entry.type, EntryType::Directory);
  EXPECT_TRUE((*layer)[1].entry.opaque);
  EXPECT_EQ((*layer)[1].entry.path, "d");
  const auto plain = read_members(tar, {.layer = false});
  EXPECT_EQ((*plain)[0].entry.path, "d/.wh.gone");
  EXPECT_EQ((*plain)[0].entry.type, EntryType::File);
  EXPECT_EQ(plain->size(), 4U);
}

TEST(TarReader, RefusesTricks) {
  const std::vector<std::string> tricks = {
      "add('a/.wh.')",
      "add('.wh...')",
      "add('.wh..')",
      "add('.wh.x/y')",
      "add('.wh.x/.wh.y')",
      "add('h', type=b'1', linkname='a/.wh.b')",
      "add('h', type=b'1', linkname='.wh..wh..opq')",
      "add('h', type=b'1', linkname='h')",
      "add('h', type=b'1', linkname='/')",
      "add('l', type=b'2', linkname='')",
      "add('./', type=b'1', linkname='x')",
      "add('..')",
      "add('')",
      "add('x', pax_headers={'path':'a\\0b'})",
      "add('x', pax_headers={'uid':'5000000000'})",
      "add('x', pax_headers={'uid':'-1'})",
      "add('x', pax_headers={'mtime':'1e9'})",
  };
  const std::vector<std::string> tars = python_tars(tricks);
  for (std::size_t i = 0; i < tricks.size(); ++i) {
    EXPECT_EQ(refusal_of(tars[i]), ErrorKind::InvalidArgument) << tricks[i];
  }
  EXPECT_EQ(refusal_of(python_tar("add('x', type=b'M')")), ErrorKind::Unsupported);
}

TEST(TarReader, HostileSparseMapsAreRefused) {
  std::vector<std::string> bodies;
  for (const std::string map :
       {"0,5,3,2", "10,5", "0,99999999999999", "5", "18446744073709551615,2", "0,1"}) {
    bodies.push_back("add('x', b'hello', pax_headers={'GNU.sparse.map':'" + map +
                     "','GNU.sparse.size':'12','GNU.sparse.numblocks':'1'})");
  }
  bodies.push_back(
      "add('x', b'9'*512, "
      "pax_headers={'GNU.sparse.major':'1','GNU.sparse.minor':'0','GNU.sparse.realsize':'12'})");
  const std::vector<std::string> tars = python_tars(bodies);
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    EXPECT_EQ(refusal_of(tars[i]), ErrorKind::InvalidArgument) << bodies[i];
  }
}

TEST(TarReader, ReadsCompressedArchives) {
  FakeContents contents;
  ChangeList list = {make_file("a", "abc", contents)};
  const std::string tar = layer_tar(list, contents);
  for (const oci::Compression compression : {oci::Compression::Gzip, oci::Compression::Zstd}) {
    StringSink packed;
    const auto compressor = make_compressor({.compression = compression, .level = {}}, packed);
    ASSERT_TRUE(compressor->write(as_bytes(tar)));
    ASSERT_TRUE(compressor->finish());
    EXPECT_EQ((*read_members(packed.text))[0].bytes, "abc");
    EXPECT_EQ(
        refusal_of(packed.text.substr(0, packed.text.size() - 3)),
        compression == oci::Compression::Gzip ? ErrorKind::DataLoss : ErrorKind::InvalidArgument);
  }
}

TEST(TarReader, SaysWhenItIsNoTar) {
  for (const std::string& text :
       {std::string("#!/bin/sh\necho hello\n"), std::string(2000, 'x'), std::string(100, '\0')}) {
    StringSource source(text);
    const Result<TarReader> reader = TarReader::open(source, {});
    ASSERT_FALSE(reader);
    EXPECT_EQ(reader.error().kind(), ErrorKind::InvalidArgument);
  }
}

TEST(TarReader, NothingAndZerosAreEmptyArchives) {
  EXPECT_EQ(read_members("")->size(), 0U);
  EXPECT_EQ(read_members(std::string(512, '\0'))->size(), 0U);
  EXPECT_EQ(read_members(std::string(10240, '\0'))->size(), 0U);
}

TEST(TarReader, ReadsItsSourceToTheEndSoThatHashesAreWhole) {
  class Counting final : public Source {
   public:
    explicit Counting(std::string_view text) : inner_(text) {}
    Result<std::size_t> read(MutableByteSpan buffer) override {
      const std::size_t count = TRY(inner_.read(buffer));
      total += count;
      return count;
    }
    std::size_t total = 0;

   private:
    StringSource inner_;
  };
  const std::string tar = python_tar("add('a')") + std::string(300'000, '\0') + "padding";
  Counting source(tar);
  Result<TarReader> reader = TarReader::open(source, {});
  while (*reader->next()) {
  }
  EXPECT_EQ(source.total, tar.size());
}

}  // namespace
}  // namespace mybuild::snapshotter
