// SPDX-License-Identifier: Apache-2.0
// The engine's verbs that make room: prune, and what happens by itself after builds.
#include "builder/engine.h"
#include "builder/services.h"
#include "snapshotter/base/log.h"
#include "snapshotter/reserve.h"

#include <cstdlib>

namespace mybuild::builder {

namespace {

/// A collector holds up nobody for longer than a moment; two of them may stand in a row.
constexpr std::chrono::seconds kPatience{30};

Result<space::GcSettings> settings_of_environment() {
  const char* text = std::getenv("MYBUILD_GC");
  return space::parse_gc_settings(text == nullptr ? "" : text).context("$MYBUILD_GC");
}

}  // namespace

space::Collector Engine::Services::collector() {
  return space::Collector(space::collector_parts({.root = root,
                                                  .content = *content,
                                                  .layers = *layers,
                                                  .metadata = *metadata,
                                                  .containers = *containers,
                                                  .cache_mounts = *cache_mounts,
                                                  .clock = clock}));
}

Status Engine::Services::check_gc_settings() const {
  TRY(settings_of_environment());
  return {};
}

void Engine::Services::collect_after_build(solver::EventSink& events) {
  const auto collect = [&]() -> Status {
    const space::GcSettings settings = TRY(settings_of_environment());
    const space::Collected collected = TRY(collector().collect_if_due(settings));
    if (!collected.removed.empty()) {
      log::debug("{} things went to make room, {} bytes", collected.removed.size(),
                 collected.bytes);
    }
    return {};
  };
  if (const Status done = collect(); !done) {
    events.on_event(solver::Warning{
        .message = "old build cache could not be removed: " + done.error().message(),
        .detail = done.error().hint(),
        .location = {}});
  }
}

Result<space::Collected> Engine::prune(const space::Rule& rule,
                                       const space::OnRemoved& on_removed) {
  const space::Rule rules[] = {rule};
  const snapshotter::OpenReserve reserve(services_->root);
  space::Collector collector = services_->collector();
  TRY(collector.empty_trash());
  Result<space::Collected> collected = collector.collect(rules, on_removed, kPatience);
  TRY(collector.empty_trash());
  return collected;
}

}  // namespace mybuild::builder
