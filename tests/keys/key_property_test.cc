// SPDX-License-Identifier: Apache-2.0
// Inputs that differ give keys that differ, equal inputs give equal keys: over many random ones,
// each from a seed that a failure names.
#include "snapshotter/archive/entry.h"
#include "solver/key.h"
#include "tests/keys/random_op.h"

#include <gtest/gtest.h>

#include <map>

namespace mybuild::keys {
namespace {

using solver::KeyInput;
using solver::OpSpec;

constexpr std::uint32_t kSeeds = 300;
constexpr int kPerSeed = 60;

TEST(KeyProperty, OpsThatDifferHaveOtherBytes) {
  std::map<std::string, OpSpec> seen;
  for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
    RandomOps ops(seed);
    for (int i = 0; i < kPerSeed; ++i) {
      const OpSpec op = ops.next();
      const auto [found, is_new] = seen.emplace(solver::encode(op), op);
      ASSERT_TRUE(is_new || found->second == op) << "seed " << seed << ", op " << i;
    }
  }
}

TEST(KeyProperty, OneFieldDecides) {
  int changed = 0;
  for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
    RandomOps ops(seed);
    OpSpec op = ops.next();
    for (int i = 0; i < kPerSeed; ++i) {
      const OpSpec before = op;
      ops.redraw_one(op);
      changed += op == before ? 0 : 1;
      ASSERT_EQ(op == before, solver::encode(op) == solver::encode(before))
          << "seed " << seed << ", change " << i;
    }
  }
  EXPECT_GT(changed, 1000);
}

TEST(KeyProperty, BytesCannotWanderToTheNextField) {
  int moved = 0;
  for (std::uint32_t seed = 0; seed < kSeeds * 10; ++seed) {
    RandomOps ops(seed);
    OpSpec op = ops.next();
    const OpSpec before = op;
    const std::vector<std::string*> texts = ops.texts(op);
    for (std::size_t i = 0; i + 1 < texts.size(); ++i) {
      if (texts[i]->empty()) {
        continue;
      }
      texts[i + 1]->insert(0, 1, texts[i]->back());
      texts[i]->pop_back();
      ASSERT_NE(solver::encode(op), solver::encode(before)) << "seed " << seed << ", text " << i;
      ++moved;
      texts[i]->push_back(texts[i + 1]->front());
      texts[i + 1]->erase(0, 1);
    }
  }
  EXPECT_GT(moved, 1000);
}

struct Parts {
  std::string definition;
  std::vector<std::pair<int, std::string>> inputs;
  auto operator<=>(const Parts&) const = default;
};

Parts random_parts(RandomOps& random) {
  static const char* const kTexts[] = {"", "a", "b", "ab"};
  Parts parts{.definition = kTexts[random.pick(4)], .inputs = {}};
  for (int count = random.pick(4); count > 0; --count) {
    parts.inputs.emplace_back(1 + random.pick(3), kTexts[random.pick(3)]);
  }
  return parts;
}

TEST(KeyProperty, KeysAreEqualIfAndOnlyIfTheirPartsAre) {
  std::map<Digest, Parts> seen;
  std::map<Parts, Digest> keys;
  for (std::uint32_t seed = 0; seed < kSeeds * 10; ++seed) {
    RandomOps random(seed);
    const Parts parts = random_parts(random);
    std::vector<KeyInput> inputs;
    for (const auto& [kind, text] : parts.inputs) {
      inputs.push_back({static_cast<KeyInput::Kind>(kind), Digest::of(text)});
    }
    const Digest definition = solver::definition_key(parts.definition, inputs).digest;
    const Digest content = solver::content_key(parts.definition, inputs).digest;
    ASSERT_EQ(seen.emplace(definition, parts).first->second, parts) << "seed " << seed;
    ASSERT_EQ(keys.emplace(parts, definition).first->second, definition) << "seed " << seed;
    ASSERT_FALSE(seen.contains(content)) << "seed " << seed;
  }
  EXPECT_GT(keys.size(), 500U);
}

snapshotter::Entry random_entry(RandomOps& random) {
  static const char* const kTexts[] = {"", "a", "b", "ab"};
  snapshotter::Entry entry;
  entry.path = kTexts[random.pick(4)];
  entry.type = static_cast<snapshotter::EntryType>(1 + random.pick(7));
  entry.mode = random.pick(2) == 0 ? 0644 : 04755;
  entry.uid = static_cast<uid_t>(random.pick(2));
  entry.gid = static_cast<gid_t>(random.pick(2));
  entry.link = kTexts[random.pick(4)];
  entry.mtime.tv_sec = random.pick(100);
  if (random.pick(2) == 0) {
    entry.xattrs.set(kTexts[random.pick(4)], kTexts[random.pick(4)]);
  }
  if (random.pick(2) == 0) {
    entry.content = Digest::of(kTexts[random.pick(4)]);
  }
  return entry;
}

TEST(KeyProperty, ChangeListsAreToldApartByAllButTimes) {
  const auto values = [](const snapshotter::Entry& e) {
    return std::tuple(e.path, e.type, e.mode, e.uid, e.gid, e.link, e.xattrs.map(), e.content);
  };
  using Values = decltype(values({}));
  std::map<Digest, std::vector<Values>> seen;
  std::map<std::vector<Values>, Digest> digests;
  for (std::uint32_t seed = 0; seed < kSeeds * 20; ++seed) {
    RandomOps random(seed);
    snapshotter::ChangeList list;
    std::vector<Values> shown;
    for (int count = random.pick(3); count > 0; --count) {
      list.push_back(random_entry(random));
      shown.push_back(values(list.back()));
    }
    const Digest digest = snapshotter::change_digest(list);
    ASSERT_EQ(seen.emplace(digest, shown).first->second, shown) << "seed " << seed;
    ASSERT_EQ(digests.emplace(shown, digest).first->second, digest) << "seed " << seed;
  }
  EXPECT_GT(digests.size(), 1000U);
}

}  // namespace
}  // namespace mybuild::keys
