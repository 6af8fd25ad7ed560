// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/overlay/overlay.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/overlay/upper_cleanup.h"
#include "snapshotter/tree_entry.h"
#include "snapshotter/tree_view.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>

namespace mybuild::snapshotter {

namespace {

/// overlayfs refuses a directory that is in a stack twice (ELOOP), which two equal layers of an
/// image are. The upper one hides the lower one's every entry, so only the upper one is needed.
std::vector<std::string> without_repeats(std::span<const std::string> layers) {
  std::vector<std::string> stack;
  std::unordered_set<std::string_view> seen;
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    if (seen.insert(*layer).second) {
      stack.push_back(*layer);
    }
  }
  std::reverse(stack.begin(), stack.end());
  return stack;
}

constexpr std::string_view kNothing = "no-layers";

RootMount root_in(const std::string& scratch, std::span<const std::string> layers) {
  RootMount root;
  root.lower = without_repeats(layers);
  if (root.lower.empty()) {  // the kernel wants one, and an image may have none
    root.lower.push_back(join_path(scratch, kNothing));
  }
  root.upper = join_path(scratch, "upper");
  root.work = join_path(scratch, "work");
  return root;
}

/// The merged root has the metadata of its topmost layer, which is the upper directory now.
Status make_directories(const RootMount& root) {
  if (base_name(root.lower.back()) == kNothing) {
    TRY(sys::mkdir_at(AT_FDCWD, root.lower.back(), 0700));
  }
  TRY(sys::mkdir_at(AT_FDCWD, root.work, 0700));
  TRY(sys::mkdir_at(AT_FDCWD, root.upper, 0755));
  Entry metadata;
  metadata.type = EntryType::Directory;
  metadata.mode = 0755;
  if (base_name(root.lower.back()) != kNothing) {
    const Fd top = TRY(sys::open(root.lower.back(), O_RDONLY | O_DIRECTORY));
    const struct stat info = TRY(sys::fstat(top.get()));
    metadata = TRY(read_directory_entry(top.get(), info, {}, TreeForm::Plain));
  }
  const Fd upper = TRY(sys::open(root.upper, O_RDONLY | O_DIRECTORY));
  return finish_directory(upper.get(), metadata);
}

/// Whiteouts of a layer may be links to one that is in the work directory, and change their ctimes
/// when that goes.
bool may_share_whiteouts(const std::string& work) {
  const Result<Fd> inner = sys::open(work + "/work", O_RDONLY | O_DIRECTORY);
  const Result<std::vector<std::string>> names =
      inner ? sys::list_dir(inner->get()) : inner.error();
  return !names || *names != std::vector<std::string>{"incompat"};
}

class OverlayActive final : public Active {
 public:
  explicit OverlayActive(RootMount root) : root_(std::move(root)) {}
  ~OverlayActive() override {
    if (!taken_) {
      (void)remove_tree(root_.upper);
    }
    // Before anybody looks at the layer. Else it goes with the scratch directory.
    if (!taken_ || may_share_whiteouts(root_.work)) {
      (void)remove_tree(root_.work);
    }
  }
  const RootMount& root() const override { return root_; }

  std::string take() {
    taken_ = true;
    return root_.upper;
  }

 private:
  RootMount root_;
  bool taken_ = false;
};

class OverlaySnapshotter final : public Snapshotter {
 public:
  std::string_view name() const override { return "overlay"; }
  Capabilities capabilities() const override {
    return {.stacks_layers = true, .extra_lower = true};
  }

  Result<std::unique_ptr<Active>> prepare(std::span<const std::string> layer_dirs,
                                          const std::string& scratch) override {
    auto active = std::make_unique<OverlayActive>(root_in(scratch, layer_dirs));
    TRY(make_directories(active->root()));
    return std::unique_ptr<Active>(std::move(active));
  }

  Result<std::string> finish(std::unique_ptr<Active> active) override {
    auto& overlay = static_cast<OverlayActive&>(*active);
    const std::unique_ptr<TreeView> lower = TRY(open_layered_view(overlay.root().lower));
    TRY(clean_upper(overlay.root().upper, *lower));
    return overlay.take();
  }

  Result<RootMount> create_root(std::span<const std::string> layer_dirs,
                                const std::string& scratch) override {
    RootMount root = root_in(scratch, layer_dirs);
    TRY(make_directories(root));
    return root;
  }

  Result<RootMount> reopen_root(std::span<const std::string> layer_dirs,
                                const std::string& scratch) override {
    RootMount root = root_in(scratch, layer_dirs);
    if (!sys::exists_at(AT_FDCWD, root.upper)) {
      return not_found("{} holds no overlay root", scratch)
          .with_hint("it was made where overlayfs could not be used, by copying");
    }
    return root;
  }
};

}  // namespace

std::unique_ptr<Snapshotter> make_overlay_snapshotter() {
  return std::make_unique<OverlaySnapshotter>();
}

}  // namespace mybuild::snapshotter
