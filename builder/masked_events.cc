// SPDX-License-Identifier: Apache-2.0
#include "builder/masked_events.h"

#include <algorithm>

namespace mybuild::builder {

namespace {

/// How much of the end may be the beginning of one of the values.
std::size_t undecided(std::string_view text, const std::vector<std::string>& values) {
  std::size_t longest = 0;
  for (const std::string& value : values) {
    for (std::size_t size = std::min(text.size(), value.size() - 1); size > longest; --size) {
      if (text.ends_with(std::string_view(value).substr(0, size))) {
        longest = size;
      }
    }
  }
  return longest;
}

}  // namespace

Error masked(const Error& error, const secrets::KnownValues& known) {
  Error shown = Error(error.kind(), known.masked(error.message()))
                    .with_errno(error.os_errno())
                    .with_exit_code(error.exit_code())
                    .with_hint(known.masked(error.hint()));
  if (error.location() == nullptr) {
    return shown;
  }
  SourceLocation place = *error.location();
  place.excerpt = known.masked(std::move(place.excerpt));
  return std::move(shown).at(std::move(place));
}

/// All but what is printed, which comes in pieces.
void MaskedEvents::mask(solver::Event& event) const {
  if (auto* started = std::get_if<solver::VertexStarted>(&event)) {
    started->name = known_.masked(std::move(started->name));
  } else if (auto* cached = std::get_if<solver::VertexCached>(&event)) {
    cached->name = known_.masked(std::move(cached->name));
  } else if (auto* done = std::get_if<solver::VertexDone>(&event); done != nullptr && done->error) {
    done->error = masked(*done->error, known_);
  } else if (auto* progress = std::get_if<solver::Progress>(&event)) {
    progress->item = known_.masked(std::move(progress->item));
  } else if (auto* warning = std::get_if<solver::Warning>(&event)) {
    warning->message = known_.masked(std::move(warning->message));
    warning->detail = known_.masked(std::move(warning->detail));
    if (warning->location) {
      warning->location->excerpt = known_.masked(std::move(warning->location->excerpt));
    }
  }
}

void MaskedEvents::on_event(solver::Event event) {
  if (auto* chunk = std::get_if<solver::LogChunk>(&event)) {
    show(std::move(*chunk));
    return;
  }
  if (!known_.empty()) {
    mask(event);
  }
  if (const auto* done = std::get_if<solver::VertexDone>(&event)) {
    flush(done->vertex, done->time);
  } else if (const auto* cached = std::get_if<solver::VertexCached>(&event)) {
    flush(cached->vertex, cached->time);
  }
  events_.on_event(std::move(event));
}

void MaskedEvents::show(solver::LogChunk chunk) {
  if (!known_.empty()) {
    const std::vector<std::string> values = known_.values();
    const std::lock_guard lock(mutex_);
    std::string& held = held_[{chunk.vertex, chunk.stream}];
    chunk.bytes.insert(0, std::exchange(held, {}));
    secrets::mask_values(chunk.bytes, values);
    const std::size_t kept = undecided(chunk.bytes, values);
    held = chunk.bytes.substr(chunk.bytes.size() - kept);
    chunk.bytes.resize(chunk.bytes.size() - kept);
  }
  if (!chunk.bytes.empty()) {
    events_.on_event(std::move(chunk));
  }
}

void MaskedEvents::flush(const solver::VertexId& vertex, Time time) {
  std::vector<solver::LogChunk> left;
  {
    const std::lock_guard lock(mutex_);
    for (auto stream = held_.lower_bound({vertex, 0});
         stream != held_.end() && stream->first.first == vertex; stream = held_.erase(stream)) {
      left.push_back({.vertex = vertex,
                      .stream = stream->first.second,
                      .bytes = std::move(stream->second),
                      .time = time});
    }
  }
  for (solver::LogChunk& chunk : left) {
    if (!chunk.bytes.empty()) {
      events_.on_event(std::move(chunk));
    }
  }
}

}  // namespace mybuild::builder
