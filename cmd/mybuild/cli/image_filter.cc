// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/image_filter.h"

#include "builder/space/filter.h"
#include "cmd/mybuild/cli/values.h"
#include "snapshotter/oci/reference.h"

#include <fmt/format.h>

#include <fnmatch.h>

#include <algorithm>
#include <iterator>
#include <optional>

namespace mybuild::cli {

namespace {

constexpr std::string_view kKeys[] = {"before", "dangling", "label", "reference", "since", "until"};

std::int64_t seconds_of(Time time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

/// Of the image that a filter names, and of the images it is compared with: as exact as it is
/// known.
Result<Time> created(const snapshotter::ImageRow& row, const ImageLookups& lookups) {
  const oci::ImageConfig config = TRY(lookups.config(row));
  return config.created.value_or(Time(std::chrono::seconds(row.created)));
}

/// "busybox" and "*box" mean all tags; a star stops at a slash.
bool matches(const std::string& pattern, const oci::Reference& name) {
  const auto fits = [&](const std::string& text) {
    return ::fnmatch(pattern.c_str(), text.c_str(), FNM_PATHNAME) == 0;
  };
  oci::Reference repository = name;
  repository.tag.clear();
  repository.digest.reset();
  return fits(name.familiar()) || fits(repository.familiar());
}

Result<bool> has_reference(const ListedImage& image, const Filters& filters) {
  const auto [first, last] = filters.equal_range("reference");
  std::vector<std::string> names = image.digests;
  if (!image.row.name.empty()) {
    names = {image.row.name};
  }
  for (const std::string& text : names) {
    const oci::Reference name = TRY(oci::Reference::parse(text));
    if (std::any_of(first, last, [&](const auto& value) { return matches(value.second, name); })) {
      return true;
    }
  }
  return first == last;
}

/// "key" or "key=value".
bool has_label(const oci::ImageConfig& config, const std::string& wanted) {
  const std::string key = wanted.substr(0, wanted.find('='));
  const auto found = config.labels.find(key);
  return found != config.labels.end() &&
         (key.size() == wanted.size() || found->second == wanted.substr(key.size() + 1));
}

bool has_labels(const oci::ImageConfig& config, const Filters& filters) {
  const auto [first, last] = filters.equal_range("label");
  return std::all_of(first, last,
                     [&](const auto& value) { return has_label(config, value.second); });
}

/// Images have to be made between the two.
struct Span {
  std::optional<Time> after;
  std::optional<Time> before;
};

Result<Span> span_of(const Filters& filters, const ImageLookups& lookups, Time now) {
  Span span;
  const auto end_at = [&](Time time) { span.before = std::min(span.before.value_or(time), time); };
  for (const auto& [key, value] : filters) {
    if (key == "until") {
      const std::chrono::seconds age = TRY(space::parse_until(value, seconds_of(now)));
      end_at(now - age);
    } else if (key == "before" || key == "since") {
      const snapshotter::ImageRow row = TRY(lookups.find(value).context("filter " + key));
      const Time time = TRY(created(row, lookups));
      if (key == "before") {
        end_at(time);
      } else {
        span.after = std::max(span.after.value_or(time), time);
      }
    }
  }
  return span;
}

Result<bool> passes(const ListedImage& image, const Filters& filters, const Span& span,
                    const ImageLookups& lookups) {
  if (const auto dangling = filters.find("dangling"); dangling != filters.end()) {
    if (TRY(parse_bool(dangling->second)) != image.row.name.empty()) {
      return false;
    }
  }
  if (!TRY(has_reference(image, filters))) {
    return false;
  }
  if (filters.contains("label") && !has_labels(TRY(lookups.config(image.row)), filters)) {
    return false;
  }
  if (!span.after && !span.before) {
    return true;
  }
  const Time made = TRY(created(image.row, lookups));
  return (!span.after || made > *span.after) && (!span.before || made < *span.before);
}

}  // namespace

Status check_image_filters(const Filters& filters) {
  for (const auto& [key, value] : filters) {
    if (std::find(std::begin(kKeys), std::end(kKeys), key) == std::end(kKeys)) {
      return unsupported("there is no filter '{}'", key)
          .with_hint(fmt::format("filters are {}", fmt::join(kKeys, ", ")));
    }
    if (key == "dangling") {
      TRY(parse_bool(value).context("filter dangling"));
    } else if (key == "until") {
      TRY(space::parse_until(value, seconds_of(SystemClock().now())).context("filter until"));
    }
  }
  if (filters.count("dangling") > 1) {
    return invalid_argument("filter dangling: one value is enough");
  }
  return {};
}

Result<std::vector<ListedImage>> wanted_images(std::vector<ListedImage> images,
                                               const Filters& filters, const ImageLookups& lookups,
                                               Time now) {
  const Span span = TRY(span_of(filters, lookups, now));
  std::vector<ListedImage> wanted;
  for (ListedImage& image : images) {
    if (TRY(passes(image, filters, span, lookups))) {
      wanted.push_back(std::move(image));
    }
  }
  return wanted;
}

}  // namespace mybuild::cli
