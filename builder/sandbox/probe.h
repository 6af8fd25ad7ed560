// SPDX-License-Identifier: Apache-2.0
// Finds out by doing whether sandboxes and overlay layers work here. Single-threaded: it changes
// the process's mount namespace, so it belongs into the helper binary.
#pragma once

#include "snapshotter/base/result.h"

#include <string>

namespace mybuild::sandbox {

/// Mounts an overlay inside `directory`, deletes a file and replaces a directory in it, and looks
/// at the marks the kernel leaves in the upper layer.
Status probe_overlay(const std::string& directory);

}  // namespace mybuild::sandbox
