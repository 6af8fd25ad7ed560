// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/run_device.h"

#include "frontend/dockerfile/characters.h"
#include "frontend/dockerfile/csv.h"
#include "frontend/dockerfile/go_format.h"
#include "frontend/dockerfile/suggest.h"

#include <array>

namespace mybuild::frontend {

namespace {

/// The device's own name has a "=", too: a field with an unknown key is the name, once.
Status apply(const std::string& field, solver::CdiDevice& device) {
  const auto equals = field.find('=');
  const bool has_value = equals != std::string::npos;
  const std::string key = to_lower(field.substr(0, equals));
  const std::string value = has_value ? field.substr(equals + 1) : "true";
  if (key == "required") {
    const auto required = parse_go_bool(value);
    if (!required) {
      return invalid_argument("invalid value for {}: {}", key, value);
    }
    device.required = *required;
  } else if (key == "name" && has_value) {
    if (!device.name.empty()) {
      return invalid_argument("device name already set to {}", device.name);
    }
    device.name = value;
  } else if (device.name.empty()) {
    device.name = field;
  } else if (has_value) {
    return invalid_argument("unexpected key '{}' in '{}'", key, field)
        .with_hint(did_you_mean(key, std::array<std::string, 2>{"name", "required"}));
  } else {
    return invalid_argument("invalid field '{}' must be a key=value pair", field);
  }
  return {};
}

}  // namespace

Result<solver::CdiDevice> parse_run_device(std::string_view text) {
  solver::CdiDevice device;
  for (const std::string& field : TRY(split_csv(text, "--device"))) {
    TRY(apply(field, device));
  }
  if (device.name.empty()) {
    return invalid_argument("--device={} names no device", text)
        .with_hint("a device is vendor.com/class=name");
  }
  return device;
}

}  // namespace mybuild::frontend
