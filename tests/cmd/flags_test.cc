// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/flags.h"

#include "cmd/mybuild/cli/values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Options {
  std::vector<std::string> tags;
  std::string file;
  bool quiet = false;
  bool interactive = false;
};

constexpr Flag<Options> kFlags[] = {
    {{.name = "tag", .letter = 't', .argument = "NAME", .help = "a name", .repeatable = true},
     [](Options& options, std::string_view value) -> Status {
       options.tags.emplace_back(value);
       return {};
     }},
    {{.name = "file", .letter = 'f', .argument = "FILE", .help = "a file"},
     [](Options& options, std::string_view value) -> Status {
       options.file = value;
       return {};
     }},
    {{.name = "quiet", .letter = 'q', .help = "be quiet"},
     [](Options& options, std::string_view value) -> Status {
       options.quiet = TRY(parse_bool(value));
       return {};
     }},
    {{.name = "interactive", .letter = 'i', .help = "be there"},
     [](Options& options, std::string_view value) -> Status {
       options.interactive = TRY(parse_bool(value));
       return {};
     }},
    {{.name = "secret"}},
    {{.name = "memory", .letter = 'm'}},
};

struct Read {
  Options options;
  std::vector<std::string> positionals;
  std::string error;
  std::string hint;
  bool help = false;
};

Read read(const std::vector<std::string>& args,
          FlagSet::Order order = FlagSet::Order::Interspersed) {
  Read out;
  FlagSet flags;
  flags.add(kFlags, out.options);
  auto parsed = flags.parse(args, order);
  if (!parsed) {
    out.error = parsed.error().message();
    out.hint = parsed.error().hint();
  } else {
    out.positionals = parsed->positionals;
    out.help = parsed->help;
  }
  return out;
}

TEST(Flags, AllFormsOfAValueMeanTheSame) {
  for (const std::vector<std::string>& args : std::vector<std::vector<std::string>>{{"--file", "x"},
                                                                                    {"--file=x"},
                                                                                    {"-f", "x"},
                                                                                    {"-fx"},
                                                                                    {"-f=x"},
                                                                                    {"-qf", "x"},
                                                                                    {"-iqfx"}}) {
    const Read got = read(args);
    EXPECT_EQ(got.error, "");
    EXPECT_EQ(got.options.file, "x") << args.front();
    EXPECT_THAT(got.positionals, IsEmpty());
  }
}

TEST(Flags, OptionsMayStandAfterPositionals) {
  const Read got = read({".", "-t", "a", "--quiet", "--tag=b"});
  EXPECT_THAT(got.positionals, ElementsAre("."));
  EXPECT_THAT(got.options.tags, ElementsAre("a", "b"));
  EXPECT_TRUE(got.options.quiet);
}

TEST(Flags, InRunOrderAllAfterTheFirstPositionalIsLeftAlone) {
  const Read got = read({"-it", "x", "image", "-q", "--nothing"}, FlagSet::Order::FlagsFirst);
  EXPECT_TRUE(got.options.interactive);
  EXPECT_FALSE(got.options.quiet);
  EXPECT_THAT(got.positionals, ElementsAre("image", "-q", "--nothing"));
}

TEST(Flags, TwoDashesEndTheOptions) {
  EXPECT_THAT(read({"-q", "--", "-t", "--"}).positionals, ElementsAre("-t", "--"));
}

TEST(Flags, ASingleDashIsAPositional) {
  EXPECT_THAT(read({"-"}).positionals, ElementsAre("-"));
}

TEST(Flags, ASwitchTakesItsValueOnlyWithAnEqualsSign) {
  EXPECT_TRUE(read({"--quiet=true"}).options.quiet);
  EXPECT_FALSE(read({"-q", "--quiet=false"}).options.quiet);
  EXPECT_FALSE(read({"-q", "-q=0"}).options.quiet);
  EXPECT_THAT(read({"--quiet", "false"}).positionals, ElementsAre("false"));
}

TEST(Flags, AValueMayBeEmptyOrLookLikeAnOption) {
  EXPECT_EQ(read({"--file="}).error, "");
  EXPECT_EQ(read({"-f", "--quiet"}).options.file, "--quiet");
}

TEST(Flags, ErrorsNameTheOptionAsWritten) {
  EXPECT_EQ(read({"--file"}).error, "flag needs an argument: --file");
  EXPECT_EQ(read({"-qf"}).error, "flag needs an argument: 'f' in -qf");
  EXPECT_EQ(read({"-qx"}).error, "unknown shorthand flag: 'x' in -qx");
  EXPECT_EQ(
      read({"--quiet=maybe"}).error,
      "invalid argument \"maybe\" for \"-q, --quiet\" flag: expected true or false, not 'maybe'");
}

TEST(Flags, AnUnknownOptionIsRefusedWithAGuess) {
  EXPECT_EQ(read({"--taag", "x"}).error, "unknown flag: --taag");
  EXPECT_EQ(read({"--taag", "x"}).hint, "did you mean --tag?");
  EXPECT_EQ(read({"--zzzzzz"}).hint, "");
}

TEST(Flags, WhatDockerHasAndWeDoNotIsRefusedByName) {
  for (const std::string arg : {"--secret", "--secret=id=x", "-m", "-m512m", "--memory"}) {
    const Read got = read({arg});
    EXPECT_THAT(got.error, testing::EndsWith("is not supported yet")) << arg;
  }
  EXPECT_EQ(read({"-m512m"}).error, "--memory is not supported yet");
}

TEST(Flags, HelpStopsTheReading) {
  EXPECT_TRUE(read({"--help", "--nonsense"}).help);
  EXPECT_TRUE(read({"-h"}).help);
  EXPECT_EQ(read({"--nonsense", "--help"}).error, "unknown flag: --nonsense");
}

}  // namespace
}  // namespace mybuild::cli
