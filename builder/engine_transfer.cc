// SPDX-License-Identifier: Apache-2.0
// The engine's verbs that move whole images: pull, push, load, save, tag.
#include "builder/engine.h"
#include "builder/export/layer_streams.h"
#include "builder/internal_step.h"
#include "builder/services.h"
#include "builder/source/image_importer.h"
#include "builder/stored_image.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/oci/media_type.h"

#include <unistd.h>

#include <algorithm>
#include <map>

namespace mybuild::builder {

using snapshotter::ImageRow;

Result<exporter::BuiltImage> stored_image(const Digest& config, Engine::Services& own) {
  exporter::BuiltImage image;
  image.config_document = TRY(own.content->read(config));
  image.config = TRY(oci::parse_image_config(image.config_document));
  image.platform = image.config.platform;
  for (const Digest& diff_id : image.config.diff_ids) {
    snapshotter::Layer layer;
    layer.diff_id = diff_id;
    layer.blob = TRY(own.layers->original_blob(diff_id));
    image.layers.push_back(std::move(layer));
  }
  return image;
}

namespace {

source::ImageImporter importer(Engine::Services& own, solver::EventSink& events,
                               const Cancel& cancel) {
  return source::ImageImporter({.registry = *own.registry,
                                .content = *own.content,
                                .layers = *own.layers,
                                .metadata = *own.metadata,
                                .lanes = own.lanes,
                                .events = events,
                                .cancel = cancel,
                                .clock = own.clock,
                                .claims = &own.claims});
}

std::string repository_of(const oci::Reference& name) {
  return name.domain + "/" + name.repository;
}

/// Nullopt: not one that we make.
std::optional<oci::Compression> compression_of(const oci::Descriptor& layer) {
  for (const auto compression :
       {oci::Compression::Gzip, oci::Compression::Zstd, oci::Compression::None}) {
    if (oci::oci_media_type(layer.media_type) == oci::layer_media_type(compression)) {
      return compression;
    }
  }
  return std::nullopt;
}

/// Compressed forms of our layers may have been pruned, or damaged: those of the default level come
/// out the same.
Result<bool> can_be_had(const oci::Descriptor& blob, const Digest& diff_id,
                        const std::string& domain, Engine::Services& own) {
  if (TRY(own.content->stat(blob.digest)) ||
      TRY(own.metadata->find_blob_source(domain, blob.digest))) {
    return true;
  }
  const auto compression = compression_of(blob);
  if (!compression || TRY(own.layers->original_blob(diff_id))) {
    return false;
  }
  snapshotter::CompressionSpec form;
  form.compression = *compression;
  const auto made = own.layers->ensure_blob(diff_id, form, {}, snapshotter::BlobChoice::AsAsked);
  return made && made->digest == blob.digest;
}

Result<bool> can_be_had(const oci::Manifest& manifest, const std::vector<Digest>& diff_ids,
                        const std::string& domain, Engine::Services& own) {
  bool whole = manifest.layers.size() == diff_ids.size();
  for (std::size_t i = 0; whole && i < diff_ids.size(); ++i) {
    whole = TRY(can_be_had(manifest.layers[i], diff_ids[i], domain, own));
  }
  return whole;
}

/// The manifest under which the image was built for, pulled from or pushed to its repository, else
/// another one, if all it names can be had: another push of it then keeps the digest.
Result<std::optional<oci::Descriptor>> known_manifest(const exporter::BuiltImage& image,
                                                      const Digest& config,
                                                      const oci::Reference& name,
                                                      Engine::Services& own,
                                                      solver::EventSink& events) {
  auto rows = TRY(own.metadata->find_repo_digests(config));
  const auto is_its_own = [&](const snapshotter::RepoDigestRow& row) {
    return row.repository == repository_of(name);
  };
  const auto others = std::stable_partition(rows.begin(), rows.end(), is_its_own);
  for (auto row = rows.begin(); row != rows.end(); ++row) {
    const Result<std::string> text = own.content->read(row->manifest);
    const Result<oci::Manifest> manifest =
        text ? oci::parse_manifest(*text) : Result<oci::Manifest>(text.error());
    if (!manifest || manifest->config.digest != config) {
      continue;  // gone, or the index the image is in
    }
    if (TRY(can_be_had(*manifest, image.config.diff_ids, name.domain, own))) {
      oci::Descriptor descriptor;
      descriptor.media_type = TRY(oci::document_media_type(*text));
      descriptor.digest = row->manifest;
      descriptor.size = text->size();
      return std::optional(std::move(descriptor));
    }
    if (row < others) {
      events.on_event(solver::Warning{
          .message = fmt::format("{} goes out under another digest than {}", name.familiar(),
                                 row->manifest.str()),
          .detail = "blobs of that manifest are gone, and come out otherwise when they are made "
                    "again; a build with compression= makes them as they were",
          .location = {}});
    }
  }
  return std::optional<oci::Descriptor>();
}

/// "repo" without a tag stands for all tags of the repository, as in docker.
bool in_repository(const ImageRow& row, const std::string& text) {
  const Result<oci::Reference> have = oci::Reference::parse(row.name);
  const Result<oci::Reference> want = oci::Reference::parse(text);
  const bool tagless = text.find(':', text.rfind('/') + 1) == std::string::npos;
  return have && want && tagless && !want->digest && have->domain == want->domain &&
         have->repository == want->repository;
}

/// Images for one archive, each once, with the names that were asked for.
class SaveList {
 public:
  explicit SaveList(Engine::Services& own) : own_(own) {}

