// SPDX-License-Identifier: Apache-2.0
// Options of the verbs that read or move whole images: pull, push, load, save, tag, fsck. Value
// types.
#pragma once

#include "builder/transfer.h"
#include "cmd/mybuild/cli/command.h"
#include "cmd/mybuild/cli/global_options.h"
#include "cmd/mybuild/progress/mode.h"

namespace mybuild::cli {

/// What they have in common: where the state is and how the work is shown.
struct TransferOptions {
  GlobalOptions global = {};
  progress::Mode progress = progress::Mode::Auto;
  bool quiet = false;
};

/// --progress.
void add_progress_flag(FlagSet& flags, TransferOptions& options);

struct PullOptions : TransferOptions {
  builder::PullRequest request;
  bool all_tags = false;
};

struct PushOptions : TransferOptions {
  oci::Reference name;
  bool all_tags = false;
};

/// As docker shows a repository without a tag.
std::string repository_text(oci::Reference name, bool full);

struct LoadOptions : TransferOptions {
  std::string input = "-";
};

struct SaveOptions : TransferOptions {
  std::string output = "-";
  std::vector<std::string> names;
};

struct FsckOptions : TransferOptions {
  bool repair = false;
  bool json = false;
};

struct TagOptions {
  GlobalOptions global = {};
  std::string source;
  oci::Reference name;
};

extern const Command<PullOptions> kPullCommand;
extern const Command<PushOptions> kPushCommand;
extern const Command<LoadOptions> kLoadCommand;
extern const Command<SaveOptions> kSaveCommand;
extern const Command<TransferOptions> kCacheFlushCommand;
extern const Command<FsckOptions> kFsckCommand;
extern const Command<TagOptions> kTagCommand;

}  // namespace mybuild::cli
