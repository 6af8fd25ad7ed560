// SPDX-License-Identifier: Apache-2.0
// Op: how the engine does one vertex. The solver calls it from lane threads and knows nothing of
// what is behind a ResultHandle. Implementations are thread-safe: exec() of several vertices runs
// at once.
#pragma once

#include "snapshotter/base/cancel.h"
#include "snapshotter/base/lanes.h"
#include "snapshotter/base/result.h"
#include "solver/cache_index.h"
#include "solver/graph/graph.h"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace mybuild::solver {

/// A finished result, opaque to the solver. While it lives, what it refers to is kept.
class ResultHandle {
 public:
  virtual ~ResultHandle() = default;
};
using ResultPtr = std::shared_ptr<const ResultHandle>;

/// What a vertex gave: the identity of the whole tree, the tree, and how a later build finds it
/// again.
struct Output {
  OutputId id;
  ResultPtr result;
  std::string body;       // canonical JSON for the cache record: the step's own layer and what else
                          // restore() needs
  bool cacheable = true;  // false also of what an imported record gave: nobody here has seen it yet
};

/// How an input enters the keys of a vertex.
enum class InputRule {
  Whole,     // by its output id
  Selected,  // by the digest of the part that the op looks at (content_digest)
};

class Op {
 public:
  virtual ~Op() = default;
  virtual Lane lane() const = 0;
  /// Canonical bytes of the definition, without inputs (encode(OpSpec), platform where it matters).
  virtual std::string definition() const = 0;
  virtual InputRule input_rule(std::size_t input) const = 0;
  /// True for what is there without work: sources, and merges of what is there. Nothing is looked
  /// up for them, and in definition keys too they stand as what they are.
  virtual bool is_direct() const = 0;
  /// Digest of what the op selects of an input with rule Selected.
  virtual Result<Digest> content_digest(std::size_t input, const ResultPtr& result) = 0;
  /// The result that a record describes, put on this build's inputs; nullopt when its bytes are
  /// gone. Called by the scheduler's own thread, too: it looks whether they are there, no more.
  virtual Result<std::optional<Output>> restore(const CacheRecord& record,
                                                const std::vector<ResultPtr>& inputs) = 0;
  /// Called before the keys are made when all inputs are there. An op that would read much for its
  /// keys, and sees that no record can match, may do its work from the same read: exec(), on the
  /// same inputs, then has it done. `begins` is called first if so.
  virtual Status run_ahead(const std::vector<ResultPtr>&, const std::vector<OutputId>&,
                           const std::function<void()>& /*begins*/, const Cancel&) {
    return {};
  }
  /// Fetches what exec() will need, and waits for what others hold. The time that a step may take
  /// does not count it. May be left out.
  virtual Status prepare(const std::vector<ResultPtr>&, const Cancel&) { return {}; }
  virtual Result<Output> exec(const std::vector<ResultPtr>& inputs,
                              const std::vector<OutputId>& input_ids, const Cancel& cancel) = 0;
};

}  // namespace mybuild::solver
