// SPDX-License-Identifier: Apache-2.0
// What `docker save` writes: manifest.json names, per image, a config file and the tars of its
// layers. The files' names are no digests, so the blobs are named here: an uncompressed layer by
// the diff id that its config claims (checked when it is read), a compressed one by hashing it.
#pragma once

#include "builder/source/image_layout.h"
#include "builder/source/image_layout_files.h"

namespace mybuild::source {

Result<std::unique_ptr<ImageLayout>> make_docker_archive(const std::string& path,
                                                         std::unique_ptr<LayoutFiles> files);

}  // namespace mybuild::source
