// SPDX-License-Identifier: Apache-2.0
// The verbs of mybuild, one file each. A verb gets its arguments (the verb itself left out) and
// returns the exit status.
#pragma once

#include "builder/engine.h"
#include "cmd/mybuild/cli/global_options.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace mybuild::cli {

int build_verb(std::span<const std::string> args);
int run_verb(std::span<const std::string> args);
int start_verb(std::span<const std::string> args);
int stop_verb(std::span<const std::string> args);
int kill_verb(std::span<const std::string> args);
int ps_verb(std::span<const std::string> args);
int rm_verb(std::span<const std::string> args);
int container_verb(std::span<const std::string> args);
int cache_mount_verb(std::span<const std::string> args);
int manifest_verb(std::span<const std::string> args);
int volume_verb(std::span<const std::string> args);
int images_verb(std::span<const std::string> args);
int image_verb(std::span<const std::string> args);
int inspect_verb(std::span<const std::string> args);
int container_inspect_verb(std::span<const std::string> args);
int image_inspect_verb(std::span<const std::string> args);
int volume_inspect_verb(std::span<const std::string> args);
int rmi_verb(std::span<const std::string> args);
int tag_verb(std::span<const std::string> args);
int pull_verb(std::span<const std::string> args);
int push_verb(std::span<const std::string> args);
int login_verb(std::span<const std::string> args);
int logout_verb(std::span<const std::string> args);
int load_verb(std::span<const std::string> args);
int save_verb(std::span<const std::string> args);
int history_verb(std::span<const std::string> args);
int explain_verb(std::span<const std::string> args);
int du_verb(std::span<const std::string> args);
int cache_flush_verb(std::span<const std::string> args);
int fsck_verb(std::span<const std::string> args);
int prune_verb(std::span<const std::string> args);
int builder_verb(std::span<const std::string> args);
int buildx_verb(std::span<const std::string> args);
int serve_verb(std::span<const std::string> args);
int version_verb(std::span<const std::string> args);

/// What is going to be done with an engine: members of builder::EngineOptions.
struct EngineUse {
  std::size_t jobs = 0;
  bool expects_network = false;
  bool expects_build = false;
};
/// The engine over the state directory that the options name.
Result<std::unique_ptr<builder::Engine>> open_engine(const GlobalOptions& options,
                                                     const EngineUse& use = {});
/// Prints "ERROR: …" and the hint on stderr; returns `status`.
int fail(const Error& error, int status = 1);
/// docker's words at the end of every prune: what went, a line each, and the bytes it had.
std::string prune_text(std::string_view heading, const std::string& removed, std::uint64_t bytes);
/// Says what went wrong beside the program, if anything did; returns the program's status.
int report_exit(const run::ContainerExit& ended);

}  // namespace mybuild::cli
