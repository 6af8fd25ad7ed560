// SPDX-License-Identifier: Apache-2.0
// The engine's verbs on images of the local store: list, find, inspect, remove.
#include "builder/engine.h"
#include "builder/services.h"
#include "builder/source/image_resolver.h"
#include "snapshotter/reserve.h"

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

std::string short_id(const std::string& id) {
  return id.substr(0, run::kShortId);
}

/// Ids of the containers that are made from an image.
struct ImageUsers {
  std::vector<std::string> running;
  std::vector<std::string> stopped;
};

Result<ImageUsers> users_of(const Digest& image, run::ContainerStore& containers) {
  ImageUsers users;
  for (const run::Container& container : TRY(containers.list())) {
    if (container.record.image_id == image) {
      (container.running() ? users.running : users.stopped).push_back(container.record.id);
    }
  }
  return users;
}

/// docker's rules for an image that would go with this name or id: a stopped container gives way to
/// -f, a running one only lets go of the name.
Status check_unused(const std::string& what, const ImageUsers& users, bool by_name, bool force) {
  const bool running = !users.running.empty();
  if ((!running && users.stopped.empty()) || (force && (by_name || !running))) {
    return {};
  }
  const std::string& user = running ? users.running.front() : users.stopped.front();
  return make_error(ErrorKind::Denied, "conflict: image {} is used by {} container {}", what,
                    running ? "running" : "stopped", short_id(user))
      .with_hint(fmt::format("`mybuild rm {}{}` removes the container{}", running ? "-f " : "",
                             short_id(user), running && !by_name ? "" : "; rmi -f goes ahead"));
}

Status report_untagged(const ImageRow& row, std::vector<std::string>& report) {
  if (!row.name.empty()) {
    const oci::Reference name = TRY(oci::Reference::parse(row.name));
    report.push_back("Untagged: " + name.familiar());
  }
  return {};
}

/// What is left of an image without names. The bytes go with the next collection: a build may be
/// about to name the image again.
Status forget_image(const Digest& config, Engine::Services& own, std::vector<std::string>& report) {
  TRY(own.metadata->remove_repo_digests(config));
  report.push_back("Deleted: " + config.str());
  return {};
}

/// The digest goes alone while the image has another one or a tag, as in docker; with the last of
/// them goes the image.
Result<std::vector<std::string>> remove_digest(oci::Reference reference, const ImageRow& image,
                                               bool force, Engine::Services& own) {
  reference.tag.clear();  // means nothing beside a digest
  const std::string repository = reference.domain + "/" + reference.repository;
  const auto digests = TRY(own.metadata->find_repo_digests(image.config));
  const bool last = image.name.empty() && digests.size() <= 1;
  const ImageUsers users = TRY(users_of(image.config, *own.containers));
  if (last) {
    TRY(check_unused(reference.familiar(), users, true, force));
  }
  TRY(own.metadata->remove_repo_digests(image.config));
  for (const snapshotter::RepoDigestRow& row : digests) {
    if (row.repository != repository || row.manifest != *reference.digest) {
      TRY(own.metadata->put_repo_digest(row));
    }
  }
  std::vector<std::string> report{"Untagged: " + reference.familiar()};
  if (last && users.running.empty()) {
    TRY(own.metadata->remove_image(image.name, image.config));
    TRY(forget_image(image.config, own, report));
  }
  return report;
}

Result<ImageRow> find_any_image(const std::string& name_or_id, snapshotter::Metadata& metadata) {
  const Result<oci::Reference> reference = oci::Reference::parse(name_or_id);
  if (reference) {
    const std::optional<ImageRow> row = TRY(find_named(*reference, metadata));
    if (row) {
      return *row;
    }
  }
  std::optional<ImageRow> found;
  const std::string_view prefix = id_prefix(name_or_id);
  for (const ImageRow& row : TRY(metadata.images())) {
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

}  // namespace

Result<std::vector<ImageRow>> Engine::images() {
  return services_->metadata->images();
}

Result<ImageRow> Engine::find_image(const std::string& name_or_id,
                                    const std::optional<oci::Platform>& platform) {
  const ImageRow image = TRY(find_any_image(name_or_id, *services_->metadata));
  if (platform) {
    const std::string text = TRY(image_config(image.config));
    const oci::ImageConfig config = TRY(oci::parse_image_config(text));
    if (oci::match_score(*platform, config.platform) == 0) {
      return not_found("no such image: {} for {}", name_or_id, oci::to_string(*platform))
          .with_hint(
              fmt::format("that of the local store is for {}", oci::to_string(config.platform)));
    }
  }
  return image;
}

Result<std::string> Engine::image_config(const Digest& config) {
  return services_->content->read(config);
}

Result<std::vector<std::string>> Engine::remove_image(const std::string& name_or_id, bool force) {
  const ImageRow image = TRY(find_image(name_or_id));
  const snapshotter::OpenReserve reserve(services_->root);
  const std::vector<ImageRow> rows = TRY(services_->metadata->find_images_by_config(image.config));
  const Result<oci::Reference> reference = oci::Reference::parse(name_or_id);
  if (reference && reference->digest) {
    return remove_digest(*reference, image, force, *services_);
  }
  const bool by_name = reference && reference->str() == image.name;
  if (!by_name && rows.size() > 1 && !force) {
    return Error(ErrorKind::Denied,
                 fmt::format("image {} has several names", short_id(image.config.hex())))
        .with_hint("remove it by name, or with -f by id");
  }
  const bool last = !by_name || rows.size() == 1;
  const ImageUsers users = TRY(users_of(image.config, *services_->containers));
  if (last) {
    TRY(check_unused(name_or_id, users, by_name, force));
  }
  std::vector<std::string> report;
  for (const ImageRow& row : rows) {
    if (!by_name || row.name == image.name) {
      TRY(services_->metadata->remove_image(row.name, row.config));
      TRY(report_untagged(row, report));
    }
  }
  if (last && users.running.empty()) {
    TRY(forget_image(image.config, *services_, report));
  } else if (last) {  // its name is gone, and it goes with the next rmi
    ImageRow nameless = image;
    nameless.name.clear();
    TRY(services_->metadata->put_image(nameless));
  }
  return report;
}

std::vector<Result<frontend::ImageMeta>> Engine::resolve_images(
    const std::vector<frontend::ImageRequest>& requests, bool pull, solver::EventSink& events,
    const Cancel& cancel) {
  return services_->image_resolver(pull, events, cancel)->resolve(requests);
}

}  // namespace mybuild::builder
