// SPDX-License-Identifier: Apache-2.0
// CacheIndex: records of finished steps by key. A record says: this definition on inputs with these
// identities gave that output. Values are persisted; key_schema.md says what enters each key.
// Thread-safe.
#pragma once

#include "snapshotter/base/digest.h"
#include "snapshotter/base/result.h"

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mybuild::solver {

// The three identities of ARCHITECTURE.md as types of their own, so that none is taken for another.
struct DefinitionKey {
  Digest digest;
  auto operator<=>(const DefinitionKey&) const = default;
};
struct ContentKey {
  Digest digest;
  auto operator<=>(const ContentKey&) const = default;
};
struct OutputId {
  Digest digest;
  auto operator<=>(const OutputId&) const = default;
};

/// How a step ran, where it ran just now.
struct StepRun {
  std::string step;  // as the build shows it
  std::chrono::milliseconds took{};
};

struct CacheRecord {
  DefinitionKey definition;
  ContentKey content;
  std::vector<OutputId>
      inputs;  // of each input in order; the zero digest where the rule is Selected on a source
  OutputId output;
  std::string body;  // canonical JSON, opaque to the solver
  /// From elsewhere: of all it says only the body counts, and `output` is what Op::restore() finds.
  bool is_imported = false;
  /// Of a step that ran here and now; never persisted.
  std::optional<StepRun> run = {};
};

class CacheIndex {
 public:
  virtual ~CacheIndex() = default;
  /// The records of each key, in the order of the keys: one question, however many keys a build
  /// has. The newest record of a key comes first, here as below.
  virtual Result<std::vector<std::vector<CacheRecord>>> find_all(
      std::span<const DefinitionKey> keys) = 0;
  /// Records that may take long to come, as those of a cache that is being imported; only for steps
  /// of which nothing else is known. May block, on the lane of the step.
  virtual Result<std::vector<CacheRecord>> find_late(const DefinitionKey&) {
    return std::vector<CacheRecord>();
  }
  virtual Result<std::vector<CacheRecord>> find(const ContentKey& key) = 0;
  virtual Result<std::vector<CacheRecord>> find(const OutputId& output) = 0;
  virtual Status add(const CacheRecord& record) = 0;
  /// The same for each; others may see a part of them.
  virtual Status add_all(std::span<const CacheRecord> records) {
    for (const CacheRecord& record : records) {
      TRY(add(record));
    }
    return {};
  }
};

}  // namespace mybuild::solver
