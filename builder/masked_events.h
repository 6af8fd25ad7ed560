// SPDX-License-Identifier: Apache-2.0
// MaskedEvents: the events of a build with "***" in the place of values of its secrets, in what
// steps print. A value counts from the moment when a step first got it. Thread-safe.
#pragma once

#include "builder/secrets/known_values.h"
#include "solver/progress.h"

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace mybuild::builder {

class MaskedEvents final : public solver::EventSink {
 public:
  MaskedEvents(solver::EventSink& events, const secrets::KnownValues& known)
      : events_(events), known_(known) {}
  void on_event(solver::Event event) override;

 private:
  using Stream = std::pair<solver::VertexId, int>;
  void mask(solver::LogChunk chunk);
  void flush(const solver::VertexId& vertex, Time time);

  solver::EventSink& events_;
  const secrets::KnownValues& known_;
  std::mutex mutex_;
  std::map<Stream, std::string> held_;  // what may be the beginning of a value
};

}  // namespace mybuild::builder
