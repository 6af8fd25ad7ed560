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

/// overlayfs refuses a directory that is in a stack twice (ELOOP), which two equal layers of an image are. The upper one
/// hides the lower one's every entry, so only the upper one is needed.
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

class OverlayActive final : public Active {
 public:
  OverlayActive(std::span<const std::string> layers, const std::string& scratch) {
    root_.lower = without_repeats(layers);
    root_.upper = join_path(scratch, "upper");
    root_.work = join_path(scratch, "work");
  }
  ~OverlayActive() override {
    if (!taken_) {
      (void)remove_tree(root_.upper);
    }
    (void)remove_tree(root_.work);
  }
  const RootMount& root() const override { return root_; }

  /// The merged root has the metadata of its topmost layer, which is the upper directory now.
  Status make_directories() const {
    TRY(sys::mkdir_at(AT_FDCWD, root_.work, 0700));
    TRY(sys::mkdir_at(AT_FDCWD, root_.upper, 0755));
    Entry metadata;
    metadata.type = EntryType::Directory;
    metadata.mode = 0755;
    if (!root_.lower.empty()) {
      const Fd top = TRY(sys::open(root_.lower.back(), O_RDONLY | O_DIRECTORY));
      const struct stat info = TRY(sys::fstat(top.get()));
      metadata = TRY(read_directory_entry(top.get(), info, {}, TreeForm::Plain));
    }
    const Fd upper = TRY(sys::open(root_.upper, O_RDONLY | O_DIRECTORY));
    return finish_directory(upper.get(), metadata);
  }

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
    auto active = std::make_unique<OverlayActive>(layer_dirs, scratch);
    TRY(active->make_directories());
    return std::unique_ptr<Active>(std::move(active));
  }

  Result<std::string> finish(std::unique_ptr<Active> active) override {
    auto& overlay = static_cast<OverlayActive&>(*active);
    const std::unique_ptr<TreeView> lower = TRY(open_layered_view(overlay.root().lower));
    TRY(clean_upper(overlay.root().upper, *lower));
    return overlay.take();
  }
};

}  // namespace

std::unique_ptr<Snapshotter> make_overlay_snapshotter() {
  return std::make_unique<OverlaySnapshotter>();
}

}  // namespace mybuild::snapshotter
