// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/build_options.h"
#include "cmd/mybuild/cli/cache_mount_options.h"
#include "cmd/mybuild/cli/container_options.h"
#include "cmd/mybuild/cli/image_options.h"
#include "cmd/mybuild/cli/inspect_options.h"
#include "cmd/mybuild/cli/login_options.h"
#include "cmd/mybuild/cli/manifest_options.h"
#include "cmd/mybuild/cli/prune_options.h"
#include "cmd/mybuild/cli/run_options.h"
#include "cmd/mybuild/cli/serve_options.h"
#include "cmd/mybuild/cli/store_options.h"
#include "cmd/mybuild/cli/transfer_options.h"
#include "cmd/mybuild/cli/verb_table.h"
#include "cmd/mybuild/cli/volume_options.h"
#include "cmd/mybuild/progress/text.h"
#include "tests/cmd/golden.h"

#include <gtest/gtest.h>

namespace mybuild::cli {
namespace {

template <class Options>
std::string help_of(const Command<Options>& command) {
  Options options;
  FlagSet flags;
  command.add_flags(flags, options);
  return help_text(command.text, flags);
}

void expect_narrow(const std::string& text) {
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    EXPECT_LE(progress::display_width(text.substr(start, end - start)), 80U)
        << text.substr(start, end - start);
    start = end + 1;
  }
}

TEST(Help, OfEachVerbIsMadeFromItsTable) {
  const std::pair<std::string, std::string> kTexts[] = {
      {"build", help_of(kBuildCommand)},
      {"run", help_of(kRunCommand)},
      {"images", help_of(kImagesCommand)},
      {"inspect", help_of(kInspectCommand)},
      {"rmi", help_of(kRmiCommand)},
      {"version", help_of(kVersionCommand)},
      {"ps", help_of(kPsCommand)},
      {"start", help_of(kStartCommand)},
      {"stop", help_of(kStopCommand)},
      {"kill", help_of(kKillCommand)},
      {"rm", help_of(kRmCommand)},
      {"container inspect", help_of(kContainerInspectCommand)},
      {"container prune", help_of(kContainerPruneCommand)},
      {"volume ls", help_of(kVolumeListCommand)},
      {"volume create", help_of(kVolumeCreateCommand)},
      {"volume rm", help_of(kVolumeRmCommand)},
      {"volume inspect", help_of(kVolumeInspectCommand)},
      {"volume prune", help_of(kVolumePruneCommand)},
      {"cache-mount ls", help_of(kCacheMountListCommand)},
      {"cache-mount rm", help_of(kCacheMountRmCommand)},
      {"cache-mount export", help_of(kCacheMountExportCommand)},
      {"cache-mount import", help_of(kCacheMountImportCommand)},
  };
  std::string all;
  for (const auto& [verb, text] : kTexts) {
    expect_narrow(text);
    all += "===== " + verb + "\n" + text;
  }
  expect_golden("help.txt", all);
}

TEST(Help, OfTheVerbsThatMoveAndDescribeImages) {
  const std::pair<std::string, std::string> kTexts[] = {
      {"pull", help_of(kPullCommand)},
      {"push", help_of(kPushCommand)},
      {"load", help_of(kLoadCommand)},
      {"save", help_of(kSaveCommand)},
      {"tag", help_of(kTagCommand)},
      {"history", help_of(kHistoryCommand)},
      {"du", help_of(kDuCommand)},
      {"explain", help_of(kExplainCommand)},
      {"prune", help_of(kPruneCommand)},
      {"image prune", help_of(kImagePruneCommand)},
      {"fsck", help_of(kFsckCommand)},
      {"cache-flush", help_of(kCacheFlushCommand)},
      {"manifest inspect", help_of(kManifestInspectCommand)},
      {"manifest create", help_of(kManifestCreateCommand)},
      {"manifest annotate", help_of(kManifestAnnotateCommand)},
      {"manifest push", help_of(kManifestPushCommand)},
      {"manifest rm", help_of(kManifestRmCommand)},
      {"login", help_of(kLoginCommand)},
      {"serve", help_of(kServeCommand)},
      {"serve token create", help_of(kTokenCreateCommand)},
      {"serve token ls", help_of(kTokenListCommand)},
      {"serve token revoke", help_of(kTokenRevokeCommand)},
      {"serve namespace create", help_of(kSpaceCreateCommand)},
      {"serve namespace ls", help_of(kSpaceListCommand)},
      {"logout", help_of(kLogoutCommand)},
  };
  std::string all;
  for (const auto& [verb, text] : kTexts) {
    expect_narrow(text);
    all += "===== " + verb + "\n" + text;
  }
  expect_golden("help_transfer.txt", all);
}

TEST(Help, UsageErrorsSayWhereToReadOn) {
  EXPECT_EQ(
      usage_error_text(kRmiCommand.text, invalid_argument("unknown flag: --x").with_hint("try y")),
      "ERROR: unknown flag: --x\n"
      "hint: try y\n"
      "\n"
      "Usage:  mybuild rmi [OPTIONS] IMAGE [IMAGE...]\n"
      "\n"
      "Run 'mybuild rmi --help' for more information\n");
}

std::vector<std::string> seen;
int first(std::span<const std::string> args) {
  seen.assign(args.begin(), args.end());
  seen.insert(seen.begin(), "first");
  return 1;
}
int second(std::span<const std::string> args) {
  seen.assign(args.begin(), args.end());
  seen.insert(seen.begin(), "second");
  return 2;
}
constexpr Verb kVerbs[] = {{"build", "Build", first}, {"images", "List", second}};

TEST(Verbs, TheFirstWordDecidesAndBuildIsTheDefault) {
  using Words = std::vector<std::string>;
  const std::pair<Words, Words> kCases[] = {
      {{"-t", "x", "."}, {"first", "-t", "x", "."}},
      {{"."}, {"first", "."}},
      {{"build", "."}, {"first", "."}},
      {{"images", "-q"}, {"second", "-q"}},
      {{"--root", "/r", "images"}, {"second", "--root", "/r"}},
      {{"--root=/r", "--debug", "images", "-q"}, {"second", "--root=/r", "--debug", "-q"}},
      {{"--root", "images", "."}, {"first", "--root", "images", "."}},
      {{"help", "images"}, {"second", "--help"}},
  };
  for (const auto& [args, want] : kCases) {
    dispatch(kVerbs, args);
    EXPECT_EQ(seen, want) << args.front();
  }
}

TEST(Verbs, AMistypedVerbGetsAGuess) {
  seen.clear();
  testing::internal::CaptureStderr();
  EXPECT_EQ(dispatch(kVerbs, {"imgaes"}), 1);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "ERROR: unknown command: mybuild imgaes\nhint: did you mean 'mybuild images'?\n");
  EXPECT_TRUE(seen.empty());
}

}  // namespace
}  // namespace mybuild::cli
