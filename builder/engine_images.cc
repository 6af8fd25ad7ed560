// SPDX-License-Identifier: Apache-2.0
// The engine's verbs on images of the local store: list, find, inspect, remove, run.
#include "builder/engine.h"
#include "builder/services.h"
#include "snapshotter/base/file.h"

#include <algorithm>

namespace mybuild::builder {

using snapshotter::ImageRow;

namespace {

constexpr std::size_t kMinIdPrefix = 2;

bool is_hex(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// "sha256:<hex>" or a prefix of the hex digits; empty when `text` cannot be an id.
std::string_view id_prefix(std::string_view text) {
  if (text.starts_with("sha256:")) {
    text.remove_prefix(7);
  }
  return is_hex(text) && text.size() >= kMinIdPrefix ? text : std::string_view();
}

/// By tag, or by the digest it has in a repository.
Result<std::optional<ImageRow>> find_named(const oci::Reference& reference,
                                           snapshotter::Metadata& metadata) {
  if (!reference.digest) {
    return metadata.find_image_by_name(reference.str());
  }
  const auto config = TRY(metadata.find_image_by_digest(
      reference.domain + "/" + reference.repository, *reference.digest));
  if (!config) {
    return std::optional<ImageRow>();
  }
  const std::vector<ImageRow> rows = TRY(metadata.find_images_by_config(*config));
  return rows.empty() ? std::optional<ImageRow>() : std::optional(rows.front());
}

}  // namespace

Result<std::vector<ImageRow>> Engine::images() {
  return services_->metadata->images();
}

Result<ImageRow> Engine::find_image(const std::string& name_or_id) {
  const Result<oci::Reference> reference = oci::Reference::parse(name_or_id);
  if (reference) {
    const std::optional<ImageRow> row = TRY(find_named(*reference, *services_->metadata));
    if (row) {
      return *row;
    }
  }
  std::optional<ImageRow> found;
  const std::string_view prefix = id_prefix(name_or_id);
  for (const ImageRow& row : TRY(images())) {
    if (prefix.empty() || !row.config.hex().starts_with(prefix)) {
      continue;
    }
    if (found && found->config != row.config) {
      return invalid_argument("{} is the start of several image ids", name_or_id);
    }
    found = row;
  }
  if (!found) {
    return not_found("no such image: {}", name_or_id)
        .with_hint("`mybuild images` lists what there is; `mybuild -t NAME DIR` builds one");
  }
  return *found;
}

Result<std::string> Engine::image_config(const Digest& config) {
  return services_->content->read(config);
}

Result<std::vector<std::string>> Engine::remove_image(const std::string& name_or_id, bool force) {
  const ImageRow image = TRY(find_image(name_or_id));
  std::vector<ImageRow> rows = TRY(services_->metadata->find_images_by_config(image.config));
  const Result<oci::Reference> reference = oci::Reference::parse(name_or_id);
  const bool by_name = reference && reference->str() == image.name;
  std::vector<ImageRow> doomed;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(doomed),
               [&](const ImageRow& row) { return !by_name || row.name == image.name; });
  if (!by_name && doomed.size() > 1 && !force) {
    return Error(ErrorKind::Denied,
                 fmt::format("image {} has several names", image.config.hex().substr(0, 12)))
        .with_hint("remove it by name, or with -f by id");
  }
  std::vector<std::string> report;
  for (const ImageRow& row : doomed) {
    TRY(services_->metadata->remove_image(row.name, row.config));
    if (!row.name.empty()) {
      const oci::Reference name = TRY(oci::Reference::parse(row.name));
      report.push_back("Untagged: " + name.familiar());
    }
  }
  if (doomed.size() == rows.size()) {
    TRY(services_->metadata->remove_repo_digests(image.config));
    TRY(services_->content->remove(image.config));
    report.push_back("Deleted: " + image.config.str());
  }
  return report;
}

Result<run::ContainerExit> Engine::run(const run::RunRequest& request, const Cancel& cancel) {
  const ImageRow image = TRY(find_image(request.image));
  const std::string text = TRY(image_config(image.config));
  const oci::ImageConfig config = TRY(oci::parse_image_config(text));
  std::vector<std::string> dirs;
  for (std::size_t count = 1; count <= config.diff_ids.size(); ++count) {
    std::optional<std::string> dir =
        TRY(services_->layers->tree(std::span(config.diff_ids).first(count)));
    if (!dir) {
      return data_loss("layer {} of {} is not in the store", config.diff_ids[count - 1].str(),
                       request.image)
          .with_hint("build the image again");
    }
    dirs.push_back(std::move(*dir));
  }
  snapshotter::Snapshotter* snapshotter = TRY(services_->get_snapshotter());
  run::ContainerDeps deps{.sandbox = *services_->sandbox,
                          .snapshotter = *snapshotter,
                          .containers_dir = join_path(services_->root, "containers")};
  return run::run_container(config, request, dirs, deps, cancel);
}

}  // namespace mybuild::builder
