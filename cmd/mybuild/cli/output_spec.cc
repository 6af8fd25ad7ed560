// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/output_spec.h"

#include "cmd/mybuild/cli/annotations.h"
#include "cmd/mybuild/cli/flags.h"
#include "cmd/mybuild/cli/values.h"

#include <fmt/format.h>

#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

namespace mybuild::cli {

namespace {

using exporter::OutputSpec;
using exporter::OutputType;

constexpr std::pair<std::string_view, OutputType> kTypes[] = {
    {"image", OutputType::Image},       {"oci", OutputType::Oci},
    {"docker", OutputType::Docker},     {"local", OutputType::Local},
    {"tar", OutputType::Tar},           {"cacheonly", OutputType::CacheOnly},
    {"registry", OutputType::Registry},
};
constexpr std::pair<std::string_view, oci::Compression> kCompressions[] = {
    {"gzip", oci::Compression::Gzip},
    {"zstd", oci::Compression::Zstd},
    {"uncompressed", oci::Compression::None},
};

/// A draft of the spec: which type it is decides what the other options may be.
struct Draft {
  OutputSpec spec;
  bool has_type = false;
  bool has_tar = false;
  bool has_compression = false;
  std::optional<bool> push;
};

Status set_type(Draft& draft, std::string_view value) {
  const auto* found = std::find_if(std::begin(kTypes), std::end(kTypes),
                                   [&](auto& row) { return row.first == value; });
  if (found == std::end(kTypes)) {
    return invalid_argument("unknown output type '{}'", value)
        .with_hint("types are image, registry, oci, docker, local, tar and cacheonly");
  }
  draft.spec.type = found->second;
  draft.has_type = true;
  return {};
}

Status set_names(Draft& draft, std::string_view value) {
  for (const std::string& name : TRY(parse_csv(value))) {
    draft.spec.names.push_back(TRY(oci::Reference::parse(name)));
  }
  return {};
}

Status set_compression(Draft& draft, std::string_view value) {
  const auto* found = std::find_if(std::begin(kCompressions), std::end(kCompressions),
                                   [&](auto& row) { return row.first == value; });
  if (found == std::end(kCompressions)) {
    return make_error(value == "estargz" ? ErrorKind::Unsupported : ErrorKind::InvalidArgument,
                      "compression '{}' is not known", value)
        .with_hint("compressions are gzip, zstd and uncompressed");
  }
  draft.spec.compression.compression = found->second;
  draft.has_compression = true;
  return {};
}

Status set_level(Draft& draft, std::string_view value) {
  const std::int64_t level = TRY(parse_integer(value, 0, 22));
  draft.spec.compression.level = static_cast<int>(level);
  draft.has_compression = true;
  return {};
}

constexpr std::int64_t kLastEpoch = 253402300799;  // the end of 9999

struct Option {
  std::string_view key;
  Status (*set)(Draft& draft, std::string_view value);
};

/// Options that are on or off, and where they are kept.
constexpr std::pair<std::string_view, bool OutputSpec::*> kSwitches[] = {
    {"rewrite-timestamp", &OutputSpec::rewrite_timestamp},
    {"push-by-digest", &OutputSpec::push_by_digest},
    {"registry.insecure", &OutputSpec::insecure},
    {"store", &OutputSpec::store},
};

constexpr Option kOptions[] = {
    {"type", set_type},
    {"dest",
     [](Draft& draft, std::string_view value) -> Status {
       draft.spec.dest = value;
       return {};
     }},
    {"name", set_names},
    {"compression", set_compression},
    {"compression-level", set_level},
    {"force-compression",
     [](Draft& draft, std::string_view value) -> Status {
       draft.spec.force_compression = TRY(parse_bool(value));
       draft.has_compression = draft.has_compression || draft.spec.force_compression;
       return {};
     }},
    {"tar",
     [](Draft& draft, std::string_view value) -> Status {
       draft.spec.tar = TRY(parse_bool(value));
       draft.has_tar = true;
       return {};
     }},
    {"push",
     [](Draft& draft, std::string_view value) -> Status {
       draft.push = TRY(parse_bool(value));
       return {};
     }},
    {"oci-mediatypes",
     [](Draft& draft, std::string_view value) -> Status {
       draft.spec.docker_types = !TRY(parse_bool(value));
       return {};
     }},
    {"platform-split",
     [](Draft& draft, std::string_view value) -> Status {
       draft.spec.platform_split = TRY(parse_bool(value));
       return {};
     }},
    {"mode",
     [](Draft&, std::string_view value) -> Status {
       return value == "copy"
                  ? Status()
                  : unsupported("mode={} is not supported, files are added to dest", value);
     }},
    {"source-date-epoch",
     [](Draft& draft, std::string_view value) -> Status {
       if (!value.empty()) {
         draft.spec.source_date_epoch = TRY(parse_integer(value, 0, kLastEpoch));
       }
       return {};
     }},
};

/// Options that say what is done anyway, or how attestations, of which there are none, are written.
constexpr std::string_view kWithoutEffect[] = {
    "attestation-inline",    "attestation-prefix", "name-canonical", "oci-artifact", "unpack",
    "prefer-nondist-layers",
};
constexpr std::string_view kRefused[] = {"dangling-name-prefix"};

Status set_option(Draft& draft, std::string_view key, std::string_view value) {
  if (is_annotation_option(key)) {
    draft.spec.annotations.push_back(TRY(parse_annotation_option(key, value)));
    return {};
  }
  const std::string where = fmt::format("output option {}", key);
  for (const Option& option : kOptions) {
    if (option.key == key) {
      return option.set(draft, value).context(where);
    }
  }
  for (const auto& [name, member] : kSwitches) {
    if (name == key) {
      draft.spec.*member = TRY(parse_bool(value).context(where));
      return {};
    }
  }
  if (std::find(std::begin(kWithoutEffect), std::end(kWithoutEffect), key) !=
      std::end(kWithoutEffect)) {
    return {};
  }
  if (std::find(std::begin(kRefused), std::end(kRefused), key) != std::end(kRefused)) {
    return unsupported("output option '{}' is not supported yet", key);
  }
  std::vector<std::string_view> keys;
  std::transform(std::begin(kOptions), std::end(kOptions), std::back_inserter(keys),
                 [](const Option& option) { return option.key; });
  std::transform(std::begin(kSwitches), std::end(kSwitches), std::back_inserter(keys),
                 [](const auto& option) { return option.first; });
  Error error = invalid_argument("unknown output option '{}'", key);
  const std::string guess = closest(key, keys);
  return guess.empty() ? error : std::move(error).with_hint(fmt::format("did you mean {}?", guess));
}

/// Keys are read as buildx reads them.
std::string lower(std::string key) {
  std::transform(key.begin(), key.end(), key.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return key;
}

Status check_push(Draft& draft) {
  OutputSpec& spec = draft.spec;
  if (spec.type == OutputType::Registry && !draft.push.value_or(true)) {
    return invalid_argument("type=registry always pushes");
  }
  if (draft.push.value_or(false) && spec.type != OutputType::Image &&
      spec.type != OutputType::Registry) {
    return invalid_argument("push=true goes with type=image and type=registry only");
  }
  spec.push = spec.type == OutputType::Image && draft.push.value_or(false);
  return {};
}

Status check(Draft& draft) {
  OutputSpec& spec = draft.spec;
  if (!draft.has_type) {
    return invalid_argument("an output needs a type").with_hint("write type=local,dest=DIR");
  }
  const bool archive = spec.type == OutputType::Oci || spec.type == OutputType::Docker;
  if (draft.has_tar && !archive && !spec.tar) {
    return invalid_argument("tar=false goes with type=oci and type=docker only");
  }
  if (spec.type == OutputType::Local && (spec.dest.empty() || spec.dest == "-")) {
    return invalid_argument("type=local needs dest=DIR");
  }
  if (archive && !spec.tar && (spec.dest.empty() || spec.dest == "-")) {
    return invalid_argument("tar=false needs dest=DIR");
  }
  if (draft.has_compression && (spec.type == OutputType::Local || spec.type == OutputType::Tar)) {
    return invalid_argument("compression goes with image types, a file tree has no layers");
  }
  TRY(check_push(draft));
  // Who says in which form wants the blobs; else they are made when they leave the store.
  spec.keep_blobs = spec.type == OutputType::Image && spec.store && draft.has_compression;
  const bool no_dest = spec.type == OutputType::Image || spec.type == OutputType::Registry ||
                       spec.type == OutputType::CacheOnly;
  if (no_dest && !spec.dest.empty()) {
    return invalid_argument("this output type takes no dest");
  }
  if (spec.compression.compression == oci::Compression::Gzip &&
      spec.compression.level.value_or(0) > 9) {
    return invalid_argument("compression-level {} is not between 0 and 9, the levels of gzip",
                            *spec.compression.level);
  }
  return {};
}

/// Where nothing is said, an archive goes to stdout; only "docker" means what `docker load` does,
/// into the stores.
void fill_in(OutputSpec& spec) {
  if ((spec.type == OutputType::Oci || spec.type == OutputType::Tar) && spec.dest.empty()) {
    spec.dest = "-";
  }
}

}  // namespace

Result<OutputSpec> parse_output(std::string_view text) {
  const std::vector<std::string> fields = TRY(parse_csv(text));
  Draft draft;
  if (fields.size() == 1 && !fields[0].empty() && fields[0].find('=') == std::string::npos) {
    draft.spec.type = fields[0] == "-" ? OutputType::Tar : OutputType::Local;
    draft.spec.dest = fields[0];
    return std::move(draft.spec);
  }
  for (const std::string& field : fields) {
    const std::size_t equals = field.find('=');
    if (equals == std::string::npos) {
      return invalid_argument("'{}' is not key=value", field);
    }
    TRY(set_option(draft, lower(field.substr(0, equals)),
                   std::string_view(field).substr(equals + 1)));
  }
  TRY(check(draft));
  fill_in(draft.spec);
  return std::move(draft.spec);
}

Status check_output_target(const OutputSpec& spec, bool stdout_is_terminal) {
  if (spec.dest == "-") {
    return stdout_is_terminal
               ? Status(invalid_argument("will not write an archive to a terminal")
                            .with_hint("name a file with dest=FILE, or redirect stdout"))
               : Status();
  }
  const bool directory =
      spec.type == OutputType::Local || (spec.type != OutputType::Tar && !spec.tar);
  struct stat found {};
  const bool exists = !spec.dest.empty() && ::stat(spec.dest.c_str(), &found) == 0;
  if (exists && directory && !S_ISDIR(found.st_mode)) {
    return invalid_argument("output {} is not a directory", spec.dest);
  }
  if (exists && !directory && S_ISDIR(found.st_mode)) {
    return invalid_argument("output file {} is a directory", spec.dest)
        .with_hint("dest= names the file to write");
  }
  return {};
}

}  // namespace mybuild::cli