  Status add(const ImageRow& row, bool named) {
    const auto [place, fresh] = places_.emplace(row.config, images_.size());
    if (fresh) {
      exporter::BuiltImage image = TRY(stored_image(row.config, own_));
      images_.push_back({.image = std::move(image), .names = {}});
    }
    if (named && !row.name.empty()) {
      images_[place->second].names.push_back(TRY(oci::Reference::parse(row.name)));
    }
    return {};
  }
  const std::vector<exporter::SavedImage>& images() const { return images_; }

 private:
  Engine::Services& own_;
  std::map<Digest, std::size_t> places_;
  std::vector<exporter::SavedImage> images_;
};

/// Standard input as a file that can be read in any order.
Result<std::string> spool_stdin(const TempDir& scratch) {
  const std::string path = join_path(scratch.path(), "stdin.tar");
  const Fd file = TRY(sys::open(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
  FileSource input(TRY(sys::dup(STDIN_FILENO)));
  FileSink output(file.get());
  TRY(copy(input, output));
  return path;
}

/// The file that standard input was copied to is nothing the user knows.
Error name_stdin(const Error& error, const std::string& path) {
  constexpr std::string_view kName = "standard input";
  std::string text = error.message();
  for (std::size_t at = text.find(path); at != std::string::npos;
       at = text.find(path, at + kName.size())) {
    text.replace(at, path.size(), kName);
  }
  return Error(error.kind(), text).with_errno(error.os_errno()).with_hint(error.hint());
}

}  // namespace

Result<PullReport> Engine::pull(const PullRequest& request, solver::EventSink& events,
                                const Cancel& cancel) {
  TRY(services_->get_snapshotter());  // a missing right is said before anything is downloaded
  InternalStep step("pulling " + request.name.familiar(), events, services_->clock);
  source::ImageImporter images = importer(*services_, events, cancel);
  const auto names = TRY(step.done(services_->registry->full_names(request.name)));
  std::size_t chosen = 0;
  auto pulled = images.pull(names[chosen], request.platform, step.id());
  while (!pulled && source::is_elsewhere(pulled.error()) && chosen + 1 < names.size()) {
    pulled = images.pull(names[++chosen], request.platform, step.id());
  }
  const source::PulledImage image = TRY(step.done(std::move(pulled)));
  PullReport report;
  report.name = names[chosen];
  report.digest = image.root;
  report.image_id = image.config;
  report.changed = image.changed;
  return report;
}

Status Engine::pull_all(const PullRequest& request,
                        const std::function<Status(const PullReport&)>& on_pulled,
                        solver::EventSink& events, const Cancel& cancel) {
  const auto names = TRY(services_->registry->full_names(request.name));
  std::size_t chosen = 0;
  auto tags = services_->registry->tags(names[chosen], cancel);
  while (!tags && source::is_elsewhere(tags.error()) && chosen + 1 < names.size()) {
    tags = services_->registry->tags(names[++chosen], cancel);
  }
  for (const std::string& tag : TRY(tags)) {
    const std::string repository = names[chosen].domain + "/" + names[chosen].repository;
    PullRequest one = request;
    one.name = TRY(oci::Reference::parse(repository + ":" + tag).context("tags of " + repository));
    TRY(on_pulled(TRY(pull(one, events, cancel))));
  }
  return {};
}

Result<std::vector<oci::Reference>> Engine::local_tags(const oci::Reference& repository) {
  std::vector<oci::Reference> names;
  for (const ImageRow& row : TRY(images())) {
    if (row.name.empty()) {
      continue;
    }
    oci::Reference name = TRY(oci::Reference::parse(row.name));
    if (name.domain == repository.domain && name.repository == repository.repository) {
      names.push_back(std::move(name));
    }
  }
  std::sort(names.begin(), names.end(),
            [](const auto& left, const auto& right) { return left.tag < right.tag; });
  return names;
}

Result<std::vector<LoadedName>> Engine::load(const std::string& path, solver::EventSink& events,
                                             Cancel& cancel) {
  TRY(services_->get_snapshotter());
  InternalStep step("loading " + (path == "-" ? "standard input" : path), events, services_->clock);
  const TempDir scratch = TRY(services_->layers->scratch());
  const std::string archive = path == "-" ? TRY(step.done(spool_stdin(scratch))) : path;
  source::ImageImporter images = importer(*services_, events, cancel);
  std::vector<LoadedName> report;
  auto all = images.load(archive, oci::host_platform(), step.id());
  if (!all && path == "-") {
    all = name_stdin(all.error(), archive);
  }
  for (const auto& loaded : TRY(step.done(std::move(all)))) {
    LoadedName line{.image_id = loaded.config, .names = {}};
    for (const std::string& name : loaded.names) {
      line.names.push_back(TRY(oci::Reference::parse(name)));
    }
    report.push_back(std::move(line));
  }
  return report;
}

Result<PushReport> Engine::push(const oci::Reference& name, solver::EventSink& events,
                                Cancel& cancel) {
  if (name.digest) {
    return invalid_argument("{}: a digest cannot be pushed to", name.familiar())
        .with_hint("name a tag");
  }
  const auto row = TRY(services_->metadata->find_image_by_name(name.str()));
  if (!row) {
    return not_found("no such image: {}", name.familiar())
        .with_hint("`mybuild images` lists what there is; `mybuild tag` gives another name");
  }
  exporter::BuildOutput output;
  output.images.push_back(TRY(stored_image(row->config, *services_)));
  output.images.front().manifest =
      TRY(known_manifest(output.images.front(), row->config, name, *services_, events));
  output.names = {name};
  exporter::LayerStreams streams(services_->lanes, *services_->push, cancel);
  exporter::ExportDeps deps = services_->export_deps(events, cancel);
  deps.streams = &streams;
  exporter::OutputSpec spec;
  spec.type = exporter::OutputType::Registry;
  InternalStep step("pushing " + name.familiar(), events, services_->clock);
  source::ImageImporter places = importer(*services_, events, cancel);
  deps.fetch.blobs = [&] {
    return places.restore_blobs(name.familiar(), output.images.front().layers, step.id());
  };
  const exporter::ExportReport report =
      TRY(step.done(exporter::make_exporter(spec, deps)->write(output, step.id())));
  return PushReport{.manifest = report.descriptor.value_or(oci::Descriptor())};
}

Status Engine::save(const std::vector<std::string>& names, const std::string& dest,
                    solver::EventSink& events, Cancel& cancel) {
  SaveList list(*services_);
  const std::vector<ImageRow> rows = TRY(images());
  for (const std::string& name : names) {
    const bool all_tags = std::any_of(
        rows.begin(), rows.end(), [&](const ImageRow& row) { return in_repository(row, name); });
    for (const ImageRow& row : rows) {
      TRY(all_tags && in_repository(row, name) ? list.add(row, true) : Status());
    }
    if (!all_tags) {
      const ImageRow row = TRY(find_image(name));
      const Result<oci::Reference> reference = oci::Reference::parse(name);
      TRY(list.add(row, reference && reference->str() == row.name));
    }
  }
  exporter::ExportDeps deps = services_->export_deps(events, cancel);
  InternalStep step("saving images", events, services_->clock);
  source::ImageImporter places = importer(*services_, events, cancel);
  for (const exporter::SavedImage& saved : list.images()) {
    const std::string name = saved.names.empty() ? names.front() : saved.names.front().familiar();
    TRY(step.done(places.restore_blobs(name, saved.image.layers, step.id())));
  }
  return step.done(exporter::save_images(list.images(), dest, deps, step.id()));
}

Status Engine::tag_image(const std::string& source, const oci::Reference& name) {
  ImageRow row = TRY(find_image(source));
  if (name.digest) {
    return invalid_argument("{}: a digest cannot be given as a name", name.familiar());
  }
  row.name = name.str();
  return services_->metadata->put_image(row);
}

}  // namespace mybuild::builder
