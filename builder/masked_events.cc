// SPDX-License-Identifier: Apache-2.0
#include "builder/masked_events.h"

#include <algorithm>

namespace mybuild::builder {

namespace {

constexpr std::string_view kMask = "***";

void replace_all(std::string& text, const std::string& value) {
  for (std::size_t at = text.find(value); at != std::string::npos;
       at = text.find(value, at + kMask.size())) {
    text.replace(at, value.size(), kMask);
  }
}

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

void MaskedEvents::on_event(solver::Event event) {
  if (auto* chunk = std::get_if<solver::LogChunk>(&event)) {
    mask(std::move(*chunk));
    return;
  }
  if (const auto* done = std::get_if<solver::VertexDone>(&event)) {
    flush(done->vertex, done->time);
  } else if (const auto* cached = std::get_if<solver::VertexCached>(&event)) {
    flush(cached->vertex, cached->time);
  }
  events_.on_event(std::move(event));
}

void MaskedEvents::mask(solver::LogChunk chunk) {
  if (!known_.empty()) {
    const std::vector<std::string> values = known_.values();
    const std::lock_guard lock(mutex_);
    std::string& held = held_[{chunk.vertex, chunk.stream}];
    chunk.bytes.insert(0, std::exchange(held, {}));
    for (const std::string& value : values) {
      replace_all(chunk.bytes, value);
    }
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
