// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/copy_source.h"
#include "frontend/dockerfile/file_mode.h"
#include "frontend/dockerfile/lower.h"
#include "frontend/ignore/pattern.h"

#include <fmt/format.h>

#include <algorithm>

namespace mybuild::frontend {

namespace {

/// The step with its variables filled in.
struct Copy {
  std::vector<std::string> sources;
  std::vector<InlineFile> files;
  std::string dest;
  std::string chown;
  std::string chmod;
  std::string checksum;
};

Result<Copy> expand_copy(StepContext& context, const CopyStep& step) {
  Copy out;
  out.chown = TRY(context.expand_word(step.chown));
  out.chmod = TRY(context.expand_word(step.chmod));
  out.checksum = TRY(context.expand_word(step.checksum));
  out.dest = TRY(context.expand_word(step.dest));
  for (const std::string& source : step.sources) {
    auto word = TRY(context.expand_word(source));
    out.sources.push_back(std::move(word));
  }
  for (InlineFile file : step.files) {
    if (file.expand) {
      // Quotes mean nothing in a body, and its escape character is '\', whatever the file's is.
      auto content = TRY(expand(file.content, context.state.image.env(), {.ignore_quotes = true}));
      context.build.inspector().see_unset(context.step(), content.unset, context.state.image);
      file.content = std::move(content.text);
    }
    out.files.push_back(std::move(file));
  }
  return out;
}

/// Absolute and clean; a slash at the end says that the destination is a directory.
std::string destination(const StepContext& context, const std::string& dest) {
  const std::string& cwd = context.state.image.cwd;
  std::string path = clean_path(dest.starts_with('/') ? dest : cwd + "/" + dest);
  const bool is_directory =
      dest.empty() || dest == "." || dest.ends_with('/') || dest.ends_with("/.");
  if (is_directory && path != "/") {
    path += '/';
  }
  return path;
}

std::string history_text(const CopyStep& step, const Copy& copy) {
  std::string text = step.is_add ? "ADD" : "COPY";
  text += step.parents ? " --parents" : "";
  text += copy.chown.empty() ? "" : " --chown=" + copy.chown;
  text += copy.chmod.empty() ? "" : " --chmod=" + copy.chmod;
  for (const std::string& source : copy.sources) {
    text += " " + source;
  }
  for (const InlineFile& file : copy.files) {
    text += " <<" + file.name;
  }
  return text + " " + copy.dest + " # buildkit";
}

/// The tree that the sources are in; a stage without a tree counts as an empty directory.
Result<solver::Edge> source_tree(StepContext& context) {
  if (context.planned.sources.empty()) {
    return context.build.build_context();
  }
  const auto tree = TRY(context.source_tree(0, "copy from"));
  if (tree) {
    return *tree;
  }
  return context.build.graph().add(solver::FileOp{.has_base = false, .actions = {}}, {},
                                   context.state.platform,
                                   {.name = "[internal] empty tree", .location = {}});
}

std::string shown_text(const StepContext& context) {
  const std::string& text = context.step().text;
  const auto shown =
      expand(text, context.state.image.env(), {.escape = context.build.plan().escape()});
  return shown ? shown->text : text;
}

bool is_id(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// A layer that fits on any base cannot ask one for the ids of a name.
Status check_linked_owner(std::string_view chown) {
  const auto colon = chown.find(':');
  const std::string_view group = colon == chown.npos ? "" : chown.substr(colon + 1);
  for (const std::string_view part : {chown.substr(0, colon), group}) {
    if (!is_id(part)) {
      return invalid_argument("--link cannot look up \"{}\" of --chown={}", part, chown)
          .with_hint("its layer sees no users of the base: use numbers, or leave --link out");
    }
  }
  return {};
}

/// Whether the copy makes a layer that knows nothing of the base. With --chmod BuildKit makes an
/// ordinary one.
bool is_linked(const CopyStep& step, const Copy& copy) {
  return step.link && copy.chmod.empty();
}

/// `copied` on the stage's tree, if it has one.
solver::Edge link(StepContext& context, solver::Edge copied) {
  const StageState& state = context.state;
  if (!state.root) {
    return copied;
  }
  return context.build.graph().add(solver::MergeOp(), {*state.root, copied}, state.platform, {});
}

/// What is being put together for one COPY or ADD.
struct Draft {
  solver::FileOp op;
  std::vector<solver::Edge> inputs;

  void add(solver::CopyAction action, solver::Edge tree) {
    action.input = static_cast<std::uint32_t>(inputs.size());
    inputs.push_back(tree);
    op.actions.emplace_back(std::move(action));
  }
};

/// Adds what `paths` names in the tree that the step copies from, if it names anything.
Status add_paths(StepContext& context, std::vector<std::string> paths, solver::CopyAction action,
                 Draft& draft) {
  if (!paths.empty()) {
    action.sources = std::move(paths);
    const solver::Edge tree = TRY(source_tree(context));
    draft.add(std::move(action), tree);
  }
  return {};
}

/// One action per remote source, and one for all paths between two of them: in their order, since
/// a later one overwrites an earlier one.
Status add_sources(StepContext& context, const CopyStep& step, const Copy& copy,
                   const solver::CopyAction& action, const solver::VertexMeta& meta, Draft& draft) {
  solver::CopyAction from_tree = action;
  from_tree.parents = step.parents;
  from_tree.unpack = step.unpack.value_or(step.is_add);
  std::vector<std::string> paths;
  for (const std::string& source : copy.sources) {
    auto remote = TRY(remote_source(step, source, copy.checksum));
    if (!remote) {
      paths.push_back(source_path(source, step.parents));
      continue;
    }
    TRY(add_paths(context, std::exchange(paths, {}), from_tree, draft));
    solver::CopyAction from_remote = action;
    from_remote.sources = {std::move(remote->path)};
    from_remote.unpack = remote->unpack;
    const solver::Edge tree =
        context.build.graph().add(std::move(remote->op), {}, context.state.platform,
                                  {.name = meta.name, .location = meta.location});
    draft.add(std::move(from_remote), tree);
  }
  return add_paths(context, std::move(paths), from_tree, draft);
}

solver::CopyAction action_of(const StepContext& context, const CopyStep& step, const Copy& copy) {
  solver::CopyAction action;
  action.dest = destination(context, copy.dest);
  if (!copy.chown.empty()) {
    action.owner = solver::Owner{copy.chown};
  }
  if (!copy.chmod.empty()) {
    action.mode = copy.chmod;
  }
  action.excludes = step.excludes;
  return action;
}

Status check(const CopyStep& step, const Copy& copy) {
  if (!copy.chmod.empty()) {
    TRY(check_file_mode(copy.chmod));
  }
  TRY(check_checksum(step, copy.sources, copy.checksum));
  return is_linked(step, copy) ? check_linked_owner(copy.chown) : Status();
}

void inspect(StepContext& context, const CopyStep& step, const Copy& copy,
             const std::string& path) {
  context.build.inspector().see_copy(context.step(), step.is_add,
                                     {.sources = copy.sources,
                                      .files = copy.files.size(),
                                      .dest = copy.dest,
                                      .path = path,
                                      .chown = copy.chown,
                                      .from_context = context.planned.sources.empty(),
                                      .onto_nothing = !context.state.root,
                                      .link_lost = step.link && !is_linked(step, copy)},
                                     context.state.image);
}

}  // namespace

Status lower_copy(StepContext& context, const CopyStep& step) {
  const Copy copy = TRY(expand_copy(context, step));
  TRY(check(step, copy));
  StageState& state = context.state;
  const bool linked = is_linked(step, copy);
  Draft draft{.op = {.has_base = state.root && !linked, .actions = {}}, .inputs = {}};
  if (draft.op.has_base) {
    draft.inputs.push_back(*state.root);
  }
  const solver::CopyAction action = action_of(context, step, copy);
  inspect(context, step, copy, action.dest);
  auto meta = context.meta(shown_text(context));
  TRY(add_sources(context, step, copy, action, meta, draft));
  for (const InlineFile& file : copy.files) {
    solver::CopyAction from_file = action;
    from_file.sources = {"/" + literal_pattern(file.name)};
    draft.add(std::move(from_file),
              context.build.inline_file(file.name, file.content, 0644, state.platform));
  }
  const solver::Edge copied = context.build.graph().add(
      std::move(draft.op), std::move(draft.inputs), state.platform, std::move(meta));
  state.root = linked ? link(context, copied) : copied;
  state.image.commit(history_text(step, copy), true);
  return {};
}

Status lower_workdir(StepContext& context, const WorkdirStep& step) {
  StageState& state = context.state;
  std::string path;
  const WordExpander expander = [&](std::string_view word) -> Result<std::string> {
    path = TRY(context.expand_word(word));
    return path;
  };
  TRY(apply(step, expander, state.image));
  context.build.inspector().see_workdir(context.step(), path);
  if (state.image.cwd == "/") {
    return {};
  }
  solver::MakeDirAction action{.path = state.image.cwd, .mode = 0755, .owner = {}};
  if (!state.image.config.user.empty()) {
    action.owner = solver::Owner{state.image.config.user};
  }
  solver::FileOp op{.has_base = state.root.has_value(), .actions = {}};
  op.actions.emplace_back(std::move(action));
  std::vector<solver::Edge> inputs;
  if (state.root) {
    inputs.push_back(*state.root);
  }
  auto meta = context.meta(shown_text(context));
  state.root =
      context.build.graph().add(std::move(op), std::move(inputs), state.platform, std::move(meta));
  return {};
}

}  // namespace mybuild::frontend
