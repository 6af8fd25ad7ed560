// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/oci/image_config.h"

#include "snapshotter/base/json.h"
#include "snapshotter/oci/go_json.h"
#include "snapshotter/oci/platform_json.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace mybuild::oci {

namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr std::array kTopFields = {"architecture", "author",     "config", "created", "history",
                                   "os",           "os.version", "rootfs", "variant"};
constexpr std::array kConfigFields = {
    "User",   "ExposedPorts", "Env",         "Entrypoint",  "Cmd",     "Volumes", "WorkingDir",
    "Labels", "StopSignal",   "ArgsEscaped", "Healthcheck", "OnBuild", "Shell"};

// Reading.

/// Times outside of what a Time can hold (Go's zero time, year 1, is common) read as none.
bool time_is_representable(std::string_view text) {
  int year = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), year);
  return code != std::errc() || (year >= 1678 && year <= 2261);
}

Result<std::optional<Time>> read_time(const JsonField& field) {
  const std::string text = TRY(field.string_or(""));
  if (text.empty() || !time_is_representable(text)) {
    return std::optional<Time>();
  }
  const Time time = TRY(parse_rfc3339(text).context(field.path()));
  return std::optional<Time>(time);
}

Result<std::optional<std::vector<std::string>>> read_optional_strings(const JsonField& field) {
  if (field.absent()) {
    return std::optional<std::vector<std::string>>();
  }
  const std::vector<std::string> list = TRY(field.strings());
  return std::optional<std::vector<std::string>>(list);
}

Result<std::set<std::string>> read_set(const JsonField& field) {
  std::set<std::string> keys;
  for (const auto& [key, member] : TRY(field.members())) {
    keys.insert(key);
  }
  return keys;
}

Result<std::optional<Healthcheck>> read_healthcheck(const JsonField& field) {
  if (field.absent()) {
    return std::optional<Healthcheck>();
  }
  using std::chrono::nanoseconds;
  Healthcheck check;
  check.test = TRY(TRY(field.field("Test")).strings());
  check.interval = nanoseconds(TRY(TRY(field.field("Interval")).integer_or(0)));
  check.timeout = nanoseconds(TRY(TRY(field.field("Timeout")).integer_or(0)));
  check.start_period = nanoseconds(TRY(TRY(field.field("StartPeriod")).integer_or(0)));
  check.start_interval = nanoseconds(TRY(TRY(field.field("StartInterval")).integer_or(0)));
  const JsonField retries_field = TRY(field.field("Retries"));
  const std::int64_t retries = TRY(retries_field.integer_or(0));
  if (retries < 0 || retries > INT32_MAX) {
    return retries_field.error("a small count");
  }
  check.retries = static_cast<int>(retries);
  return std::optional<Healthcheck>(check);
}

/// The members of `object` that are not in `known`, as canonical JSON; "" for none.
template <class Known>
std::string unknown_members(const Json& object, const Known& known) {
  Json rest = Json::object();
  if (object.is_object()) {
    for (const auto& [key, value] : object.items()) {
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        rest[key] = value;
      }
    }
  }
  return rest.empty() ? std::string() : canonical_dump(rest);
}

Status read_config(const JsonField& config, ImageConfig& image) {
  image.user = TRY(TRY(config.field("User")).string_or(""));
  image.env = TRY(TRY(config.field("Env")).strings());
  image.entrypoint = TRY(read_optional_strings(TRY(config.field("Entrypoint"))));
  image.cmd = TRY(read_optional_strings(TRY(config.field("Cmd"))));
  image.working_dir = TRY(TRY(config.field("WorkingDir")).string_or(""));
  image.labels = TRY(TRY(config.field("Labels")).string_map());
  image.exposed_ports = TRY(read_set(TRY(config.field("ExposedPorts"))));
  image.volumes = TRY(read_set(TRY(config.field("Volumes"))));
  image.stop_signal = TRY(TRY(config.field("StopSignal")).string_or(""));
  image.healthcheck = TRY(read_healthcheck(TRY(config.field("Healthcheck"))));
  image.shell = TRY(TRY(config.field("Shell")).strings());
  image.on_build = TRY(TRY(config.field("OnBuild")).strings());
  image.args_escaped = TRY(TRY(config.field("ArgsEscaped")).boolean_or(false));
  image.unknown_config = unknown_members(config.json(), kConfigFields);
  return {};
}

Result<History> read_history(const JsonField& entry) {
  History history;
  history.created = TRY(read_time(TRY(entry.field("created"))));
  history.created_by = TRY(TRY(entry.field("created_by")).string_or(""));
  history.author = TRY(TRY(entry.field("author")).string_or(""));
  history.comment = TRY(TRY(entry.field("comment")).string_or(""));
  history.empty_layer = TRY(TRY(entry.field("empty_layer")).boolean_or(false));
  return history;
}

Status read_top(const JsonField& root, ImageConfig& image) {
  image.platform = TRY(read_platform(root));
  image.created = TRY(read_time(TRY(root.field("created"))));
  image.author = TRY(TRY(root.field("author")).string_or(""));
  TRY(read_config(TRY(root.field("config")), image));
  const JsonField rootfs = TRY(root.field("rootfs"));
  for (const JsonField& item : TRY(TRY(rootfs.field("diff_ids")).items())) {
    const std::string text = TRY(item.string());
    image.diff_ids.push_back(TRY(Digest::parse(text).context(item.path())));
  }
  for (const JsonField& entry : TRY(TRY(root.field("history")).items())) {
    image.history.push_back(TRY(read_history(entry)));
  }
  image.unknown_top = unknown_members(root.json(), kTopFields);
  return {};
}

// Writing: the top level sorted, what is below it in the order of Go's structs, as BuildKit does.

