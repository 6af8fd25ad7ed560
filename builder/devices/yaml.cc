// SPDX-License-Identifier: Apache-2.0
#include "builder/devices/yaml.h"

#include <yaml.h>

#include <charconv>
#include <optional>

namespace mybuild::devices {

namespace {

constexpr int kMaxDepth = 50;

/// One event of the parser, given back to it at the end.
class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { yaml_event_delete(&event_); }
  yaml_event_t* get() { return &event_; }
  yaml_event_type_t type() const { return event_.type; }
  const yaml_event_t& raw() const { return event_; }

 private:
  yaml_event_t event_{};
};

std::string_view text_of(const yaml_event_t& scalar) {
  return {reinterpret_cast<const char*>(scalar.data.scalar.value), scalar.data.scalar.length};
}

/// Decimal, 0x…, 0o… and, as in YAML 1.1, a leading zero for octal.
std::optional<std::int64_t> to_integer(std::string_view text) {
  const bool negative = text.starts_with('-');
  std::string_view digits = text.substr(negative ? 1 : 0);
  int base = 10;
  if (digits.starts_with("0x")) {
    base = 16;
    digits.remove_prefix(2);
  } else if (digits.starts_with("0o")) {
    base = 8;
    digits.remove_prefix(2);
  } else if (digits.size() > 1 && digits.starts_with('0')) {
    base = 8;
  }
  std::int64_t value = 0;
  const auto [end, code] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (code != std::errc() || end != digits.data() + digits.size() || digits.starts_with('-')) {
    return std::nullopt;
  }
  return negative ? -value : value;
}

/// Unquoted words are what they look like.
Json scalar(const yaml_event_t& event) {
  const std::string_view text = text_of(event);
  Json json(text);
  if (event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE) {
    return json;
  }
  if (text.empty() || text == "~" || text == "null") {
    json = nullptr;
  } else if (text == "true" || text == "false") {
    json = text == "true";
  } else if (const auto number = to_integer(text)) {
    json = *number;
  }
  return json;
}

class Reader {
 public:
  explicit Reader(std::string_view text) {
    ready_ = yaml_parser_initialize(&parser_) == 1;
    if (ready_) {
      yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                   text.size());
    }
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { yaml_parser_delete(&parser_); }

  Result<Json> document() {
    TRY(expect(YAML_STREAM_START_EVENT));
    TRY(expect(YAML_DOCUMENT_START_EVENT));
    Json json = TRY(value(0));
    TRY(expect(YAML_DOCUMENT_END_EVENT));
    TRY(expect(YAML_STREAM_END_EVENT));
    return json;
  }

 private:
  Status next(Event& event) {
    if (!ready_ || yaml_parser_parse(&parser_, event.get()) != 1) {
      return invalid_argument("line {}: not YAML: {}", parser_.problem_mark.line + 1,
                              parser_.problem == nullptr ? "" : parser_.problem);
    }
    return {};
  }
  Status expect(yaml_event_type_t type) {
    Event event;
    TRY(next(event));
    return event.type() == type ? Status()
                                : Status(invalid_argument("line {}: one document is expected",
                                                          event.raw().start_mark.line + 1));
  }

  Result<Json> value(int depth) {
    Event event;
    TRY(next(event));
    return value_of(event.raw(), depth);
  }

  Result<Json> value_of(const yaml_event_t& event, int depth) {
    if (depth > kMaxDepth) {
      return invalid_argument("YAML is nested too deeply");
    }
    switch (event.type) {
      case YAML_SCALAR_EVENT:
        return scalar(event);
      case YAML_SEQUENCE_START_EVENT:
        return list(depth);
      case YAML_MAPPING_START_EVENT:
        return map(depth);
      default:
        return unsupported("line {}: YAML aliases are not supported", event.start_mark.line + 1);
    }
  }

  Result<Json> list(int depth) {
    Json json = Json::array();
    while (true) {
      Event event;
      TRY(next(event));
      if (event.type() == YAML_SEQUENCE_END_EVENT) {
        return json;
      }
      Json item = TRY(value_of(event.raw(), depth + 1));
      json.push_back(std::move(item));
    }
  }

  Result<Json> map(int depth) {
    Json json = Json::object();
    while (true) {
      Event key;
      TRY(next(key));
      if (key.type() == YAML_MAPPING_END_EVENT) {
        return json;
      }
      const std::string name(key.type() == YAML_SCALAR_EVENT ? text_of(key.raw()) : "");
      if (key.type() != YAML_SCALAR_EVENT || json.contains(name)) {
        return invalid_argument("line {}: every key of a map is one plain word",
                                key.raw().start_mark.line + 1);
      }
      Json item = TRY(value(depth + 1));
      json[name] = std::move(item);
    }
  }

  yaml_parser_t parser_{};
  bool ready_ = false;
};

}  // namespace

Result<Json> parse_yaml(std::string_view text) {
  return Reader(text).document();
}

}  // namespace mybuild::devices
