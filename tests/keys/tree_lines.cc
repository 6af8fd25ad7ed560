// SPDX-License-Identifier: Apache-2.0
// The lines of key_schema.md about files, selections and inputs.
#include "builder/ops/selection.h"
#include "snapshotter/archive/entry.h"
#include "tests/keys/lines.h"
#include "tests/support/memory_tree.h"

namespace mybuild::keys {
namespace {

using namespace solver;
using snapshotter::Entry;
using snapshotter::EntryType;
using testing_support::MemoryTree;

Digest change_of(const Entry& entry) {
  return snapshotter::change_digest({entry});
}

Lines entry_lines() {
  [[maybe_unused]] const auto& [path, type, opaque, mode, uid, gid, size, mtime, link, device_major,
                                device_minor, xattrs, content] = Entry{};
  return LinesOf<Entry>("entry", Entry{}, change_of)
      .in("path", [](Entry& entry) { entry.path = "p"; })
      .in("type", [](Entry& entry) { entry.type = EntryType::Fifo; })
      .in("opaque", [](Entry& entry) { entry.opaque = true; })
      .in("mode", [](Entry& entry) { entry.mode = 04755; })
      .in("uid", [](Entry& entry) { entry.uid = 1; })
      .in("gid", [](Entry& entry) { entry.gid = 1; })
      .in("size", [](Entry& entry) { entry.size = 1; })
      .in("link", [](Entry& entry) { entry.link = "a"; })
      .in("device_major", [](Entry& entry) { entry.device_major = 1; })
      .in("device_minor", [](Entry& entry) { entry.device_minor = 1; })
      .in("xattrs", [](Entry& entry) { entry.xattrs.set("user.k", ""); })
      .in("content", [](Entry& entry) { entry.content = Digest{}; })
      .not_in("mtime", [](Entry& entry) { entry.mtime.tv_nsec = 1; })
      .lines();
}

Lines deletion_lines() {
  Entry whiteout;
  whiteout.type = EntryType::Whiteout;
  return LinesOf<Entry>("deletion", whiteout, change_of)
      .in("path", [](Entry& entry) { entry.path = "p"; })
      .in("type", [](Entry& entry) { entry.type = EntryType::File; })
      .not_in("mode", [](Entry& entry) { entry.mode = 0600; })
      .not_in("uid", [](Entry& entry) { entry.uid = 1; })
      .lines();
}

/// What a COPY of /d and /link takes of a tree.
Digest copied(const MemoryTree& tree) {
  auto sources = ops::select(tree, {"d", "l*"}, {}).value();
  (void)ops::hash_contents(tree, sources);
  return ops::selection_digest(sources, ops::NamedDirectories::NotShown);
}

/// What a mount of /d shows.
Digest mounted(const MemoryTree& tree) {
  auto sources = ops::select(tree, {"d"}, {}).value();
  (void)ops::hash_contents(tree, sources);
  return ops::selection_digest(sources, ops::NamedDirectories::Shown);
}

Lines shown_lines() {
  return LinesOf<MemoryTree>("mounted selection", {{"d/a", "1"}}, mounted)
      .in("mode of the directory", [](MemoryTree& edited) { edited.at("d").mode = 0700; })
      .lines();
}

Lines selection_lines() {
  const MemoryTree tree{{"d/a", "1"}, {"d/b", "1"}, {"d/s", "-> a"}, {"link", "-> d/b"}, {"x", ""}};
  const auto other = [](const MemoryTree& changed) {
    return [changed](MemoryTree& edited) { edited = changed; };
  };
  const auto entry = [](const std::function<void(Entry&)>& edit) {
    return [edit](MemoryTree& edited) { edit(edited.at("d/a")); };
  };
  const std::pair<std::string, std::string> b{"d/b", "1"}, s{"d/s", "-> a"}, link{"link", "-> d/b"};
  return LinesOf<MemoryTree>("selection", tree, copied)
      .in("content", other({{"d/a", "2"}, b, s, link}))
      .in("path", other({{"d/c", "1"}, b, s, link}))
      .in("presence", other({b, s, link}))
      .in("empty directory", other({{"d/a", "1"}, b, s, {"d/e/", ""}, link}))
      .in("link target", other({{"d/a", "1"}, b, {"d/s", "-> b"}, link}))
      .in("type", other({{"d/a", "1"}, b, {"d/s", "a"}, link}))
      .in("name of the source", other({{"d/a", "1"}, b, s, {"lonk", "-> d/b"}}))
      .in("hard links", [](MemoryTree& edited) { edited.hard_link("d/a", "d/b"); })
      .in("mode", entry([](Entry& file) { file.mode = 0755; }))
      .in("owner", entry([](Entry& file) { file.gid = 7; }))
      .in("xattrs", entry([](Entry& file) { file.xattrs.set("user.k", "v"); }))
      .in("device", entry([](Entry& file) { file.device_minor = 1; }))
      .not_in("mtime", entry([](Entry& file) { file.mtime.tv_sec = 7; }))
      .not_in("mode of a named directory", [](MemoryTree& edited) { edited.at("d").mode = 0700; })
      .not_in("files beside it", [](MemoryTree& edited) { edited.at("x").mode = 0600; })
      .not_in("hard links out of it", [](MemoryTree& edited) { edited.hard_link("d/a", "x"); })
      .lines();
}

struct Inputs {
  std::string definition = "RUN make";
  std::vector<KeyInput> inputs{{KeyInput::Kind::Definition, Digest::of("a")},
                               {KeyInput::Kind::Output, Digest::of("b")}};
};

template <class Key>
Lines input_lines(const std::string& kind, Key make) {
  return LinesOf<Inputs>(kind, Inputs{},
                         [make](const Inputs& of) { return make(of.definition, of.inputs).digest; })
      .in("definition", [](Inputs& of) { of.definition = "RUN make all"; })
      .in("number", [](Inputs& of) { of.inputs.pop_back(); })
      .in("order", [](Inputs& of) { std::swap(of.inputs[0], of.inputs[1]); })
      .in("kind", [](Inputs& of) { of.inputs[1].kind = KeyInput::Kind::Content; })
      .in("digest", [](Inputs& of) { of.inputs[1].digest = Digest::of("c"); })
      .lines();
}

struct Step {
  OutputId parent;
  Digest changes;
};

Lines output_lines() {
  return LinesOf<Step>("output", Step{},
                       [](const Step& step) { return output_id(step.parent, step.changes).digest; })
      .in("parent", [](Step& step) { step.parent.digest = Digest::of("p"); })
      .in("changes", [](Step& step) { step.changes = Digest::of("c"); })
      .lines();
}

/// Values of one shape that must not meet.
Lines domain_lines() {
  const KeyInput input{KeyInput::Kind::Output, Digest::of("a")};
  const Digest d = definition_key("x", {&input, 1}).digest;
  const Digest c = content_key("x", {&input, 1}).digest;
  const Digest o = output_id({input.digest}, input.digest).digest;
  return {{"domain.definition and content", true, d, c}, {"domain.content and output", true, c, o}};
}

}  // namespace

std::vector<Lines> tree_lines() {
  return {entry_lines(),
          deletion_lines(),
          selection_lines(),
          shown_lines(),
          input_lines("definition key", definition_key),
          input_lines("content key", content_key),
          output_lines(),
          domain_lines()};
}

}  // namespace mybuild::keys
