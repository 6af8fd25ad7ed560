// SPDX-License-Identifier: Apache-2.0
// Snapshotter: how the stacked trees of layers become one writable root for a step, and how what
// the step changed is found; and roots of containers, which stay. Drivers return mounts as data;
// they never mount. Thread-safe; Active is thread-compatible.
#pragma once

#include "snapshotter/base/result.h"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::snapshotter {

/// A root file system, as data for whoever mounts it in a namespace of its own.
struct RootMount {
  enum class Type { Overlay, Bind };
  Type type = Type::Overlay;
  std::vector<std::string> lower;  // Overlay: lowest first
  std::string upper;               // Overlay: empty for a read-only view
  std::string work;
  bool durable = false;  // Overlay: what programs sync is synced, for a root that stays
  std::string source;    // Bind: the directory
};

struct Capabilities {
  bool stacks_layers = false;  // a root costs O(layers), not O(files)
  bool extra_lower = false;    // mount points may be supplied by an additional lowest directory
};

/// A writable root for one step. Its directory is removed by the destructor unless the driver's
/// finish() took it; what else is in the scratch directory then goes with that.
class Active {
 public:
  virtual ~Active() = default;
  virtual const RootMount& root() const = 0;
};

class Snapshotter {
 public:
  virtual ~Snapshotter() = default;
  virtual std::string_view name() const = 0;
  virtual Capabilities capabilities() const = 0;
  /// `layer_dirs`: layer trees, lowest first; `scratch`: an existing empty directory on the store's
  /// file system.
  virtual Result<std::unique_ptr<Active>> prepare(std::span<const std::string> layer_dirs,
                                                  const std::string& scratch) = 0;
  /// Ends the step: the directory (inside `scratch`) that holds only what changed, as a layer tree
  /// in the store's form.
  virtual Result<std::string> finish(std::unique_ptr<Active> active) = 0;

  /// A writable root that stays in `scratch` (as for prepare()) until the caller removes that
  /// directory.
  virtual Result<RootMount> create_root(std::span<const std::string> layer_dirs,
                                        const std::string& scratch) = 0;
  /// The root that create_root() made there, with all that was changed in it since.
  virtual Result<RootMount> reopen_root(std::span<const std::string> layer_dirs,
                                        const std::string& scratch) = 0;
};

/// Tries a real overlay mount in `directory`, in a process of its own, as it needs a mount
/// namespace. Empty: it works; else why not. An Error means that not even the namespace could be
/// made.
using OverlayProbe = std::function<Result<std::string>(const std::string& directory)>;

/// Overlay where it works and layer trees can have its marks (whiteout.h), else the copying driver;
/// when no root can be mounted at all, the error names the missing right and what grants it. The
/// probe's answer is kept in `directory` (the state directory) until the machine, its kernel or our
/// rights change, so that it is asked once.
Result<std::unique_ptr<Snapshotter>> choose_snapshotter(const std::string& directory,
                                                        const OverlayProbe& try_overlay);

}  // namespace mybuild::snapshotter
