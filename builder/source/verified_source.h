// SPDX-License-Identifier: Apache-2.0
// A Source that knows what it should give: the end of the stream is DataLoss unless the bytes had
// this digest. Whoever reads to the end has checked bytes. Thread-compatible.
#pragma once

#include "snapshotter/base/bytes.h"
#include "snapshotter/base/digest.h"

#include <memory>

namespace mybuild::source {

std::unique_ptr<Source> make_verified_source(std::unique_ptr<Source> source,
                                             const Digest& expected);

}  // namespace mybuild::source
