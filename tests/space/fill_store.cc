// SPDX-License-Identifier: Apache-2.0
// fill_store ROOT COUNT: a state directory with so many layers, a cache record and (every fourth) a
// compressed form for each, an image for every hundred of them. Not a test: for who measures prune
// and du.
#include "snapshotter/base/file.h"
#include "snapshotter/content/local_store.h"
#include "snapshotter/layer_store.h"

#include <fmt/format.h>

#include <cstdlib>

namespace mybuild {
namespace {

using namespace snapshotter;

Result<Digest> add_layer(LayerStore& layers, Metadata& metadata, int number) {
  const TempDir draft = TRY(layers.scratch());
  const std::string dir = join_path(draft.path(), "fs");
  TRY(make_dirs(join_path(dir, "folder")));
  for (int file = 0; file < 3; ++file) {
    TRY(write_file(fmt::format("{}/folder/{}", dir, file), fmt::format("{} {}\n", number, file)));
  }
  const Layer layer = TRY(layers.commit_tree(dir));
  const Digest key = Digest::of(fmt::format("key {}", number));
  TRY(metadata.put_record(
      {.definition_key = key,
       .content_key = Digest::of(fmt::format("content {}", number)),
       .output = layer.diff_id,
       .body = fmt::format(R"({{"diff_id":"{}","text":"{:*<300}"}})", layer.diff_id.str(), number),
       .created = 1,
       .layer = layer.diff_id}));
  if (number % 4 == 0) {
    TRY(layers.ensure_blob(layer.diff_id, {}));
  }
  return layer.diff_id;
}

Status fill(const std::string& root, int count) {
  TRY(make_dirs(root, 0700));
  const auto content = TRY(make_local_content_store(root));
  const auto metadata = TRY(Metadata::open(join_path(root, "state.db")));
  const auto layers = TRY(LayerStore::open(root, *content, *metadata));
  for (int number = 0; number < count; ++number) {
    const Digest layer = TRY(add_layer(*layers, *metadata, number));
    if (number % 100 == 0) {
      const BlobInfo config = TRY(content->put(fmt::format(
          R"({{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":["{}"]}}}})",
          layer.str())));
      TRY(metadata->put_image({.name = fmt::format("docker.io/library/i{}:latest", number),
                               .config = config.digest,
                               .created = number,
                               .size = 1}));
    }
  }
  return {};
}

}  // namespace
}  // namespace mybuild

int main(int argc, char** argv) {
  const mybuild::Status done = argc == 3 ? mybuild::fill(argv[1], std::atoi(argv[2]))
                                         : mybuild::invalid_argument("fill_store ROOT COUNT");
  if (!done) {
    fmt::print(stderr, "ERROR: {}\n", done.error().message());
  }
  return done ? 0 : 1;
}
