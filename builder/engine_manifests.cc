// SPDX-License-Identifier: Apache-2.0
// The engine's verbs about manifest lists.
#include "builder/engine.h"
#include "builder/internal_step.h"
#include "builder/manifest_list/lookup.h"
#include "builder/manifest_list/text.h"
#include "builder/services.h"

namespace mybuild::builder {

using manifest_list::ListedImage;
using manifest_list::ManifestList;

namespace {

Status refuse_existing(const oci::Reference& name, bool exists, bool amend) {
  if (!exists || amend) {
    return {};
  }
  return invalid_argument("refusing to amend an existing manifest list with no --amend flag")
      .with_hint("`mybuild manifest rm " + name.familiar() + "` removes it");
}

}  // namespace

const manifest_list::ListStore& Engine::manifest_lists() {
  return services_->manifest_lists;
}

Status Engine::create_manifest_list(const oci::Reference& name,
                                    const std::vector<oci::Reference>& images, bool amend,
                                    const Cancel& cancel) {
  const manifest_list::ListStore& lists = services_->manifest_lists;
  TRY(refuse_existing(name, TRY(lists.exists(name)), amend));  // before anything is asked for
  std::vector<ListedImage> found(images.size());
  TRY(services_->lanes.fan_out(Lane::Net, images.size(), [&](std::size_t i) -> Status {
    found[i] = TRY(manifest_list::look_up_image(
        images[i],
        {.registry = *services_->registry, .lanes = services_->lanes, .cancel = cancel}));
    return {};
  }));
  return lists.change(name, [&](ManifestList& list) -> Status {
    TRY(refuse_existing(name, !list.images.empty(), amend));
    for (ListedImage& image : found) {
      manifest_list::put_image(list, std::move(image));
    }
    return {};
  });
}

Result<std::string> Engine::inspect_manifest(const ManifestQuestion& question,
                                             const Cancel& cancel) {
  using manifest_list::index_text;
  using manifest_list::verbose_text;
  const manifest_list::ListStore& lists = services_->manifest_lists;
  if (question.list) {
    const ManifestList list = TRY(lists.find(*question.list));
    const ListedImage image = TRY(manifest_list::find_image(list, question.name));
    return question.verbose ? verbose_text(image) : manifest_text(image);
  }
  if (TRY(lists.exists(question.name))) {
    const ManifestList list = TRY(lists.find(question.name));
    return question.verbose ? verbose_text(list.images) : index_text(index_of(list));
  }
  const manifest_list::Found found = TRY(manifest_list::look_up(
      question.name, question.verbose,
      {.registry = *services_->registry, .lanes = services_->lanes, .cancel = cancel}));
  if (found.index) {
    return question.verbose ? verbose_text(found.images) : index_text(*found.index);
  }
  const ListedImage& image = found.images.front();
  return question.verbose ? verbose_text(image) : manifest_text(image);
}

Result<manifest_list::PushedList> Engine::push_manifest_list(const oci::Reference& name,
                                                             solver::EventSink& events,
                                                             Cancel& cancel) {
  const ManifestList list = TRY(services_->manifest_lists.find(name));
  exporter::ExportDeps deps = services_->export_deps(events, cancel);
  InternalStep step("pushing manifest list " + name.familiar(), events, services_->clock);
  return step.done(manifest_list::push_list(
      list, {.deps = deps, .registry = *services_->registry, .claims = &services_->claims},
      step.id()));
}

}  // namespace mybuild::builder
