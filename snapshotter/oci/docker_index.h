// SPDX-License-Identifier: Apache-2.0
// An index in docker's form (`docker manifest push`): three spaces, sizes first, a platform always,
// no annotations. Thread-safe.
#pragma once

#include "snapshotter/oci/descriptor.h"

#include <string>

namespace mybuild::oci {

std::string dump_as_docker(const Index& index);

}  // namespace mybuild::oci
