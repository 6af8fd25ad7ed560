// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/command.h"
#include "cmd/mybuild/cli/descriptor_table.h"
#include "cmd/mybuild/cli/verb_table.h"
#include "cmd/mybuild/standard_streams.h"
#include "cmd/mybuild/verbs.h"

#include <fmt/core.h>

#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>
#include <system_error>
#include <vector>

namespace mybuild::cli {

namespace {

constexpr Verb kVerbs[] = {
    {"build", "Build an image from a Dockerfile (also without the word)", build_verb},
    {"run", "Run a program in a new container", run_verb},
    {"start", "Run a stopped container again", start_verb},
    {"stop", "Stop running containers", stop_verb},
    {"kill", "Send a signal to running containers", kill_verb},
    {"ps", "List containers", ps_verb},
    {"rm", "Remove containers and their files", rm_verb},
    {"container", "Manage containers: ls, inspect, prune and the verbs above", container_verb},
    {"image", "Manage images: ls, inspect, rm, prune and the verbs below", image_verb},
    {"volume", "Manage volumes: ls, create, rm, inspect, prune", volume_verb},
    {"cache-mount", "Manage what RUN --mount=type=cache keeps: ls, rm, export, import",
     cache_mount_verb},
    {"images", "List the images of the local store", images_verb},
    {"history", "Show the instructions an image was made by, with sizes and layers", history_verb},
    {"explain", "Say why the steps of a build ran again, or did not", explain_verb},
    {"inspect", "Print what is known about containers, images and volumes, as JSON", inspect_verb},
    {"rmi", "Remove images from the local store", rmi_verb},
    {"tag", "Give an image one more name", tag_verb},
    {"pull", "Download an image from its registry", pull_verb},
    {"push", "Upload an image to its registry", push_verb},
    {"login", "Log in to a registry", login_verb},
    {"logout", "Forget the login to a registry", logout_verb},
    {"manifest", "Images of registries as one for several platforms: create, annotate, push",
     manifest_verb},
    {"load", "Take the images of an archive into the local store", load_verb},
    {"save", "Write images to an archive", save_verb},
    {"du", "Show what the state directory is filled with", du_verb},
    {"fsck", "Read everything in the state directory and say what is damaged", fsck_verb},
    {"cache-flush", "Publish to the cache server what builds have left", cache_flush_verb},
    {"prune", "Remove what is kept for later builds and nothing needs", prune_verb},
    {"serve", "Serve a build cache to a team, and be a registry", serve_verb},
    {"builder", "docker's longer names: build, du, prune", builder_verb},
    {"buildx", "The same as builder", buildx_verb},
    {"version", "Print the version", version_verb},
};

/// A thread that cannot be started, or memory that is not there, ends us wherever it happens.
[[noreturn]] void say_what_ended_it() {
  try {
    if (const std::exception_ptr error = std::current_exception()) {
      std::rethrow_exception(error);
    }
  } catch (const std::system_error& error) {
    print_err(
        fmt::format("ERROR: a thread could not be started: {}\n"
                    "hint: see `ulimit -u` and `ulimit -v`\n",
                    error.code().message()));
    std::_Exit(1);
  } catch (const std::bad_alloc&) {
    print_err("ERROR: there is not enough memory\nhint: see `ulimit -v`\n");
    std::_Exit(1);
  } catch (const std::exception& bug) {
    print_err(std::string("ERROR: internal: ") + bug.what() + "\n");
  }
  std::abort();
}

}  // namespace

}  // namespace mybuild::cli

int main(int argc, char** argv) {
  mybuild::cli::occupy_standard_streams();
  mybuild::cli::enlarge_descriptor_table();
  ::signal(SIGCHLD, SIG_DFL);  // ignored, as by some who start us, it leaves nobody to wait for
  std::set_terminate(mybuild::cli::say_what_ended_it);
  try {
    const std::vector<std::string> args(argv + std::min(argc, 1), argv + argc);
    return mybuild::cli::dispatch(mybuild::cli::kVerbs, args);
  } catch (const std::exception& bug) {
    mybuild::cli::print_err(std::string("ERROR: internal: ") + bug.what() + "\n");
    return 1;
  }
}
