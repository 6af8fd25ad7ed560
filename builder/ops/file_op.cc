// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/file_op.h"

#include "builder/ops/copy_ahead.h"
#include "builder/ops/copy_plan.h"
#include "builder/ops/missing_source.h"
#include "builder/ops/selection_log.h"
#include "builder/ops/trees.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/log.h"
#include "snapshotter/base/rooted_path.h"
#include "snapshotter/base/sys.h"
#include "solver/key.h"

#include <malloc.h>

#include <map>
#include <mutex>

namespace mybuild::ops {

namespace {

using solver::CopyAction;
using solver::FileOp;
using solver::InputRule;
using solver::MakeDirAction;
using solver::MakeFileAction;
using solver::ResultPtr;

/// So many entries take 10 MB.
constexpr std::size_t kTrimFrom = 16 * 1024;

/// What a copy takes from its input: opened once, used for the key and for the copy.
struct Source {
  View view;
  std::vector<SelectedSource> selected;
  /// The view's files, as a copy ahead reads them.
  std::unique_ptr<snapshotter::EntryContents> noting;
  const snapshotter::EntryContents& files() const {
    return noting ? *noting : static_cast<const snapshotter::EntryContents&>(*view.view);
  }
};

/// With less to read, reading it twice does not show.
constexpr std::uint64_t kWorthGoingAhead = 16ULL << 20U;

class FileOpRunner final : public solver::Op {
 public:
  FileOpRunner(const solver::Vertex& vertex, const OpDeps& deps)
      : vertex_(vertex), op_(std::get<FileOp>(vertex.op)), deps_(deps), noted_(deps.selections) {}

  Lane lane() const override { return Lane::Disk; }
  bool is_direct() const override { return false; }
  std::string definition() const override { return solver::encode(vertex_.op); }
  InputRule input_rule(std::size_t input) const override {
    return op_.has_base && input == 0 ? InputRule::Whole : InputRule::Selected;
  }

  Result<Digest> content_digest(std::size_t input, const ResultPtr& result) override {
    std::vector<SharedSelection> all;
    solver::KeyBuilder key("mybuild.copies.v1");
    for (std::size_t i = 0; i < op_.actions.size(); ++i) {
      const auto* copy = std::get_if<CopyAction>(&op_.actions[i]);
      if (copy == nullptr || copy->input != input) {
        continue;
      }
      const std::shared_ptr<Source> source = TRY(select_source(i, *copy, result));
      TRY(hash_contents(*source->view.view, source->selected));
      all.emplace_back(source, &source->selected);
      key.add(selection_digest(source->selected, NamedDirectories::NotShown));
    }
    const Digest digest = key.finish();
    noted_.note(digest, std::move(all));
    return digest;
  }

  Result<std::optional<solver::Output>> restore(const solver::CacheRecord& record,
                                                const std::vector<ResultPtr>& inputs) override {
    const TreeResult* base = TRY(base_of(inputs));
    return restore_layer(record, base, vertex_, deps_);
  }

  Status run_ahead(const std::vector<ResultPtr>& inputs, const std::vector<solver::OutputId>& ids,
                   const std::function<void()>& begins, const Cancel& cancel) override {
    Result<std::optional<snapshotter::Layer>> made = make_ahead(inputs, ids, begins, cancel);
    if (made) {
      ahead_ = std::move(*made);
      return {};
    }
    release_sources();
    if (made.error().kind() != ErrorKind::DataLoss) {
      return std::move(made).error();
    }
    log::debug("not copied ahead: {}", made.error().message());  // what changed is selected anew
    return {};
  }

  Result<solver::Output> exec(const std::vector<ResultPtr>& inputs,
                              const std::vector<solver::OutputId>& ids,
                              const Cancel& cancel) override {
    noted_.report();
    announce();
    const TreeResult* base = TRY(base_of(inputs));
    Result<snapshotter::Layer> made =
        ahead_ ? std::move(*ahead_) : make_layer(base, inputs, cancel);
    if (!made && made.error().kind() == ErrorKind::DataLoss) {
      distrust_sources();
    }
    const snapshotter::Layer layer = TRY(std::move(made));
    release_sources();
    return with_layer(base, op_.has_base ? ids[0] : solver::OutputId{}, layer, deps_.clock.now());
  }

 private:
  /// Where the layer's size is known.
  void announce() {
    const std::lock_guard lock(mutex_);
    SelectedBytes bytes;
    for (std::size_t i = 0; i < op_.actions.size(); ++i) {
      const auto source = sources_.find(i);
      if (source != sources_.end()) {
        bytes += count_bytes(source->second->selected);
      } else if (std::holds_alternative<CopyAction>(op_.actions[i])) {
        return;
      }
    }
    deps_.wanted_blobs.begins(vertex_.id, bytes.all);
  }

