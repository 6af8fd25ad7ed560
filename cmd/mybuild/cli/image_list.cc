// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/image_list.h"

#include "cmd/mybuild/cli/human_text.h"
#include "cmd/mybuild/cli/list_format.h"
#include "snapshotter/oci/reference.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace mybuild::cli {

namespace {

using snapshotter::ImageRow;
using OrderedJson = nlohmann::ordered_json;

constexpr std::string_view kNone = "<none>";

constexpr ListField kFields[] = {{"Containers", "CONTAINERS"},
                                 {"CreatedAt", "CREATED AT"},
                                 {"CreatedSince", "CREATED"},
                                 {"Digest", "DIGEST"},
                                 {"ID", "IMAGE ID"},
                                 {"Repository", "REPOSITORY"},
                                 {"SharedSize", "SHARED SIZE"},
                                 {"Size", "SIZE"},
                                 {"Tag", "TAG"},
                                 {"UniqueSize", "UNIQUE SIZE"},
                                 {"VirtualSize", "VIRTUAL SIZE"}};
constexpr ListStyle kStyle = {
    .fields = kFields,
    .columns = "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"};
constexpr ListStyle kDigestStyle = {
    .fields = kFields,
    .columns = "{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"};

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
  const oci::Reference want = TRY(oci::Reference::parse(filter));
  const bool any_tag = filter.find(':', filter.rfind('/') + 1) == std::string::npos;
  if (image.row.name.empty()) {
    const std::string repository = want.domain + "/" + want.repository;
    return any_tag &&
           std::any_of(image.digests.begin(), image.digests.end(), [&](const std::string& known) {
             return split_digest(known).first == repository;
           });
  }
  const oci::Reference have = TRY(oci::Reference::parse(image.row.name));
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

ListRow row_of(const Shown& image, Time now) {
  const Time created(std::chrono::seconds(image.created));
  return {{"Containers", "N/A"},
          {"CreatedAt", local_time(created)},
          {"CreatedSince", image.created == 0 ? "N/A" : ago(created, now)},
          {"Digest", image.digest},
          {"ID", image.id},
          {"Repository", image.repository},
          {"SharedSize", "N/A"},
          {"Size", human_size(image.size)},
          {"Tag", image.tag},
          {"UniqueSize", "N/A"},
          {"VirtualSize", human_size(image.size)}};
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
  std::vector<ListRow> rows;
  for (const ListedImage& image : images) {
    if (TRY(wanted(image, options.repository))) {
      rows.push_back(row_of(TRY(shown(image, options.no_trunc)), now));
    }
  }
  if (options.digests && options.repository.empty()) {
    for (const ListedImage& image : TRY(known_by_digest_only(images))) {
      rows.push_back(row_of(TRY(shown(image, options.no_trunc)), now));
    }
  }
  const bool ids_only = options.quiet && options.format.empty();
  return list_text(options.digests ? kDigestStyle : kStyle, rows,
                   ids_only ? "{{.ID}}" : options.format);
}

Result<OrderedJson> image_json(const ListedImage& image, const std::vector<std::string>& names,
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
  return out;
}

}  // namespace mybuild::cli
