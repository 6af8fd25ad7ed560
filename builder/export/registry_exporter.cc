// SPDX-License-Identifier: Apache-2.0
// type=registry, and the pushing half of type=image,push=true. Layers are compressed and sent side
// by side; a base layer that the registry has is neither downloaded nor sent.
#include "builder/export/exporters.h"
#include "builder/export/image_pusher.h"
#include "builder/export/step.h"
#include "snapshotter/oci/media_type.h"

namespace mybuild::exporter {

namespace {

class RegistryExporter final : public Exporter {
 public:
  RegistryExporter(OutputSpec spec, ExportDeps& deps) : spec_(std::move(spec)), deps_(deps) {}

  std::string title() const override { return "exporting to registry"; }

  Result<ExportReport> write(const BuildOutput& output, const solver::VertexId& vertex) override {
    if (deps_.push == nullptr || output.images.empty()) {
      return internal_error("there is nothing to push, or no way to do it");
    }
    const std::vector<oci::Reference> names = TRY(push_names(output));
    ImagePusher pusher(names, deps_, vertex);
    TRY(pusher.greet());
    const Pushed pushed = TRY(push(output, pusher, vertex));
    TRY(remember(pushed, names));
    return report(pushed, names);
  }

 private:
  struct Pushed {
    std::vector<ImageDocuments> images;
    oci::Descriptor root;
  };

  Result<Pushed> push(const BuildOutput& output, ImagePusher& pusher,
                      const solver::VertexId& vertex) {
    TRY(bring_bases(output, pusher));
    const LayerHooks hooks{
        .ready = [&](const oci::Descriptor& blob) { return pusher.layer(blob); },
        .draft = pusher.on_draft(),
        .elsewhere = [&](const oci::Descriptor& blob) { return pusher.offered(blob); }};
    Step step(deps_, vertex, "pushing layers");
    Pushed pushed;
    for (const BuiltImage& image : output.images) {
      pushed.images.push_back(TRY(write_documents(image, spec_, output, deps_, hooks)));
    }
    step.done();
    pushed.root = pushed.images.front().manifest;
    if (is_multi_platform(output)) {
      pushed.root = TRY(write_index(pushed.images, spec_, deps_));
    }
    TRY(pusher.finish(pushed.images, pushed.root));
    return pushed;
  }

  /// name= says where to; without it every -t does.
  Result<std::vector<oci::Reference>> push_names(const BuildOutput& output) const {
    BuildOutput named;
    if (spec_.names.empty()) {
      named.names = output.names;
    }
    std::vector<oci::Reference> names = TRY(tag_names(spec_, named));
    if (names.empty()) {
      return invalid_argument("a push needs a name").with_hint("name the image with -t or name=");
    }
    return spec_.push_by_digest ? without_tags(std::move(names)) : names;
  }

  static Result<std::vector<oci::Reference>> without_tags(std::vector<oci::Reference> names) {
    for (oci::Reference& name : names) {
      if (!name.implied_tag) {
        return invalid_argument("{} has a tag, so it cannot be pushed by digest", name.familiar())
            .with_hint("push-by-digest=true takes the name of a repository");
      }
      name.tag.clear();
    }
    return names;
  }

  /// Base layers that were not downloaded are offered by digest first. If one of them is not there,
  /// the bytes have to come here.
  Status bring_bases(const BuildOutput& output, ImagePusher& pusher) {
    std::map<Digest, oci::Descriptor> absent;
    bool wanted = false;
    for (const BuiltImage& image : output.images) {
      for (const snapshotter::Layer& layer : image.layers) {
        if (!layer.blob || TRY(is_here(layer))) {
          continue;
        }
        absent.emplace(layer.blob->digest, *layer.blob);
        wanted = wanted || is_recompressed(*layer.blob, spec_);
      }
    }
    std::vector<oci::Descriptor> blobs;
    for (const auto& [digest, blob] : absent) {
      blobs.push_back(blob);
    }
    wanted = wanted || !TRY(pusher.offer(blobs));
    return wanted && deps_.fetch.blobs ? deps_.fetch.blobs() : Status();
  }

  /// As a blob that is known to unpack to the layer.
  Result<bool> is_here(const snapshotter::Layer& layer) {
    const auto original = TRY(deps_.layers.original_blob(layer.diff_id));
    if (!original) {
      return false;
    }
    const auto blob = TRY(deps_.content.stat(original->digest));
    return blob.has_value();
  }

  /// Images of the local store know where else they are.
  Status remember(const Pushed& pushed, const std::vector<oci::Reference>& names) {
    for (const ImageDocuments& image : pushed.images) {
      if (TRY(deps_.metadata.find_images_by_config(image.config.digest)).empty()) {
        continue;
      }
      for (const oci::Reference& name : names) {
        TRY(deps_.metadata.put_repo_digest({.config = image.config.digest,
                                            .repository = name.domain + "/" + name.repository,
                                            .manifest = pushed.root.digest}));
      }
    }
    return {};
  }

  static ExportReport report(const Pushed& pushed, const std::vector<oci::Reference>& names) {
    ExportReport report;
    report.descriptor = pushed.root;
    report.config = pushed.images.front().config.digest;
    for (const oci::Reference& name : names) {
      report.names.push_back(name.str());
    }
    return report;
  }

  OutputSpec spec_;
  ExportDeps& deps_;
};

class StoreAndPushExporter final : public Exporter {
 public:
  StoreAndPushExporter(const OutputSpec& spec, ExportDeps& deps)
      : store_(make_store_exporter(spec, deps)), push_(make_registry_exporter(spec, deps)) {}

  std::string title() const override { return store_->title(); }

  Result<ExportReport> write(const BuildOutput& output, const solver::VertexId& vertex) override {
    ExportReport stored = TRY(store_->write(output, vertex));
    const ExportReport pushed = TRY(push_->write(output, vertex));
    stored.descriptor = pushed.descriptor;
    return stored;
  }

 private:
  std::unique_ptr<Exporter> store_;
  std::unique_ptr<Exporter> push_;
};

}  // namespace

std::unique_ptr<Exporter> make_registry_exporter(const OutputSpec& spec, ExportDeps& deps) {
  return std::make_unique<RegistryExporter>(spec, deps);
}

std::unique_ptr<Exporter> make_image_push_exporter(const OutputSpec& spec, ExportDeps& deps) {
  if (spec.rewrite_timestamp) {
    return make_registry_exporter(spec, deps);
  }
  return std::make_unique<StoreAndPushExporter>(spec, deps);
}

}  // namespace mybuild::exporter