  /// nullopt where it would not pay, or might be for nothing.
  Result<std::optional<snapshotter::Layer>> make_ahead(const std::vector<ResultPtr>& inputs,
                                                       const std::vector<solver::OutputId>& ids,
                                                       const std::function<void()>& begins,
                                                       const Cancel& cancel) {
    const std::optional<SelectedBytes> bytes = TRY(select_contexts(inputs));
    if (!bytes || bytes->unread < kWorthGoingAhead || bytes->has_hard_links) {
      return std::optional<snapshotter::Layer>();
    }
    // The same step in another build: that one goes ahead, this one finds what it made.
    ahead_claim_ = TRY(deps_.claims->try_take({snapshotter::Claims::step_ahead(work_id(ids))}));
    if (!ahead_claim_ || TRY(deps_.layers.has_layer_of(bytes->all))) {
      ahead_claim_.reset();
      return std::optional<snapshotter::Layer>();
    }
    begins();
    log::debug("{}: {} bytes are copied and hashed in one go", vertex_.meta.name, bytes->unread);
    CopiedContents copied(deps_.contents);
    for (auto& [action, source] : sources_) {
      source->noting = copied.files(*source->view.view);
    }
    snapshotter::Layer layer = TRY(make_layer(TRY(base_of(inputs)), inputs, cancel, &copied));
    for (auto& [action, source] : sources_) {
      source->noting.reset();
      copied.fill_in(source->selected);
    }
    return std::optional(std::move(layer));
  }

  /// All that is copied, if it comes from directories of the client as it is.
  Result<std::optional<SelectedBytes>> select_contexts(const std::vector<ResultPtr>& inputs) {
    SelectedBytes bytes;
    for (std::size_t i = 0; i < op_.actions.size(); ++i) {
      const auto* copy = std::get_if<CopyAction>(&op_.actions[i]);
      if (copy == nullptr) {
        continue;
      }
      const bool is_context =
          dynamic_cast<const ContextResult*>(inputs[copy->input].get()) != nullptr;
      if (deps_.claims == nullptr || copy->unpack || !is_context) {
        return std::optional<SelectedBytes>();
      }
      bytes += count_bytes(TRY(select_source(i, *copy, inputs[copy->input]))->selected);
    }
    return std::optional(bytes);
  }

  Digest work_id(const std::vector<solver::OutputId>& ids) const {
    solver::KeyBuilder key("mybuild.ahead.v1");
    key.add(definition());
    for (const solver::OutputId& id : ids) {
      key.add(id.digest);
    }
    return key.finish();
  }

  Result<snapshotter::Layer> make_layer(const TreeResult* base,
                                        const std::vector<ResultPtr>& inputs, const Cancel& cancel,
                                        CopiedContents* copied = nullptr) {
    const std::unique_ptr<snapshotter::TreeView> base_view = TRY(open_tree(base, deps_));
    StagedTree staged(*base_view);
    const TempDir scratch = TRY(deps_.layers.scratch());
    for (std::size_t i = 0; i < op_.actions.size(); ++i) {
      TRY(cancel.check());
      TRY(stage(i, inputs, scratch.path(), staged));
    }
    const WantedBlobs& wanted = deps_.wanted_blobs;
    const std::span<const snapshotter::CompressionSpec> forms = wanted.of(vertex_.id);
    if (copied != nullptr) {
      return deps_.layers.commit_changes(staged.changes(), *copied->through(staged), forms,
                                         wanted.draft_of(vertex_.id));
    }
    return deps_.layers.commit_changes(staged.changes(), staged, forms,
                                       wanted.draft_of(vertex_.id));
  }

  Result<const TreeResult*> base_of(const std::vector<ResultPtr>& inputs) const {
    return as_tree(op_.has_base ? inputs[0] : nullptr);
  }

  Result<std::shared_ptr<Source>> select_source(std::size_t action, const CopyAction& copy,
                                                const ResultPtr& input) {
    const std::lock_guard lock(mutex_);
    if (const auto known = sources_.find(action); known != sources_.end()) {
      return known->second;
    }
    auto source = std::make_shared<Source>();
    source->view = TRY(open_view(input, deps_));
    auto selected = select(*source->view.view, copy.sources,
                           {.excludes = copy.excludes, .parents = copy.parents});
    if (!selected) {
      return explain_missing(std::move(selected).error(), input, copy.sources, deps_);
    }
    source->selected = std::move(selected).value();
    sources_.emplace(action, source);
    return source;
  }

  /// Not what the key says: what was remembered of a file is wrong, or it changed just now.
  void distrust_sources() {
    const std::lock_guard lock(mutex_);
    for (const auto& [action, source] : sources_) {
      distrust_contents(*source->view.view, source->selected);
    }
  }

