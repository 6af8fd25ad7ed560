// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/image_list.h"

#include "snapshotter/base/json.h"
#include "snapshotter/oci/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <set>

namespace mybuild::cli {

namespace {

using snapshotter::ImageRow;
using OrderedJson = nlohmann::ordered_json;

constexpr std::string_view kNone = "<none>";

/// A row as the table shows it.
struct Shown {
  std::string repository{kNone};
  std::string tag{kNone};
  std::string digest{kNone};
  std::string id;
  std::int64_t created = 0;
  std::uint64_t size = 0;
};

/// "docker.io/library/hello@sha256:…" in its two parts.
std::pair<std::string, std::string> split_digest(const std::string& text) {
  const std::size_t at = text.rfind('@');
  return {text.substr(0, at), text.substr(std::min(at, text.size() - 1) + 1)};
}

std::string familiar_repository(oci::Reference name) {
  name.tag.clear();
  name.digest.reset();
  std::string text = name.familiar();
  if (text.ends_with(':')) {
    text.pop_back();
  }
  return text;
}

Result<Shown> shown(const ListedImage& image, bool full_id) {
  const ImageRow& row = image.row;
  Shown out{.id = full_id ? row.config.str() : row.config.hex().substr(0, 12),
            .created = row.created,
            .size = row.size};
  std::string repository;
  if (!row.name.empty()) {
    const oci::Reference name = TRY(oci::Reference::parse(row.name));
    out.tag = name.tag.empty() ? std::string(kNone) : name.tag;
    out.repository = familiar_repository(name);
    repository = name.domain + "/" + name.repository;
  }
  for (const std::string& known : image.digests) {
    const auto [where, digest] = split_digest(known);
    if (repository.empty() || where == repository) {
      const oci::Reference name = TRY(oci::Reference::parse(known));
      out.digest = digest;
      out.repository = familiar_repository(name);
      break;
    }
  }
  return out;
}

/// "repo" names all tags of a repository, "repo:tag" one image.
Result<bool> wanted(const ListedImage& image, const std::string& filter) {
  if (filter.empty()) {
    return true;
  }
  if (image.row.name.empty()) {
    return false;
  }
  const oci::Reference have = TRY(oci::Reference::parse(image.row.name));
  const oci::Reference want = TRY(oci::Reference::parse(filter));
  const bool any_tag = filter.find(':', filter.rfind('/') + 1) == std::string::npos;
  return have.domain == want.domain && have.repository == want.repository &&
         (any_tag || have.tag == want.tag);
}

/// As images of their own: what repositories know of an image, without giving it a tag.
Result<std::vector<ListedImage>> known_by_digest_only(const std::vector<ListedImage>& images) {
  std::set<std::pair<Digest, std::string>> listed;
  for (const ListedImage& image : images) {
    if (!image.row.name.empty()) {
      const oci::Reference name = TRY(oci::Reference::parse(image.row.name));
      listed.emplace(image.row.config, name.domain + "/" + name.repository);
    } else if (!image.digests.empty()) {
      listed.emplace(image.row.config, split_digest(image.digests.front()).first);
    }
  }
  std::vector<ListedImage> found;
  for (const ListedImage& image : images) {
    for (const std::string& known : image.digests) {
      if (listed.emplace(image.row.config, split_digest(known).first).second) {
        found.push_back({.row = image.row, .digests = {known}});
        found.back().row.name.clear();
      }
    }
  }
  return found;
}

std::string since(std::int64_t created, Time now) {
  const auto age =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count() - created;
  return created == 0
             ? "N/A"
             : human_duration(std::chrono::seconds(std::max<std::int64_t>(age, 0))) + " ago";
}

std::string json_line(const Shown& row, Time now) {
  const OrderedJson line = {
      {"Containers", "N/A"},
      {"CreatedAt", local_time(Time(std::chrono::seconds(row.created)))},
      {"CreatedSince", since(row.created, now)},
      {"Digest", row.digest},
      {"ID", row.id},
      {"Repository", row.repository},
      {"SharedSize", "N/A"},
      {"Size", human_size(row.size)},
      {"Tag", row.tag},
      {"UniqueSize", "N/A"},
      {"VirtualSize", human_size(row.size)},
  };
  return line.dump();
}

std::string table(const std::vector<Shown>& rows, bool digests, Time now) {
  std::vector<std::vector<std::string>> lines = {{"REPOSITORY", "TAG"}};
  std::vector<std::string>& heading = lines.front();
  if (digests) {
    heading.emplace_back("DIGEST");
  }
  heading.insert(heading.end(), {"IMAGE ID", "CREATED", "SIZE"});
  for (const Shown& row : rows) {
    std::vector<std::string> line = {row.repository, row.tag};
    if (digests) {
      line.push_back(row.digest);
    }
    line.insert(line.end(), {row.id, since(row.created, now), human_size(row.size)});
    lines.push_back(std::move(line));
  }
  return table_text(lines);
}

/// A field of the config document, or the fallback when there is none such.
OrderedJson member(const OrderedJson& object, const char* name, OrderedJson fallback) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? std::move(fallback) : *found;
}

/// The comment of the newest history entry, as docker shows it.
std::string last_comment(const OrderedJson& config) {
  const OrderedJson history = member(config, "history", OrderedJson::array());
  if (!history.is_array() || history.empty() || !history.back().is_object()) {
    return {};
  }
  const OrderedJson comment = member(history.back(), "comment", "");
  return comment.is_string() ? comment.get<std::string>() : std::string();
}

}  // namespace

