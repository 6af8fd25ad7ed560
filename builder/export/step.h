// SPDX-License-Identifier: Apache-2.0
// Step: one part of an export as progress shows it ("exporting layers"). It opens when made and
// closes with done(); a part that failed stays open, as its vertex ends with the error.
// Thread-compatible.
#pragma once

#include "builder/export/exporter.h"

#include <string>
#include <utility>

namespace mybuild::exporter {

class Step {
 public:
  Step(ExportDeps& deps, const solver::VertexId& vertex, std::string item, std::uint64_t total = 0)
      : deps_(deps), vertex_(vertex), item_(std::move(item)), total_(total) {
    report(0, false);
  }
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;

  void advance(std::uint64_t current) { report(current, false); }
  void done() { report(total_, true); }

 private:
  void report(std::uint64_t current, bool done) {
    deps_.events.on_event(solver::Progress{.vertex = vertex_,
                                           .item = item_,
                                           .current = current,
                                           .total = total_,
                                           .done = done,
                                           .time = deps_.clock.now()});
  }

  ExportDeps& deps_;
  solver::VertexId vertex_;
  std::string item_;
  std::uint64_t total_;
};

}  // namespace mybuild::exporter
