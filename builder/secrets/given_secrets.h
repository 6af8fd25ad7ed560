// SPDX-License-Identifier: Apache-2.0
// The secrets that the command line names. Files are opened at once, so that a missing one is said
// before the build; values are read when a step first wants them, once. Thread-safe (no state).
#pragma once

#include "builder/secrets/secret_source.h"

#include <memory>
#include <string>
#include <vector>

namespace mybuild::secrets {

/// One --secret. With neither `file` nor `env`, the variable called as the id if there is one, else
/// the file called so.
struct SecretSpec {
  std::string id;
  std::string file;
  std::string env;  // the name of a variable; wins over `file`
};

/// Of several with one id the last counts.
Result<std::unique_ptr<SecretSource>> open_secrets(const std::vector<SecretSpec>& specs);

}  // namespace mybuild::secrets
