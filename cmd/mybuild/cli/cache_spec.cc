// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/cache_spec.h"

#include "cmd/mybuild/cli/flags.h"
#include "cmd/mybuild/cli/values.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mybuild::cli {

namespace {

using remote_cache::CacheSource;
using remote_cache::CacheTarget;

constexpr std::string_view kOtherBackEnds[] = {"gha", "s3", "azblob"};

/// The attributes of one value, each of which must be taken by somebody.
class Attributes {
 public:
  static Result<Attributes> parse(const std::vector<std::string>& fields) {
    Attributes attributes;
    for (const std::string& field : fields) {
      const std::size_t equals = field.find('=');
      if (equals == std::string::npos) {
        return invalid_argument("'{}' is not key=value", field);
      }
      std::string key = field.substr(0, equals);
      std::transform(key.begin(), key.end(), key.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      });
      attributes.values_.insert_or_assign(std::move(key), field.substr(equals + 1));
    }
    return attributes;
  }

  std::optional<std::string> take(std::string_view key) {
    known_.push_back(key);
    const auto found = values_.find(std::string(key));
    if (found == values_.end()) {
      return std::nullopt;
    }
    std::string value = std::move(found->second);
    values_.erase(found);
    return value;
  }
  Result<bool> take_bool(std::string_view key, bool otherwise) {
    const std::optional<std::string> value = take(key);
    return value ? parse_bool(*value).context(fmt::format("cache option {}", key))
                 : Result<bool>(otherwise);
  }
  /// For options of buildx that say what is done anyway.
  Status take_fixed(std::string_view key, bool only) {
    const bool value = TRY(take_bool(key, only));
    return value == only ? Status()
                         : unsupported("cache option {}={} is not supported", key, value);
  }

  Status check_all_taken() const {
    if (values_.empty()) {
      return {};
    }
    const std::string& key = values_.begin()->first;
    Error error = invalid_argument("unknown cache option '{}'", key);
    const std::string guess = closest(key, known_);
    return guess.empty()
               ? std::move(error).with_hint(fmt::format("there are {}", fmt::join(known_, ", ")))
               : std::move(error).with_hint(fmt::format("did you mean {}?", guess));
  }

 private:
  std::map<std::string, std::string> values_;
  std::vector<std::string_view> known_;
};

Error unknown_type(std::string_view type) {
  const bool is_known = std::find(std::begin(kOtherBackEnds), std::end(kOtherBackEnds), type) !=
                        std::end(kOtherBackEnds);
  Error error = is_known ? unsupported("cache type '{}' is not supported", type)
                         : invalid_argument("unknown cache type '{}'", type);
  return std::move(error).with_hint(
      "types are registry, local and inline; a folder of type=local can be carried by any "
      "store");
}

/// The short form: names of caches.
bool is_short(const std::vector<std::string>& fields) {
  return std::all_of(fields.begin(), fields.end(), [](const std::string& field) {
    return !field.empty() && field.find('=') == std::string::npos;
  });
}

Result<oci::Reference> take_ref(Attributes& attributes) {
  const std::optional<std::string> ref = attributes.take("ref");
  if (!ref) {
    return invalid_argument("type=registry needs ref=NAME");
  }
  return oci::Reference::parse(*ref);
}

Result<CacheSource> parse_source(Attributes& attributes) {
  CacheSource source;
  const std::string type = attributes.take("type").value_or("registry");
  if (type == "registry" || type == "inline") {
    source.ref = TRY(take_ref(attributes));
  } else if (type == "local") {
    source.type = CacheSource::Type::Local;
    source.src = attributes.take("src").value_or("");
    if (source.src.empty()) {
      return invalid_argument("type=local needs src=FOLDER");
    }
    source.tag = attributes.take("tag").value_or(source.tag);
    if (const std::optional<std::string> digest = attributes.take("digest")) {
      source.digest = TRY(Digest::parse(*digest));
    }
  } else {
    return unknown_type(type);
  }
  TRY(attributes.check_all_taken());
  return source;
}