template <class Value>
void put_unless_empty(OrderedJson& object, const char* name, const Value& value) {
  if (!value.empty()) {
    object[name] = value;
  }
}

void put_set(OrderedJson& object, const char* name, const std::set<std::string>& keys) {
  for (const std::string& key : keys) {
    object[name][key] = OrderedJson::object();
  }
}

void put_nonzero(OrderedJson& object, const char* name, std::int64_t value) {
  if (value != 0) {
    object[name] = value;
  }
}

void put_unknown(OrderedJson& object, const std::string& unknown) {
  if (unknown.empty()) {
    return;
  }
  const Result<Json> members = parse_json(unknown);
  if (!members || !members->is_object()) {
    return;
  }
  for (const auto& [key, value] : members->items()) {
    object.emplace(key, OrderedJson::parse(canonical_dump(value), nullptr, false));
  }
}

OrderedJson healthcheck_json(const Healthcheck& check) {
  OrderedJson object = OrderedJson::object();
  put_unless_empty(object, "Test", check.test);
  put_nonzero(object, "Interval", check.interval.count());
  put_nonzero(object, "Timeout", check.timeout.count());
  put_nonzero(object, "StartPeriod", check.start_period.count());
  put_nonzero(object, "StartInterval", check.start_interval.count());
  put_nonzero(object, "Retries", check.retries);
  return object;
}

OrderedJson config_json(const ImageConfig& image) {
  OrderedJson object = OrderedJson::object();
  put_unless_empty(object, "User", image.user);
  put_set(object, "ExposedPorts", image.exposed_ports);
  put_unless_empty(object, "Env", image.env);
  put_unless_empty(object, "Entrypoint", image.entrypoint.value_or(std::vector<std::string>()));
  put_unless_empty(object, "Cmd", image.cmd.value_or(std::vector<std::string>()));
  put_set(object, "Volumes", image.volumes);
  put_unless_empty(object, "WorkingDir", image.working_dir);
  put_unless_empty(object, "Labels", image.labels);
  put_unless_empty(object, "StopSignal", image.stop_signal);
  if (image.args_escaped) {
    object["ArgsEscaped"] = true;
  }
  if (image.healthcheck) {
    object["Healthcheck"] = healthcheck_json(*image.healthcheck);
  }
  put_unless_empty(object, "OnBuild", image.on_build);
  put_unless_empty(object, "Shell", image.shell);
  put_unknown(object, image.unknown_config);
  return object;
}

OrderedJson history_json(const History& history) {
  OrderedJson object = OrderedJson::object();
  if (history.created) {
    object["created"] = format_rfc3339(*history.created);
  }
  put_unless_empty(object, "created_by", history.created_by);
  put_unless_empty(object, "author", history.author);
  put_unless_empty(object, "comment", history.comment);
  if (history.empty_layer) {
    object["empty_layer"] = true;
  }
  return object;
}

OrderedJson rootfs_json(const std::vector<Digest>& diff_ids) {
  OrderedJson object = OrderedJson::object();
  object["type"] = "layers";
  object["diff_ids"] = OrderedJson::array();
  for (const Digest& diff_id : diff_ids) {
    object["diff_ids"].push_back(diff_id.str());
  }
  return object;
}

OrderedJson sorted_by_key(const OrderedJson& object) {
  std::map<std::string, OrderedJson> members;
  for (const auto& [key, value] : object.items()) {
    members.emplace(key, value);
  }
  OrderedJson sorted = OrderedJson::object();
  for (auto& [key, value] : members) {
    sorted[key] = std::move(value);
  }
  return sorted;
}

}  // namespace

std::optional<std::string_view> ImageConfig::find_env(std::string_view name) const {
  for (const std::string_view entry : env) {
    if (entry.starts_with(name) && entry.size() > name.size() && entry[name.size()] == '=') {
      return entry.substr(name.size() + 1);
    }
  }
  return std::nullopt;
}

void ImageConfig::set_env(std::string_view name, std::string_view value) {
  const std::string prefix = std::string(name) + "=";
  std::string entry = prefix + std::string(value);
  for (std::string& existing : env) {
    if (existing.starts_with(prefix)) {
      existing = std::move(entry);
      return;
    }
  }
  env.push_back(std::move(entry));
}

Result<ImageConfig> parse_image_config(std::string_view json) {
  const Json document = TRY(parse_json(json).context("image config"));
  if (!document.is_object()) {
    return invalid_argument("image config: expected an object");
  }
  ImageConfig image;
  TRY(read_top(JsonField(document, ""), image).context("image config"));
  return image;
}

std::string dump(const ImageConfig& config) {
  OrderedJson document = OrderedJson::object();
  document["architecture"] = config.platform.architecture;
  put_unless_empty(document, "author", config.author);
  document["config"] = config_json(config);
  if (config.created) {
    document["created"] = format_rfc3339(*config.created);
  }
  for (const History& history : config.history) {
    document["history"].push_back(history_json(history));
  }
  document["os"] = config.platform.os;
  put_unless_empty(document, "os.version", config.platform.os_version);
  document["rootfs"] = rootfs_json(config.diff_ids);
  put_unless_empty(document, "variant", config.platform.variant);
  put_unknown(document, config.unknown_top);
  return go_dump(sorted_by_key(document), -1);
}

Digest chain_id(const Digest& parent_chain, const Digest& diff_id) {
  if (parent_chain.is_zero()) {
    return diff_id;
  }
  return Digest::of(parent_chain.str() + " " + diff_id.str());
}

Digest chain_id(const std::vector<Digest>& diff_ids, std::size_t count) {
  Digest chain;
  for (std::size_t i = 0; i < std::min(count, diff_ids.size()); ++i) {
    chain = chain_id(chain, diff_ids[i]);
  }
  return chain;
}

}  // namespace mybuild::oci
