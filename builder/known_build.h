// SPDX-License-Identifier: Apache-2.0
// KnownBuild: the whole-build digest, in front of all lookups. A build of which nothing has changed
// (definitions, files that are selected, bases, remote sources as they are now, the image's config)
// is answered by the image that it gave, if that is still there as a whole. What enters the digest:
// solver/key_schema.md. Only for builds whose one output is the local store. One per build; called
// by one thread at a time.
#pragma once

#include "builder/remote_cache/vouched.h"
#include "builder/request.h"
#include "snapshotter/content/content_store.h"
#include "snapshotter/layer_store.h"
#include "snapshotter/metadata.h"
#include "solver/scheduler.h"

#include <memory>
#include <optional>

namespace mybuild::builder {

struct KnownBuildDeps {
  snapshotter::ContentStore& content;
  snapshotter::LayerStore& layers;
  snapshotter::Metadata& metadata;
};

class KnownBuild final : public solver::KnownBuilds {
 public:
  /// Null where a build's outputs cannot be answered so. Arguments outlive the object.
  static std::unique_ptr<KnownBuild> of(const BuildRequest& request,
                                        const frontend::FrontendOutput& lowered,
                                        const KnownBuildDeps& deps,
                                        const remote_cache::TrustDomain& domain);

  /// A store that cannot be read knows nothing.
  bool is_known(std::span<const solver::KeyInput> targets) override;
  /// The image, once is_known() said yes.
  const std::optional<snapshotter::ImageRow>& image() const { return image_; }

  /// For the next build. When a step ran although it was known (--no-cache and its kind), all that
  /// was remembered is forgotten: other builds may share that step, and want its new outcome.
  Status remember(const solver::SolveResult& solved, const exporter::BuiltImage& image,
                  const Digest& config);

 private:
  KnownBuild(const BuildRequest& request, const frontend::FrontendOutput& lowered,
             const KnownBuildDeps& deps, const remote_cache::TrustDomain& domain)
      : request_(request), lowered_(lowered), deps_(deps), domain_(domain) {}
  Digest key_of(std::span<const solver::KeyInput> targets) const;
  Result<bool> find(const Digest& key);

  const BuildRequest& request_;
  const frontend::FrontendOutput& lowered_;
  KnownBuildDeps deps_;
  const remote_cache::TrustDomain domain_;  // on whose word the image may have been made
  std::optional<snapshotter::ImageRow> image_;
};

}  // namespace mybuild::builder
