// SPDX-License-Identifier: Apache-2.0
// Options of the verbs under `mybuild cache-mount`. Value types.
#pragma once

#include "cmd/mybuild/cli/command.h"
#include "cmd/mybuild/cli/global_options.h"
#include "cmd/mybuild/cli/transfer_options.h"

#include <optional>
#include <string>
#include <vector>

namespace mybuild::cli {

struct CacheMountListOptions {
  GlobalOptions global = {};
  bool quiet = false;
  std::string format = {};
};

struct CacheMountRmOptions {
  GlobalOptions global = {};
  bool all = false;
  std::vector<std::string> names;  // ids or keys
};

struct CacheMountExportOptions : TransferOptions {
  std::string output = "-";
  std::vector<std::string> names;  // ids or keys
};

struct CacheMountImportOptions : TransferOptions {
  std::string input;
  std::optional<std::string> id;  // instead of that of the archive
};

extern const Command<CacheMountListOptions> kCacheMountListCommand;
extern const Command<CacheMountRmOptions> kCacheMountRmCommand;
extern const Command<CacheMountExportOptions> kCacheMountExportCommand;
extern const Command<CacheMountImportOptions> kCacheMountImportCommand;

}  // namespace mybuild::cli
