// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/native/native.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/native/tree_copy.h"
#include "snapshotter/native/tree_diff.h"
#include "snapshotter/tree_view.h"

namespace mybuild::snapshotter {

namespace {

RootMount root_in(const std::string& scratch) {
  RootMount root;
  root.type = RootMount::Type::Bind;
  root.source = join_path(scratch, "root");
  return root;
}

Status copy_layers(const std::vector<std::string>& layers, const std::string& to) {
  TRY(sys::mkdir_at(AT_FDCWD, to, 0755));
  const std::unique_ptr<TreeView> view = TRY(open_layered_view(layers));
  return copy_tree(*view, to).context("copy the root file system");
}

class NativeActive final : public Active {
 public:
  NativeActive(std::span<const std::string> layers, const std::string& scratch)
      : layers_(layers.begin(), layers.end()),
        layer_(join_path(scratch, "layer")),
        root_(root_in(scratch)) {}
  ~NativeActive() override {
    (void)remove_tree(root_.source);
    if (!taken_) {
      (void)remove_tree(layer_);
    }
  }
  const RootMount& root() const override { return root_; }

  Status fill() {
    TRY(copy_layers(layers_, root_.source));
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
    TRY(active->fill());
    return std::unique_ptr<Active>(std::move(active));
  }

  Result<std::string> finish(std::unique_ptr<Active> active) override {
    return static_cast<NativeActive&>(*active).finish();
  }

  Result<RootMount> create_root(std::span<const std::string> layer_dirs,
                                const std::string& scratch) override {
    RootMount root = root_in(scratch);
    TRY(copy_layers({layer_dirs.begin(), layer_dirs.end()}, root.source));
    return root;
  }

  Result<RootMount> reopen_root(std::span<const std::string>, const std::string& scratch) override {
    RootMount root = root_in(scratch);
    if (!sys::exists_at(AT_FDCWD, root.source)) {
      return not_found("{} holds no copied root", scratch)
          .with_hint("it was made with overlayfs, which cannot be used now");
    }
    return root;
  }
};

}  // namespace

std::unique_ptr<Snapshotter> make_native_snapshotter() {
  return std::make_unique<NativeSnapshotter>();
}

}  // namespace mybuild::snapshotter