Result<std::string> image_list_text(const std::vector<ListedImage>& images,
                                    const ImagesOptions& options, Time now) {
  std::vector<Shown> list;
  for (const ListedImage& image : images) {
    if (TRY(wanted(image, options.repository))) {
      list.push_back(TRY(shown(image, options.no_trunc)));
    }
  }
  if (options.digests && options.repository.empty()) {
    for (const ListedImage& image : TRY(known_by_digest_only(images))) {
      list.push_back(TRY(shown(image, options.no_trunc)));
    }
  }
  if (options.format.json || !options.format.line.empty()) {
    return format_rows(options.format, list.size(),
                       [&](std::size_t i) { return json_line(list[i], now); });
  }
  if (!options.quiet) {
    return table(list, options.digests, now);
  }
  std::string out;
  for (const Shown& row : list) {
    out += row.id + "\n";
  }
  return out;
}

Result<std::string> inspect_json(const ListedImage& image, const std::vector<std::string>& names,
                                 const std::string& config) {
  const ImageRow& row = image.row;
  const OrderedJson document = OrderedJson::parse(config, nullptr, false);
  if (!document.is_object()) {
    return data_loss("the config of image {} is not a JSON object", row.config.str());
  }
  OrderedJson tags = OrderedJson::array();
  for (const std::string& name : names) {
    tags.push_back(TRY(oci::Reference::parse(name)).familiar());
  }
  OrderedJson digests = OrderedJson::array();
  for (const std::string& known : image.digests) {
    const auto [where, digest] = split_digest(known);
    digests.push_back(familiar_repository(TRY(oci::Reference::parse(known))) + "@" + digest);
  }
  const OrderedJson root = member(document, "rootfs", OrderedJson::object());
  OrderedJson out = {
      {"Id", row.config.str()},
      {"RepoTags", std::move(tags)},
      {"RepoDigests", std::move(digests)},
      {"Parent", ""},
      {"Comment", last_comment(document)},
      {"Created", member(document, "created", "")},
      {"Author", member(document, "author", "")},
      {"Config", member(document, "config", OrderedJson::object())},
      {"Architecture", member(document, "architecture", "")},
      {"Os", member(document, "os", "")},
      {"Size", row.size},
      {"RootFS",
       {{"Type", "layers"},
        {"Layers", root.is_object() ? member(root, "diff_ids", OrderedJson::array())
                                    : OrderedJson::array()}}},
  };
  if (const OrderedJson variant = member(document, "variant", ""); variant != "") {
    out["Variant"] = variant;
  }
  return out.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

std::string indented_element(const std::string& json) {
  const OrderedJson array = OrderedJson::array({OrderedJson::parse(json, nullptr, false)});
  const std::string text = array.dump(4, ' ', false, OrderedJson::error_handler_t::replace);
  return text.substr(2, text.size() - 4);  // without the brackets and their line breaks
}

std::string human_duration(std::chrono::seconds duration) {
  const auto total = duration.count();
  const auto hours = (total + 1800) / 3600;
  if (total < 1) {
    return "Less than a second";
  }
  if (total == 1) {
    return "1 second";
  }
  if (total < 60) {
    return fmt::format("{} seconds", total);
  }
  if (total < 120) {
    return "About a minute";
  }
  if (total < 3600) {
    return fmt::format("{} minutes", total / 60);
  }
  if (hours == 1) {
    return "About an hour";
  }
  struct Unit {
    std::int64_t below;  // hours
    std::int64_t size;
    std::string_view name;
  };
  constexpr Unit kUnits[] = {{48, 1, "hours"},
                             {24 * 7 * 2, 24, "days"},
                             {24 * 30 * 2, 24 * 7, "weeks"},
                             {24 * 365 * 2, 24 * 30, "months"}};
  for (const Unit& unit : kUnits) {
    if (hours < unit.below) {
      return fmt::format("{} {}", hours / unit.size, unit.name);
    }
  }
  return fmt::format("{} years", hours / (24 * 365));
}

std::string local_time(Time moment) {
  const std::time_t time = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(moment));
  struct tm parts {};
  std::array<char, 64> text{};
  ::localtime_r(&time, &parts);
  const std::size_t size =
      std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S %z %Z", &parts);
  return {text.data(), size};
}

std::string human_size(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 6> kUnits = {"B", "kB", "MB", "GB", "TB", "PB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.3g}{}", value, kUnits[unit]);
}

}  // namespace mybuild::cli
