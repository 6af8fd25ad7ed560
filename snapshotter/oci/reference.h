// SPDX-License-Identifier: Apache-2.0
// Reference: the name of an image in a registry, parsed and normalised as docker does ("busybox" is
// docker.io/library/busybox:latest). Grammar: distribution-spec and
// github.com/distribution/reference. Value type.
#pragma once

#include "snapshotter/base/digest.h"
#include "snapshotter/base/result.h"

#include <optional>
#include <string>
#include <string_view>

namespace mybuild::oci {

struct Reference {
  std::string domain;      // "docker.io", "localhost:5000"
  std::string repository;  // "library/busybox"
  std::string tag;         // empty only when a digest is given without a tag
  std::optional<Digest> digest;
  bool implied_domain = false;  // no registry was written, so that docker.io was added
  bool implied_tag = false;     // neither tag nor digest was, so that it is "latest"

  /// Adds docker.io, library/ and :latest where they are implied. Upper-case repositories are
  /// refused with a hint.
  static Result<Reference> parse(std::string_view text);
  std::string str() const;       // "docker.io/library/busybox:latest[@sha256:…]"
  std::string familiar() const;  // as docker prints it: "busybox:latest"
  /// What they stand for, not how they were written.
  bool operator==(const Reference& other) const {
    return domain == other.domain && repository == other.repository && tag == other.tag &&
           digest == other.digest;
  }
};

/// True for 127.0.0.0/8, ::1 and localhost, with or without a port: these are spoken to over plain
/// HTTP.
bool is_loopback(std::string_view domain);

}  // namespace mybuild::oci
