// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/run_mount.h"

#include "frontend/dockerfile/characters.h"
#include "frontend/dockerfile/csv.h"
#include "frontend/dockerfile/go_format.h"
#include "frontend/dockerfile/suggest.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

namespace mybuild::frontend {

namespace {

struct Field {
  std::string key;  // lower case
  std::string value;
  bool has_value = false;
  std::string text;
};

constexpr std::array<std::string_view, 5> kTypes{"bind", "cache", "tmpfs", "secret", "ssh"};
constexpr std::array<std::string_view, 3> kSharings{"shared", "private", "locked"};

std::string_view name_of(MountType type) {
  return kTypes[static_cast<std::size_t>(type)];
}

std::vector<std::string> strings(std::span<const std::string_view> views) {
  return {views.begin(), views.end()};
}

Result<std::vector<Field>> split_mount(std::string_view text) {
  if (text.empty()) {
    return invalid_argument("--mount needs fields, such as type=cache,target=/path");
  }
  std::vector<Field> out;
  for (std::string& item : TRY(split_csv(text, "--mount"))) {
    const auto equals = item.find('=');
    const bool has_value = equals != std::string::npos;
    out.push_back({to_lower(item.substr(0, equals)), has_value ? item.substr(equals + 1) : "",
                   has_value, item});
  }
  return out;
}

Error unexpected(const Field& field, MountType type) {
  return invalid_argument("unexpected key '{}' for mount type '{}'", field.key, name_of(type));
}

Result<bool> flag_value(const Field& field) {
  if (!field.has_value) {
    return true;
  }
  auto value = parse_go_bool(field.value);
  if (!value) {
    return invalid_argument("invalid value for {}: {}", field.key, field.value);
  }
  return value;
}

Result<std::optional<std::uint32_t>> number(const Field& field, int base) {
  std::uint32_t value = 0;
  const char* end = field.value.data() + field.value.size();
  const auto [stop, error] = std::from_chars(field.value.data(), end, value, base);
  if (error != std::errc() || stop != end) {
    return invalid_argument("invalid value {} for {}", field.value, field.key);
  }
  return std::optional(value);
}

template <std::size_t N>
Result<std::size_t> choice(const Field& field, const std::array<std::string_view, N>& choices,
                           std::string_view what) {
  const std::string value = to_lower(field.value);
  const auto found = std::find(choices.begin(), choices.end(), value);
  if (found == choices.end()) {
    return invalid_argument("unsupported {} \"{}\"", what, field.value)
        .with_hint(did_you_mean(value, strings(choices)));
  }
  return static_cast<std::size_t>(found - choices.begin());
}

/// What is being read, with what only matters while reading.
struct Reader {
  RunMount mount;
  bool access_given = false;
};

using Apply = Status (*)(Reader&, const Field&);

Status read_only(Reader& reader, const Field& field) {
  reader.mount.read_only = TRY(flag_value(field));
  reader.access_given = true;
  return {};
}
Status read_write(Reader& reader, const Field& field) {
  const bool writable = TRY(flag_value(field));
  reader.mount.read_only = !writable;
  reader.access_given = true;
  return {};
}
Status type(Reader& reader, const Field& field) {
  const std::size_t index = TRY(choice(field, kTypes, "mount type"));
  reader.mount.type = static_cast<MountType>(index);
  return {};
}
Status from(Reader& reader, const Field& field) {
  reader.mount.from = field.value;
  return {};
}
Status source(Reader& reader, const Field& field) {
  reader.mount.source = field.value;
  return {};
}
Status target(Reader& reader, const Field& field) {
  reader.mount.target = field.value;
  return {};
}
Status id(Reader& reader, const Field& field) {
  reader.mount.id = field.value;
  return {};
}
Status sharing(Reader& reader, const Field& field) {
  const std::size_t index = TRY(choice(field, kSharings, "sharing value"));
  reader.mount.sharing = kSharings[index];
  return {};
}
Status required(Reader& reader, const Field& field) {
  if (reader.mount.type != MountType::Secret && reader.mount.type != MountType::Ssh) {
    return unexpected(field, reader.mount.type);
  }
  reader.mount.required = TRY(flag_value(field));
  return {};
}
Status size(Reader& reader, const Field& field) {
  if (reader.mount.type != MountType::Tmpfs) {
    return unexpected(field, reader.mount.type);
  }
  reader.mount.size = TRY(parse_size(field.value));
  return {};
}
// As BuildKit has it: any mount may name a variable, only a secret fills it.
Status env(Reader& reader, const Field& field) {
  reader.mount.env = field.value;
  return {};
}
Status mode(Reader& reader, const Field& field) {
  reader.mount.mode = TRY(number(field, 8));
  return {};
}
Status uid(Reader& reader, const Field& field) {
  reader.mount.uid = TRY(number(field, 10));
  return {};
}
Status gid(Reader& reader, const Field& field) {
  reader.mount.gid = TRY(number(field, 10));
  return {};
}

struct Key {
  std::string_view name;
  Apply apply;
  bool may_be_bare = false;
};
constexpr std::array kKeys{
    Key{"type", type},
    Key{"from", from},
    Key{"source", source},
    Key{"src", source},
    Key{"target", target},
    Key{"dst", target},
    Key{"destination", target},
    Key{"readonly", read_only, true},
    Key{"ro", read_only, true},
    Key{"readwrite", read_write, true},
    Key{"rw", read_write, true},
    Key{"required", required, true},
    Key{"id", id},
    Key{"sharing", sharing},
    Key{"size", size},
    Key{"env", env},
    Key{"mode", mode},
    Key{"uid", uid},
    Key{"gid", gid},
};

Result<const Key*> find_key(const Field& field) {
  const auto* key =
      std::find_if(kKeys.begin(), kKeys.end(), [&](const Key& k) { return k.name == field.key; });
  if (key == kKeys.end()) {
    std::vector<std::string> names;
    for (const Key& known : kKeys) {
      names.emplace_back(known.name);
    }
    return invalid_argument("unexpected key '{}' in '{}'", field.key, field.text)
        .with_hint(did_you_mean(field.key, names));
  }
  if (!field.has_value && !key->may_be_bare) {
    return invalid_argument("invalid field '{}' must be a key=value pair", field.text);
  }
  return key;
}

Status check_ids(const RunMount& mount) {
  if (mount.type != MountType::Bind && mount.type != MountType::Tmpfs) {
    return {};
  }
  for (const auto& [name, value] :
       {std::pair("mode", mount.mode), std::pair("uid", mount.uid), std::pair("gid", mount.gid)}) {
    if (value) {
      return invalid_argument("{} not allowed for \"{}\" type mounts", name, name_of(mount.type));
    }
  }
  return {};
}

Status check_secret(const RunMount& mount) {
  if (!mount.from.empty()) {
    return invalid_argument("secret mount should not have a from");
  }
  if (!mount.sharing.empty()) {
    return invalid_argument("secret mount should not define sharing");
  }
  if (mount.source.empty() && mount.target.empty() && mount.id.empty()) {
    return invalid_argument("invalid secret mount. one of source, target required");
  }
  if (!mount.source.empty() && !mount.id.empty()) {
    return invalid_argument("both source and id can't be set");
  }
  return {};
}

Status check(const RunMount& mount) {
  TRY(check_ids(mount));
  if (mount.type == MountType::Secret) {
    TRY(check_secret(mount));
  }
  if (mount.type == MountType::Ssh && !mount.source.empty()) {
    return invalid_argument("ssh does not support source");
  }
  if (!mount.sharing.empty() && mount.type != MountType::Cache) {
    return invalid_argument("invalid cache sharing set for {} mount", name_of(mount.type));
  }
  return {};
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  const auto bad = [&] { return invalid_argument("invalid value for size: {}", text); };
  std::string lower = to_lower(trim(text));
  if (lower.ends_with("ib") || (lower.ends_with('b') && lower.size() > 1)) {
    lower.resize(lower.size() - (lower.ends_with("ib") ? 2 : 1));
  }
  double factor = 1;
  constexpr std::string_view kUnits = "kmgtp";
  if (!lower.empty() && kUnits.find(lower.back()) != std::string_view::npos) {
    factor = std::pow(1024.0, static_cast<double>(kUnits.find(lower.back()) + 1));
    lower.pop_back();
  }
  while (lower.ends_with(' ')) {
    lower.pop_back();
  }
  double value = 0;
  const char* end = lower.data() + lower.size();
  const auto [stop, error] = std::from_chars(lower.data(), end, value, std::chars_format::fixed);
  constexpr double kLargest = 9.2e18;
  if (error != std::errc() || stop != end || !(value >= 0) || value * factor > kLargest) {
    return bad();
  }
  return static_cast<std::uint64_t>(value * factor);
}

Result<std::string> mount_from(std::string_view text) {
  std::string out;
  for (const Field& field : TRY(split_mount(text))) {
    if (field.key != "from" || !field.has_value) {
      continue;
    }
    const auto dollar = field.value.find('$');
    if (dollar != std::string::npos && dollar + 1 < field.value.size()) {
      return invalid_argument("'from' doesn't support variable expansion")
          .with_hint("name the image in a stage of its own: FROM $image AS name");
    }
    out = field.value;
  }
  return out;
}

Result<RunMount> parse_run_mount(std::string_view text, const WordExpander& expander) {
  Reader reader;
  for (Field& field : TRY(split_mount(text))) {
    const Key* key = TRY(find_key(field));
    if (field.has_value && field.key != "from") {
      field.value = TRY(expander(field.value));
    }
    TRY(key->apply(reader, field));
  }
  RunMount& mount = reader.mount;
  if (!reader.access_given) {
    mount.read_only = mount.type != MountType::Cache && mount.type != MountType::Tmpfs;
  }
  TRY(check(mount));
  return std::move(mount);
}

}  // namespace mybuild::frontend
