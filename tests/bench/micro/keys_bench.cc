// SPDX-License-Identifier: Apache-2.0
// What the solver does per step: its keys, and the decisions on its way.
#include "solver/decide.h"
#include "solver/key.h"
#include "tests/bench/micro/compare.h"

#include <openssl/evp.h>

#include <array>

#include <benchmark/benchmark.h>

namespace mybuild::bench {

namespace {

constexpr std::size_t kSteps = 1000;

struct Steps {
  std::vector<std::string> definitions;
  std::vector<solver::KeyInput> inputs;
  std::vector<std::string> bytes;  // of one step in one piece
};

std::shared_ptr<Steps> make_steps() {
  auto steps = std::make_shared<Steps>();
  for (std::size_t i = 0; i < kSteps; ++i) {
    steps->definitions.push_back(make_text(300, i));
    steps->inputs.push_back(
        {.kind = solver::KeyInput::Kind::Output, .digest = Digest::of(std::to_string(i))});
    steps->bytes.push_back(make_text(300 + 2 * 33 + 5 * 8, i));
  }
  return steps;
}

void make_keys(const Steps& steps) {
  for (std::size_t i = 0; i + 1 < kSteps; ++i) {
    benchmark::DoNotOptimize(
        solver::definition_key(steps.definitions[i], std::span(&steps.inputs[i], 2)));
  }
}

void hash_each(const Steps& steps) {
  static EVP_MD* sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  static EVP_MD_CTX* context = EVP_MD_CTX_new();
  std::array<unsigned char, 32> digest{};
  for (const std::string& bytes : steps.bytes) {
    EVP_DigestInit_ex2(context, sha256, nullptr);
    EVP_DigestUpdate(context, bytes.data(), bytes.size());
    EVP_DigestFinal_ex(context, digest.data(), nullptr);
    benchmark::DoNotOptimize(digest);
  }
}

Work keys() {
  const std::shared_ptr<Steps> steps = make_steps();
  return {.ours = [steps] { make_keys(*steps); },
          .limit = [steps] { hash_each(*steps); },
          .items = kSteps};
}

using solver::VertexEvent;
using solver::VertexState;

/// A step with three inputs from the demand to a hit.
constexpr VertexEvent kStory[] = {VertexEvent::Demanded,   VertexEvent::InputKeyed,
                                  VertexEvent::InputKeyed, VertexEvent::InputKeyed,
                                  VertexEvent::Keyed,      VertexEvent::LookedUp,
                                  VertexEvent::Hit};

VertexState tell_story() {
  VertexState state{.inputs_left = 3, .keys_left = 3};
  for (const VertexEvent event : kStory) {
    const solver::Decision decision = solver::decide(state, event, solver::VertexKind::Step);
    benchmark::DoNotOptimize(decision.actions);
    state = decision.state;
  }
  return state;
}

/// A call of a function unknown to the compiler that takes and returns as much.
solver::Decision pass_on(VertexState state, VertexEvent event, solver::VertexKind) {
  state.inputs_left += static_cast<std::uint32_t>(event);
  return {.state = state, .actions = {}};
}

VertexState call_only() {
  static solver::Decision (*volatile call)(VertexState, VertexEvent, solver::VertexKind) = pass_on;
  VertexState state{.inputs_left = 3, .keys_left = 3};
  for (const VertexEvent event : kStory) {
    state = call(state, event, solver::VertexKind::Step).state;
  }
  return state;
}

Work decisions() {
  constexpr std::size_t kStories = 1000;
  const auto many = [](VertexState (*story)()) {
    return [story] {
      for (std::size_t i = 0; i < kStories; ++i) {
        benchmark::DoNotOptimize(story());
      }
    };
  };
  return {
      .ours = many(tell_story), .limit = many(call_only), .items = kStories * std::size(kStory)};
}

}  // namespace

std::string_view add_comparisons() {
  compare({.name = "keys of steps", .limit = "EVP SHA-256 of the bytes", .prepare = keys});
  compare({.name = "decide", .limit = "an indirect call", .prepare = decisions});
  return "solver";
}

}  // namespace mybuild::bench
