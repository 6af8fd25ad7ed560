// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/container_filter.h"

#include "cmd/mybuild/cli/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <regex>

namespace mybuild::cli {

namespace {

using run::Container;
using run::ContainerStatus;

constexpr std::string_view kStatuses[] = {"created",  "running", "paused", "restarting",
                                          "removing", "exited",  "dead"};

/// What the values of filters are held against.
struct Context {
  const std::vector<Container>& all;
  const std::vector<std::vector<Digest>>& ancestors;
};

struct Filter {
  std::string_view key;
  /// null: any value will do.
  Status (*check)(const std::string& value);
  bool (*matches)(const Container& container, const std::string& value, const Context& context);
  bool all_of = false;  // all values have to match, not one of them
};

Status check_pattern(const std::string& value) {
  try {
    const std::regex pattern(value, std::regex::ECMAScript);
    return {};
  } catch (const std::regex_error&) {
    return invalid_argument("'{}' is not a regular expression", value);
  }
}

/// docker's names have a slash in front, and patterns may count on it.
bool name_matches(const Container& container, const std::string& value, const Context&) {
  const std::regex pattern(value, std::regex::ECMAScript);
  return std::regex_search(container.record.name, pattern) ||
         std::regex_search("/" + container.record.name, pattern);
}

Status check_status(const std::string& value) {
  if (std::find(std::begin(kStatuses), std::end(kStatuses), value) != std::end(kStatuses)) {
    return {};
  }
  return invalid_argument("a container is never '{}'", value)
      .with_hint(fmt::format("statuses are {}", fmt::join(kStatuses, ", ")));
}

Status check_number(const std::string& value) {
  TRY(parse_integer(value, std::numeric_limits<int>::min(), std::numeric_limits<int>::max()));
  return {};
}

bool exited_matches(const Container& container, const std::string& value, const Context&) {
  const Result<std::int64_t> code =
      parse_integer(value, std::numeric_limits<int>::min(), std::numeric_limits<int>::max());
  return container.state.status == ContainerStatus::Exited && code &&
         container.state.exit_code == *code;
}

bool extends(const std::vector<Digest>& layers, const std::vector<Digest>& base) {
  return layers.size() >= base.size() && std::equal(base.begin(), base.end(), layers.begin());
}

bool ancestor_matches(const Container& container, const std::string&, const Context& context) {
  return std::any_of(context.ancestors.begin(), context.ancestors.end(),
                     [&](const auto& layers) { return extends(container.record.layers, layers); });
}

/// "key" or "key=value".
bool label_matches(const Container& container, const std::string& value, const Context&) {
  const std::string key = value.substr(0, value.find('='));
  const auto found = container.record.labels.find(key);
  return found != container.record.labels.end() &&
         (key.size() == value.size() || found->second == value.substr(key.size() + 1));
}

bool network_matches(const Container& container, const std::string& value, const Context&) {
  return run::network_name(container.record.plan.network) == value;
}

/// By the volume's name, or by where it or a directory of the host is mounted.
bool volume_matches(const Container& container, const std::string& value, const Context&) {
  const run::ContainerRecord& record = container.record;
  return std::any_of(record.volumes.begin(), record.volumes.end(),
                     [&](const run::VolumeUse& use) { return use.volume == value; }) ||
         std::any_of(record.plan.mounts.begin(), record.plan.mounts.end(), [&](const auto& mount) {
           return mount.target == value || mount.source == value;
         });
}

/// By name, id or an id's first digits.
const Container* find_container(const std::vector<Container>& all, const std::string& text) {
  const auto named = std::find_if(all.begin(), all.end(), [&](const Container& container) {
    return container.record.name == text;
  });
  if (named != all.end()) {
    return &*named;
  }
  const auto found = std::find_if(all.begin(), all.end(), [&](const Container& container) {
    return !text.empty() && container.record.id.starts_with(text);
  });
  return found == all.end() ? nullptr : &*found;
}

bool is_before(const Container& container, const std::string& value, const Context& context) {
  const Container* other = find_container(context.all, value);
  return other != nullptr && container.record.created < other->record.created;
}

bool is_since(const Container& container, const std::string& value, const Context& context) {
  const Container* other = find_container(context.all, value);
  return other != nullptr && container.record.created > other->record.created;
}

bool id_matches(const Container& container, const std::string& value, const Context&) {
  return container.record.id.starts_with(value);
}

bool status_matches(const Container& container, const std::string& value, const Context&) {
  return run::to_string(container.state.status) == value;
}

constexpr Filter kFilters[] = {
    {"ancestor", nullptr, ancestor_matches},  {"before", nullptr, is_before},
    {"exited", check_number, exited_matches}, {"id", nullptr, id_matches},
    {"label", nullptr, label_matches, true},  {"name", check_pattern, name_matches},
    {"network", nullptr, network_matches},    {"since", nullptr, is_since},
    {"status", check_status, status_matches}, {"volume", nullptr, volume_matches},
};

const Filter* find_filter(std::string_view key) {
  const auto* found = std::find_if(std::begin(kFilters), std::end(kFilters),
                                   [&](const Filter& filter) { return filter.key == key; });
  return found == std::end(kFilters) ? nullptr : found;
}

/// Values of one key are alternatives (but labels), keys are not.
bool passes(const Container& container, const Filters& filters, const Context& context) {
  for (auto key = filters.begin(); key != filters.end(); key = filters.upper_bound(key->first)) {
    const Filter* filter = find_filter(key->first);
    const auto [first, last] = filters.equal_range(key->first);
    const auto matches = [&](const auto& value) {
      return filter->matches(container, value.second, context);
    };
    if (filter == nullptr ||
        !(filter->all_of ? std::all_of(first, last, matches) : std::any_of(first, last, matches))) {
      return false;
    }
  }
  return true;
}

/// The containers that `before` and `since` name have to be there.
Status check_names(const Filters& filters, const std::vector<Container>& all) {
  for (const char* key : {"before", "since"}) {
    for (auto [at, end] = filters.equal_range(key); at != end; ++at) {
      if (find_container(all, at->second) == nullptr) {
        return not_found("filter {}: no such container: {}", key, at->second);
      }
    }
  }
  return {};
}

}  // namespace

Status check_container_filters(const Filters& filters) {
  for (const auto& [key, value] : filters) {
    const Filter* filter = find_filter(key);
    if (filter == nullptr) {
      std::vector<std::string_view> known;
      for (const Filter& row : kFilters) {
        known.push_back(row.key);
      }
      return unsupported("there is no filter '{}'", key)
          .with_hint(fmt::format("filters are {}", fmt::join(known, ", ")));
    }
    if (filter->check != nullptr) {
      TRY(filter->check(value).context("filter " + key));
    }
  }
  return {};
}

Result<std::vector<Container>> wanted_containers(
    const std::vector<Container>& all, const PsOptions& options,
    const std::vector<std::vector<Digest>>& ancestors) {
  TRY(check_names(options.filters, all));
  const bool stopped_too = options.all || options.last > 0 || options.filters.contains("status");
  const Context context{.all = all, .ancestors = ancestors};
  std::vector<Container> wanted;
  for (const Container& container : all) {
    if ((stopped_too || container.running()) && passes(container, options.filters, context)) {
      wanted.push_back(container);
    }
  }
  if (options.last > 0 && wanted.size() > options.last) {
    wanted.erase(wanted.begin() + static_cast<std::ptrdiff_t>(options.last), wanted.end());
  }
  return wanted;
}

}  // namespace mybuild::cli
