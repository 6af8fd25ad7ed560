// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/output_spec.h"

#include "snapshotter/base/file.h"

#include <gtest/gtest.h>

namespace mybuild::cli {
namespace {

using exporter::OutputType;

struct Case {
  std::string_view text;
  OutputType type;
  std::string_view dest;
};

TEST(OutputSpec, ShortAndLongFormsAreBuildxs) {
  const Case kCases[] = {
      {"out", OutputType::Local, "out"},
      {"-", OutputType::Tar, "-"},
      {"type=local,dest=out", OutputType::Local, "out"},
      {"type=tar", OutputType::Tar, "-"},
      {"type=tar,dest=x.tar", OutputType::Tar, "x.tar"},
      {"dest=x.tar,type=oci", OutputType::Oci, "x.tar"},
      {"type=oci,\"dest=a,b\"", OutputType::Oci, "a,b"},
      {"type=docker,dest=x.tar", OutputType::Docker, "x.tar"},
      {"type=docker", OutputType::Docker, ""},
      {"type=image,push=false,oci-mediatypes=true", OutputType::Image, ""},
      {"type=cacheonly", OutputType::CacheOnly, ""},
  };
  for (const Case& want : kCases) {
    const auto got = parse_output(want.text);
    ASSERT_TRUE(got) << want.text << ": " << got.error().message();
    EXPECT_EQ(got->type, want.type) << want.text;
    EXPECT_EQ(got->dest, want.dest) << want.text;
  }
}

TEST(OutputSpec, OptionsReachTheSpec) {
  const auto got = parse_output(
      "type=oci,dest=x,tar=false,compression=zstd,compression-level=19,rewrite-timestamp=true,"
      "\"name=a,b:1\"");
  ASSERT_TRUE(got) << got.error().message();
  EXPECT_FALSE(got->tar);
  EXPECT_EQ(got->compression.compression, oci::Compression::Zstd);
  EXPECT_EQ(got->compression.level, 19);
  EXPECT_TRUE(got->rewrite_timestamp);
  ASSERT_EQ(got->names.size(), 2U);
  EXPECT_EQ(got->names[1].familiar(), "b:1");
}

TEST(OutputSpec, AnImageWhoseFormIsSaidKeepsItsBlobs) {
  for (const char* text : {"type=image,compression=gzip", "type=image,compression-level=3",
                           "type=image,force-compression=true"}) {
    EXPECT_TRUE(parse_output(text).value().keep_blobs) << text;
  }
  for (const char* text : {"type=image", "type=image,name=a", "type=oci,dest=x,compression=gzip",
                           "type=image,store=false,push=true,compression=zstd"}) {
    EXPECT_FALSE(parse_output(text).value().keep_blobs) << text;
  }
}

TEST(OutputSpec, WhatDecidesHowAnImageIsPushed) {
  const auto got = parse_output(
      "type=image,name=h.example/r,push=true,push-by-digest=true,name-canonical=true,"
      "registry.insecure=true,store=false,oci-mediatypes=false");
  ASSERT_TRUE(got) << got.error().message();
  EXPECT_TRUE(got->push && got->push_by_digest && got->insecure && got->docker_types);
  EXPECT_FALSE(got->store);
  const auto usual = parse_output("type=image,name=h.example/r");
  ASSERT_TRUE(usual);
  EXPECT_TRUE(usual->store && !usual->push_by_digest && !usual->insecure && !usual->docker_types);
  EXPECT_EQ(parse_output("type=local,dest=d,platform-split=false")->platform_split, false);
}

TEST(OutputSpec, MistakesAreNamed) {
  const std::pair<std::string_view, std::string_view> kCases[] = {
      {"", "'' is not key=value"},
      {"\"\"", "'' is not key=value"},
      {"dest=x", "an output needs a type"},
      {"type=x", "output option type: unknown output type 'x'"},
      {"type=registry,push=false", "type=registry always pushes"},
      {"type=oci,push=true", "push=true goes with type=image and type=registry only"},
      {"type=registry,dest=x", "this output type takes no dest"},
      {"type=local,dest=d,force-compression=true", "compression goes with image types"},
      {"type=oci,annotation-foo.a=b", "unknown annotation type 'foo'"},
      {"type=oci,annotation.=b", "an annotation needs a key"},
      {"type=oci,annotation-index=b", "an annotation needs a key"},
      {"type=oci,annotations.a=b", "unknown output option 'annotations.a'"},
      {"type=oci,source-date-epoch=x", "output option source-date-epoch: 'x' is not a number"},
      {"type=oci,compresion=gzip", "unknown output option 'compresion'"},
      {"type=oci,x", "'x' is not key=value"},
      {"type=local", "type=local needs dest=DIR"},
      {"type=local,dest=-", "type=local needs dest=DIR"},
      {"type=oci,tar=false", "tar=false needs dest=DIR"},
      {"type=tar,tar=false,dest=x", "tar=false goes with type=oci and type=docker only"},
      {"type=image,dest=x", "this output type takes no dest"},
      {"type=oci,compression=xz", "output option compression: compression 'xz' is not known"},
      {"type=oci,compression-level=10",
       "compression-level 10 is not between 0 and 9, the levels of gzip"},
      {"type=oci,compression-level=23",
       "output option compression-level: 23 is not between 0 and 22"},
      {"type=image,push-by-digest=maybe", "output option push-by-digest: "},
      {"type=image,push-by-diges=true", "unknown output option 'push-by-diges'"},
      {"type=local,dest=d,mode=delete", "output option mode: mode=delete is not supported"},
      {"type=image,name=UPPER", "output option name: "},
  };
  for (const auto& [text, message] : kCases) {
    const auto got = parse_output(text);
    ASSERT_FALSE(got) << text;
    EXPECT_EQ(got.error().message().substr(0, message.size()), message) << text;
  }
}

TEST(OutputSpec, AnArchiveIsNotWrittenToATerminalOrOverADirectory) {
  const auto dir = TempDir::create();
  ASSERT_TRUE(dir);
  const std::string file = dir->path() + "/file";
  ASSERT_TRUE(write_file(file, ""));

  EXPECT_FALSE(check_output_target(*parse_output("type=oci"), true));
  EXPECT_TRUE(check_output_target(*parse_output("type=oci"), false));
  EXPECT_FALSE(check_output_target(*parse_output("type=oci,dest=" + dir->path()), false));
  EXPECT_TRUE(check_output_target(*parse_output("type=oci,tar=false,dest=" + dir->path()), false));
  EXPECT_TRUE(check_output_target(*parse_output("type=tar,dest=" + file), false));
  EXPECT_FALSE(check_output_target(*parse_output("type=local,dest=" + file), false));
  EXPECT_TRUE(check_output_target(*parse_output("type=local,dest=" + dir->path() + "/new"), false));
  EXPECT_TRUE(check_output_target(*parse_output("type=image"), true));
}

}  // namespace
}  // namespace mybuild::cli