Status take_compression(Attributes& attributes, snapshotter::CompressionSpec& spec) {
  constexpr std::pair<std::string_view, oci::Compression> kCompressions[] = {
      {"gzip", oci::Compression::Gzip},
      {"zstd", oci::Compression::Zstd},
      {"uncompressed", oci::Compression::None},
  };
  if (const std::optional<std::string> word = attributes.take("compression")) {
    const auto* found = std::find_if(std::begin(kCompressions), std::end(kCompressions),
                                     [&](const auto& row) { return row.first == *word; });
    if (found == std::end(kCompressions)) {
      return invalid_argument("compression '{}' is not known", *word)
          .with_hint("compressions are gzip, zstd and uncompressed");
    }
    spec.compression = found->second;
  }
  if (const std::optional<std::string> level = attributes.take("compression-level")) {
    const int most = spec.compression == oci::Compression::Gzip ? 9 : 22;
    const std::int64_t number =
        TRY(parse_integer(*level, 0, most).context("cache option compression-level"));
    spec.level = static_cast<int>(number);
  }
  spec.force = TRY(attributes.take_bool("force-compression", false));
  return {};
}

Status take_mode(Attributes& attributes, CacheTarget& target) {
  const std::string mode = attributes.take("mode").value_or("min");
  if (mode != "min" && mode != "max") {
    return invalid_argument("a cache has no mode '{}'", mode)
        .with_hint("min is the steps of the image, max those of all stages");
  }
  target.max = mode == "max";
  if (target.max && target.type == CacheTarget::Type::Inline) {
    return invalid_argument("an inline cache has the steps of its image only: mode=min");
  }
  return {};
}

Status take_place(Attributes& attributes, CacheTarget& target) {
  if (target.type == CacheTarget::Type::Local) {
    target.dest = attributes.take("dest").value_or("");
    target.tag = attributes.take("tag").value_or(target.tag);
    return target.dest.empty() ? Status(invalid_argument("type=local needs dest=FOLDER"))
                               : Status();
  }
  target.ref = TRY(take_ref(attributes));
  if (target.ref.digest) {
    return invalid_argument("a cache is exported to a name with a tag, not to a digest");
  }
  return {};
}

Result<CacheTarget> parse_target(Attributes& attributes) {
  constexpr std::pair<std::string_view, CacheTarget::Type> kTypes[] = {
      {"registry", CacheTarget::Type::Registry},
      {"local", CacheTarget::Type::Local},
      {"inline", CacheTarget::Type::Inline},
  };
  const std::string type = attributes.take("type").value_or("registry");
  const auto* found = std::find_if(std::begin(kTypes), std::end(kTypes),
                                   [&](const auto& row) { return row.first == type; });
  if (found == std::end(kTypes)) {
    return unknown_type(type);
  }
  CacheTarget target;
  target.type = found->second;
  TRY(take_mode(attributes, target));
  if (target.type != CacheTarget::Type::Inline) {
    TRY(take_place(attributes, target));
    TRY(take_compression(attributes, target.compression));
    TRY(attributes.take_fixed("oci-mediatypes", true));
    TRY(attributes.take_fixed("image-manifest", true));
  }
  target.ignore_error = TRY(attributes.take_bool("ignore-error", true));
  TRY(attributes.check_all_taken());
  return target;
}

}  // namespace

Result<std::vector<CacheSource>> parse_cache_from(std::string_view text) {
  const std::vector<std::string> fields = TRY(parse_csv(text));
  std::vector<CacheSource> sources;
  if (is_short(fields)) {
    for (const std::string& field : fields) {
      CacheSource& source = sources.emplace_back();
      source.ref = TRY(oci::Reference::parse(field));
    }
    return sources;
  }
  Attributes attributes = TRY(Attributes::parse(fields));
  CacheSource source = TRY(parse_source(attributes));
  sources.push_back(std::move(source));
  return sources;
}

Result<std::vector<CacheTarget>> parse_cache_to(std::string_view text) {
  const std::vector<std::string> fields = TRY(parse_csv(text));
  std::vector<CacheTarget> targets;
  if (is_short(fields)) {
    for (const std::string& field : fields) {
      CacheTarget& target = targets.emplace_back();
      target.ref = TRY(oci::Reference::parse(field));
    }
    return targets;
  }
  Attributes attributes = TRY(Attributes::parse(fields));
  CacheTarget target = TRY(parse_target(attributes));
  targets.push_back(std::move(target));
  return targets;
}

}  // namespace mybuild::cli
