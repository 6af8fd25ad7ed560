// SPDX-License-Identifier: Apache-2.0
// `mybuild image …`: docker's longer names of the verbs on images.
#include "cmd/mybuild/cli/verb_table.h"
#include "cmd/mybuild/verbs.h"

namespace mybuild::cli {

namespace {

constexpr Verb kVerbs[] = {
    {"build", "Build an image from a Dockerfile", build_verb},
    {"ls", "List the images of the local store", images_verb},
    {"list", "The same as ls", images_verb},
    {"history", "Show the instructions an image was made by", history_verb},
    {"inspect", "Print what is known about images, as JSON", image_inspect_verb},
    {"rm", "Remove images from the local store", rmi_verb},
    {"tag", "Give an image one more name", tag_verb},
    {"pull", "Download an image from its registry", pull_verb},
    {"push", "Upload an image to its registry", push_verb},
    {"load", "Take the images of an archive into the local store", load_verb},
    {"save", "Write images to an archive", save_verb},
};

}  // namespace

int image_verb(std::span<const std::string> args) {
  return dispatch_group({.name = "image", .summary = "Manage images", .verbs = kVerbs}, args);
}

}  // namespace mybuild::cli
