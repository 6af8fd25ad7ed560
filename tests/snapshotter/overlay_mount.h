// SPDX-License-Identifier: Apache-2.0
// Runs the body of a "build step" inside a root that a driver prepared, in a process of its own: a
// fork of the single-threaded test with its own mount namespace, the root mounted at a temporary
// directory.
#pragma once

#include "snapshotter/base/file.h"
#include "snapshotter/snapshotter.h"

#include <functional>
#include <string>

namespace mybuild::snapshotter::testing {

/// `step` gets the path of the root. Empty answer: it ran; else what did not work.
std::string run_in_root(const RootMount& root,
                        const std::function<void(const std::string& dir)>& step);

/// Empty when overlayfs can be mounted here, else the missing right.
std::string overlay_problem();

/// A directory on an overlayfs of its own, as in a container whose root is an overlay: seen by this
/// thread and those it starts from now on.
class OverlayPlace {
 public:
  OverlayPlace();
  ~OverlayPlace();
  OverlayPlace(const OverlayPlace&) = delete;
  OverlayPlace& operator=(const OverlayPlace&) = delete;
  /// Empty when it is there, else the missing right.
  const std::string& problem() const { return problem_; }
  std::string path() const { return dir_.path() + "/merged"; }
  /// The same objects on the file system below.
  std::string raw() const { return dir_.path() + "/upper"; }
  void unmount();

 private:
  TempDir dir_ = TempDir::create().value();
  std::string problem_;
};

}  // namespace mybuild::snapshotter::testing
