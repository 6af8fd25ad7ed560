// SPDX-License-Identifier: Apache-2.0
// The directories of one cache: <key>/0, and <key>/1 … for steps that want one of their own
// (sharing=private) while another has it. <key>/<n>.lock is held by whoever uses <n>, shared or
// alone; <key>/.gate only while somebody looks for a free one, so that looking at locks makes no
// step believe that its cache is taken. Lock files stay when the files go: removing one would leave
// two locks to who came before and who comes after. Thread-safe, safe between processes.
#pragma once

#include "snapshotter/base/file.h"

#include <string>
#include <string_view>
#include <vector>

namespace mybuild::caches {

bool is_slot(std::string_view name);
/// Those that have files, in order.
Result<std::vector<std::string>> slots_of(const std::string& cache_dir);
std::string slot_lock_path(const std::string& cache_dir, std::string_view slot);
/// Held for moments only.
Result<FileLock> lock_gate(const std::string& cache_dir);
/// All slots for us alone; nothing when any is in use. Under the gate.
Result<std::vector<FileLock>> try_lock_all(const std::string& cache_dir);

}  // namespace mybuild::caches
