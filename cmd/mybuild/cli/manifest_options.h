// SPDX-License-Identifier: Apache-2.0
// Options of the verbs under `mybuild manifest`. Value types.
#pragma once

#include "builder/manifest_list/list.h"
#include "builder/transfer.h"
#include "cmd/mybuild/cli/transfer_options.h"

#include <string>
#include <vector>

namespace mybuild::cli {

/// They ask registries, so all but annotate and rm can be stopped while they wait.
struct ManifestOptions : TransferOptions {
  bool insecure = false;
};

struct ManifestInspectOptions : ManifestOptions {
  builder::ManifestQuestion question;
};

struct ManifestCreateOptions : ManifestOptions {
  bool amend = false;
  oci::Reference list;
  std::vector<oci::Reference> images;
};

struct ManifestAnnotateOptions {
  GlobalOptions global = {};
  manifest_list::PlatformEdit edit;
  oci::Reference list;
  oci::Reference image;
};

struct ManifestPushOptions : ManifestOptions {
  bool purge = false;
  oci::Reference list;
};

struct ManifestRmOptions {
  GlobalOptions global = {};
  std::vector<oci::Reference> lists;
};

extern const Command<ManifestInspectOptions> kManifestInspectCommand;
extern const Command<ManifestCreateOptions> kManifestCreateCommand;
extern const Command<ManifestAnnotateOptions> kManifestAnnotateCommand;
extern const Command<ManifestPushOptions> kManifestPushCommand;
extern const Command<ManifestRmOptions> kManifestRmCommand;

}  // namespace mybuild::cli
