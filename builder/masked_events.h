// SPDX-License-Identifier: Apache-2.0
// MaskedEvents: the events of a build with "***" in the place of values of its secrets: in what
// steps print, in their names, in errors and warnings. A value counts from the moment when it is
// known. Thread-safe.
#pragma once

#include "builder/secrets/known_values.h"
#include "solver/progress.h"

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace mybuild::builder {

/// With "***" in the place of each value; what happened, and where, stays.
Error masked(const Error& error, const secrets::KnownValues& known);

class MaskedEvents final : public solver::EventSink {
 public:
  MaskedEvents(solver::EventSink& events, const secrets::KnownValues& known)
      : events_(events), known_(known) {}
  void on_event(solver::Event event) override;

 private:
  using Stream = std::pair<solver::VertexId, int>;
  void show(solver::LogChunk chunk);
  void mask(solver::Event& event) const;
  void flush(const solver::VertexId& vertex, Time time);

  solver::EventSink& events_;
  const secrets::KnownValues& known_;
  std::mutex mutex_;
  std::map<Stream, std::string> held_;  // what may be the beginning of a value
};

}  // namespace mybuild::builder
