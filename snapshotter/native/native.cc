// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/native/native.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/native/tree_copy.h"
#include "snapshotter/native/tree_diff.h"
#include "snapshotter/tree_view.h"

namespace mybuild::snapshotter {

namespace {

class NativeActive final : public Active {
 public:
  NativeActive(std::span<const std::string> layers, const std::string& scratch)
      : layers_(layers.begin(), layers.end()), layer_(join_path(scratch, "layer")) {
    root_.type = RootMount::Type::Bind;
    root_.source = join_path(scratch, "root");
  }
  ~NativeActive() override {
    (void)remove_tree(root_.source);
    if (!taken_) {
      (void)remove_tree(layer_);
    }
  }
  const RootMount& root() const override { return root_; }

  Status fill() {
    TRY(sys::mkdir_at(AT_FDCWD, root_.source, 0755));
    const std::unique_ptr<TreeView> view = TRY(open_layered_view(layers_));
    TRY(copy_tree(*view, root_.source));
    // Made last, by the clock that stamps the files: what is changed from here on is not older.
    TRY(sys::mkdir_at(AT_FDCWD, layer_, 0755));
    copied_ = TRY(sys::lstat_at(AT_FDCWD, layer_))
    .st_ctim;
    return {};
  }

  Result<std::string> finish() {
    const std::unique_ptr<TreeView> lower = TRY(open_layered_view(layers_));
    TRY(diff_tree(*lower, root_.source, layer_, copied_));
    taken_ = true;
    return layer_;
  }

 private:
  const std::vector<std::string> layers_;
  const std::string layer_;
  RootMount root_;
  struct timespec copied_ {};
  bool taken_ = false;
};

class NativeSnapshotter final : public Snapshotter {
 public:
  std::string_view name() const override { return "native"; }
  Capabilities capabilities() const override { return {}; }

  Result<std::unique_ptr<Active>> prepare(std::span<const std::string> layer_dirs,
                                          const std::string& scratch) override {
    auto active = std::make_unique<NativeActive>(layer_dirs, scratch);
    TRY(active->fill().context("copy the root file system"));
    return std::unique_ptr<Active>(std::move(active));
  }

  Result<std::string> finish(std::unique_ptr<Active> active) override {
    return static_cast<NativeActive&>(*active).finish();
  }
};

}  // namespace

std::unique_ptr<Snapshotter> make_native_snapshotter() {
  return std::make_unique<NativeSnapshotter>();
}

}  // namespace mybuild::snapshotter
