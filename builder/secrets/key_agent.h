// SPDX-License-Identifier: Apache-2.0
// An agent of our own, for keys that lie in files: it lists and signs, nothing else. Thread-safe.
#pragma once

#include "builder/secrets/ssh_agent.h"
#include "builder/secrets/ssh_key.h"

#include <memory>
#include <vector>

namespace mybuild::secrets {

std::unique_ptr<SshAgent> make_key_agent(std::vector<SshKey> keys);

}  // namespace mybuild::secrets
