// SPDX-License-Identifier: Apache-2.0
// DeviceSource: the devices of this machine that its CDI files describe, and which of them --allow
// grants to a build. The files are read when a command first wants a device. Thread-safe.
#pragma once

#include "builder/devices/cdi_spec.h"
#include "solver/graph/op_spec.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace mybuild::devices {

/// --allow device, --allow device=NAME[,alias=ALIAS].
struct DeviceGrants {
  bool all = false;
  std::map<std::string, std::string> named;  // what a Dockerfile says -> the device, if an alias
};

class DeviceSource {
 public:
  /// Of equal names that of the later directory counts.
  DeviceSource(std::vector<std::string> directories, DeviceGrants grants);
  ~DeviceSource();

  /// All that has to be done for a command that wants these. Fails when a required one is not
  /// there, when one is not granted, or when its file asks for what we do not do.
  Result<ContainerEdits> edits(const std::vector<solver::CdiDevice>& wanted);

 private:
  class Catalogue;
  Result<std::vector<std::string>> granted(const std::vector<solver::CdiDevice>& wanted) const;

  std::vector<std::string> directories_;
  DeviceGrants grants_;
  std::unique_ptr<Catalogue> catalogue_;
};

/// $MYBUILD_CDI_DIRS (separated by colons), else /etc/cdi and /var/run/cdi.
std::vector<std::string> default_cdi_directories();

}  // namespace mybuild::devices
