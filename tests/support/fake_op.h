// SPDX-License-Identifier: Apache-2.0
// Ops that compute on strings instead of file systems: the "tree" of a vertex is a text made from
// its inputs. For tests of the solver.
#pragma once

#include "solver/key.h"
#include "solver/op.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace mybuild::testing_support {

class TextResult final : public solver::ResultHandle {
 public:
  explicit TextResult(std::string value) : text(std::move(value)) {}
  std::string text;
};

inline const std::string& text_of(const solver::ResultPtr& result) {
  return static_cast<const TextResult&>(*result).text;
}

class FakeOp final : public solver::Op {
 public:
  struct Behaviour {
    std::string definition;
    bool source = false;
    bool bare_source = false;  // no identity as a whole, like a local context
    solver::InputRule rule = solver::InputRule::Whole;
    std::function<std::string(const std::string&)> selected = [](const std::string& text) {
      return text;
    };
    std::function<Result<std::string>(const std::vector<std::string>&)> run;
    std::chrono::milliseconds duration{0};
    std::chrono::milliseconds hashing{0};  // how long content_digest takes
    bool forget = false;                   // the bytes behind records are gone
    Lane lane = Lane::Exec;
    std::function<Status(const std::function<void()>& begins)> ahead = {};  // run_ahead()
  };
  explicit FakeOp(Behaviour behaviour) : does_(std::move(behaviour)) {}

  Lane lane() const override { return does_.lane; }
  bool is_direct() const override { return does_.source; }
  std::string definition() const override { return does_.definition; }
  solver::InputRule input_rule(std::size_t) const override { return does_.rule; }
  Result<Digest> content_digest(std::size_t, const solver::ResultPtr& result) override {
    ++hashed;
    std::this_thread::sleep_for(does_.hashing);
    return Digest::of(does_.selected(text_of(result)));
  }
  Result<std::optional<solver::Output>> restore(const solver::CacheRecord& record,
                                                const std::vector<solver::ResultPtr>&) override {
    if (does_.forget) {
      return std::optional<solver::Output>();
    }
    return std::optional(solver::Output{
        .id = record.is_imported ? solver::OutputId{Digest::of("tree " + record.body)}
                                 : record.output,
        .result = std::make_shared<TextResult>(record.body),
        .body = record.body,
        .cacheable = !record.is_imported});
  }
  Status run_ahead(const std::vector<solver::ResultPtr>&, const std::vector<solver::OutputId>&,
                   const std::function<void()>& begins, const Cancel&) override {
    return does_.ahead ? does_.ahead(begins) : Status();
  }
  Result<solver::Output> exec(const std::vector<solver::ResultPtr>& inputs,
                              const std::vector<solver::OutputId>&, const Cancel& cancel) override {
    ++runs;
    std::vector<std::string> texts;
    for (const solver::ResultPtr& input : inputs) {
      texts.push_back(text_of(input));
    }
    for (auto left = does_.duration; left.count() > 0; left -= std::chrono::milliseconds(1)) {
      TRY(cancel.check());
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const std::string text = TRY(does_.run(texts));
    const bool anonymous = does_.bare_source;
    return solver::Output{.id = {anonymous ? Digest{} : Digest::of("tree " + text)},
                          .result = std::make_shared<TextResult>(text),
                          .body = text};
  }

  std::atomic<int> runs{0};
  std::atomic<int> hashed{0};
  Behaviour does_;
};

}  // namespace mybuild::testing_support