  /// With the planned tree, which is gone too, they are most of what this process holds; malloc
  /// would keep it beside all that comes later.
  void release_sources() {
    const std::lock_guard lock(mutex_);
    std::size_t entries = 0;
    for (const auto& [action, source] : sources_) {
      for (const SelectedSource& selected : source->selected) {
        entries += selected.entries.size();
      }
    }
    sources_.clear();
    ahead_claim_.reset();
    if (entries >= kTrimFrom) {
      ::malloc_trim(0);
    }
  }

  Status stage(std::size_t index, const std::vector<ResultPtr>& inputs, const std::string& scratch,
               StagedTree& staged) {
    const solver::FileAction& action = op_.actions[index];
    if (const auto* copy = std::get_if<CopyAction>(&action)) {
      return stage_copy(index, *copy, inputs[copy->input], scratch, staged);
    }
    if (const auto* file = std::get_if<MakeFileAction>(&action)) {
      return stage_file(*file, staged);
    }
    return stage_directory(std::get<MakeDirAction>(action), staged);
  }

  Result<std::optional<Ids>> owner_ids(const std::optional<solver::Owner>& owner,
                                       const StagedTree& staged) {
    if (!owner) {
      return std::optional<Ids>();
    }
    std::optional<std::string> unknown;
    const Ids ids = TRY(resolve_owner(owner->text, staged, &unknown));
    if (unknown) {
      deps_.events.on_event(solver::Warning{
          .message = fmt::format("--chown={}: \"{}\" is not known in the image, 0 is used",
                                 owner->text, *unknown),
          .detail = "BuildKit does the same; create the user before the COPY, or use a number",
          .location = vertex_.meta.location});
    }
    return std::optional(ids);
  }

  Status stage_copy(std::size_t index, const CopyAction& copy, const ResultPtr& input,
                    const std::string& scratch, StagedTree& staged) {
    const std::shared_ptr<Source> source = TRY(select_source(index, copy, input));
    CopyPlanOptions options;
    options.dest = copy.dest;
    options.invented_mtime = deps_.invented_mtime;
    options.owner = TRY(owner_ids(copy.owner, staged));
    if (copy.mode) {
      options.mode = TRY(ModeChange::parse(*copy.mode));
    }
    for (const SelectedSource& selected : source->selected) {
      if (copy.unpack && TRY(unpack(*source->view.view, selected, options, scratch, staged))) {
        continue;
      }
      TRY(plan_copy(staged, source->files(), selected, options));
    }
    return {};
  }

  Result<bool> unpack(const snapshotter::TreeView& view, const SelectedSource& source,
                      const CopyPlanOptions& options, const std::string& scratch,
                      StagedTree& staged) {
    if (source.is_directory || source.entries.empty()) {
      return false;
    }
    const snapshotter::Entry& archive = source.entries[0].get().entry;
    if (archive.type != snapshotter::EntryType::File) {
      return false;
    }
    const std::string spool = join_path(scratch, fmt::format("archive-{}", ++archives_));
    TRY(sys::mkdir_at(AT_FDCWD, spool, 0700));
    return plan_unpack(staged, view, archive, options, spool);
  }

  Status stage_file(const MakeFileAction& file, StagedTree& staged) {
    snapshotter::Entry entry;
    entry.path = clean_relative(file.path);
    entry.mode = file.mode;
    entry.size = file.content.size();
    entry.mtime = deps_.invented_mtime;
    entry.content = Digest::of(file.content);
    return staged.put(std::move(entry), [&file]() -> Result<Fd> {
      Fd bytes = TRY(sys::memfd("heredoc"));
      TRY(sys::write_all(bytes.get(), as_bytes(file.content)));
      ::lseek(bytes.get(), 0, SEEK_SET);
      return bytes;
    });
  }

  Status stage_directory(const MakeDirAction& directory, StagedTree& staged) {
    CopyPlanOptions options;
    options.invented_mtime = deps_.invented_mtime;
    options.owner = TRY(owner_ids(directory.owner, staged));
    snapshotter::Entry model = directory_model(options);
    model.mode = directory.mode;
    const std::string path = TRY(staged.resolve(directory.path));
    return staged.make_dirs(path, model);
  }

  const solver::Vertex& vertex_;
  const FileOp& op_;
  const OpDeps& deps_;
  NotedSelections noted_;
  std::mutex mutex_;
  std::map<std::size_t, std::shared_ptr<Source>> sources_;  // by action
  std::optional<snapshotter::Layer> ahead_;                 // made before the key
  std::optional<snapshotter::Claim> ahead_claim_;           // until there is a record
  std::size_t archives_ = 0;
};

}  // namespace

std::unique_ptr<solver::Op> make_file_op(const solver::Vertex& vertex, const OpDeps& deps) {
  return std::make_unique<FileOpRunner>(vertex, deps);
}

}  // namespace mybuild::ops
