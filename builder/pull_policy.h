// SPDX-License-Identifier: Apache-2.0
// When `run` asks the registry for an image. Value type.
#pragma once

namespace mybuild::builder {

enum class PullPolicy {
  Missing,  // when it is not in the local store
  Always,
  Never,
};

}  // namespace mybuild::builder
