// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/image_filter.h"
#include "cmd/mybuild/cli/image_list.h"
#include "cmd/mybuild/verbs.h"

namespace mybuild::cli {

namespace {

Status list(const ImagesOptions& options) {
  auto engine = TRY(open_engine(options.global));
  std::vector<ListedImage> list;
  for (auto& row : TRY(engine->images())) {
    auto digests = TRY(engine->repo_digests(row.config));
    list.push_back({.row = std::move(row), .digests = std::move(digests)});
  }
  const ImageLookups lookups{
      .config = [&](const snapshotter::ImageRow& row) -> Result<oci::ImageConfig> {
        const std::string text = TRY(engine->image_config(row.config));
        return oci::parse_image_config(text);
      },
      .find = [&](const std::string& name) { return engine->find_image(name); }};
  const Time now = SystemClock().now();
  list = TRY(wanted_images(std::move(list), options.filters, lookups, now));
  const std::string text = TRY(image_list_text(list, options, now));
  return print_out(text);
}

}  // namespace

int images_verb(std::span<const std::string> args) {
  const auto reading = read_command(kImagesCommand, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  const Status done = list(*reading.options);
  return done ? 0 : fail(done.error());
}

}  // namespace mybuild::cli
