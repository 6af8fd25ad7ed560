// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/credential_options.h"

#include "cmd/mybuild/cli/values.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace mybuild::cli {

namespace {

struct SecretReader {
  secrets::SecretSpec spec;
  bool is_variable = false;  // type=env
};

struct SecretKey {
  std::string_view name;
  Status (*set)(SecretReader& reader, std::string_view value);
};

Status set_source(SecretReader& reader, std::string_view value) {
  reader.spec.file = value;
  return {};
}

constexpr std::array kSecretKeys = {
    SecretKey{"id",
              [](SecretReader& reader, std::string_view value) -> Status {
                reader.spec.id = value;
                return {};
              }},
    SecretKey{"src", set_source},
    SecretKey{"source", set_source},
    SecretKey{"env",
              [](SecretReader& reader, std::string_view value) -> Status {
                reader.spec.env = value;
                return {};
              }},
    SecretKey{"type",
              [](SecretReader& reader, std::string_view value) -> Status {
                if (value != "file" && value != "env") {
                  return invalid_argument("unsupported secret type \"{}\"", value)
                      .with_hint("it can be file or env");
                }
                reader.is_variable = value == "env";
                return {};
              }},
};

Status read_field(SecretReader& reader, const std::string& field) {
  const std::size_t equals = field.find('=');
  if (equals == std::string::npos) {
    return invalid_argument("invalid field '{}' must be a key=value pair", field)
        .with_hint("a secret is given as id=ID,src=FILE or id=ID,env=VARIABLE");
  }
  std::string key = field.substr(0, equals);
  std::transform(key.begin(), key.end(), key.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const SecretKey& known : kSecretKeys) {
    if (known.name == key) {
      return known.set(reader, std::string_view(field).substr(equals + 1));
    }
  }
  return invalid_argument("unexpected key '{}' in '{}'", key, field);
}

/// "NAME[,alias=ALIAS]"
Status allow_device(std::string_view text, devices::DeviceGrants& grants) {
  const std::vector<std::string> fields = TRY(parse_csv(text));
  std::string alias;
  for (std::size_t i = 1; i < fields.size(); ++i) {
    constexpr std::string_view kAlias = "alias=";
    if (!fields[i].starts_with(kAlias)) {
      return invalid_argument("invalid device config '{}'", fields[i])
          .with_hint("device=NAME,alias=ALIAS gives a device another name");
    }
    alias = fields[i].substr(kAlias.size());
  }
  if (alias.empty()) {
    grants.named.insert_or_assign(fields[0], "");
  } else {
    grants.named.insert_or_assign(alias, fields[0]);
  }
  return {};
}

}  // namespace

Result<secrets::SecretSpec> parse_secret(std::string_view text) {
  SecretReader reader;
  for (const std::string& field : TRY(parse_csv(text))) {
    TRY(read_field(reader, field));
  }
  secrets::SecretSpec& spec = reader.spec;
  if (spec.id.empty()) {
    return invalid_argument("secret missing ID");
  }
  if (reader.is_variable && spec.env.empty()) {
    spec.env = std::move(spec.file);
    spec.file.clear();
  }
  return spec;
}

secrets::SshSpec parse_ssh(std::string_view text) {
  const std::size_t equals = std::min(text.find('='), text.size());
  secrets::SshSpec spec{.id = std::string(text.substr(0, equals)), .paths = {}};
  text.remove_prefix(equals);
  while (!text.empty()) {
    text.remove_prefix(1);  // '=' or ','
    const std::size_t end = std::min(text.find(','), text.size());
    spec.paths.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return spec;
}

Status allow(std::string_view text, builder::Entitlements& allowed) {
  if (text == "network.host") {
    allowed.network_host = true;
  } else if (text == "security.insecure") {
    allowed.security_insecure = true;
  } else if (text == "device" || text == "device=") {
    allowed.devices.all = true;
  } else if (constexpr std::string_view kDevice = "device="; text.starts_with(kDevice)) {
    return allow_device(text.substr(kDevice.size()), allowed.devices);
  } else if (!text.empty()) {
    return invalid_argument("unknown entitlement {}", text)
        .with_hint("it can be network.host, security.insecure, device or device=NAME");
  }
  return {};
}

}  // namespace mybuild::cli
