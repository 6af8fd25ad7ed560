// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/result_files.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/json.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sys/stat.h>

#include <algorithm>

namespace mybuild::cli {

namespace {

/// Devices and pipes (--iidfile /dev/stdout) are written as they are, files replaced as a whole.
Status write_whole(const std::string& path, std::string_view text) {
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0 && !S_ISREG(found.st_mode)) {
    return write_file(path, text);
  }
  AtomicFile file = TRY(AtomicFile::create(path));
  TRY(file.write(as_bytes(text)));
  return std::move(file).commit();
}

}  // namespace

std::string image_id(const builder::BuildReport& report) {
  if (report.image_id) {
    return report.image_id->str();
  }
  for (const auto& done : report.exports) {
    if (done.config) {
      return done.config->str();
    }
  }
  for (const auto& done : report.exports) {
    if (done.descriptor) {
      return done.descriptor->digest.str();
    }
  }
  return {};
}

std::vector<std::string> image_names(const builder::BuildReport& report) {
  std::vector<std::string> names;
  for (const auto& done : report.exports) {
    for (const std::string& name : done.names) {
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        names.push_back(name);
      }
    }
  }
  return names;
}

Result<std::string> metadata_json(const builder::BuildReport& report) {
  Json out = Json::object();
  for (const auto& done : report.exports) {
    if (done.descriptor && !out.contains("containerimage.digest")) {
      out["containerimage.digest"] = done.descriptor->digest.str();
      out["containerimage.descriptor"] = TRY(parse_json(oci::dump(*done.descriptor)));
    }
    if (done.config && !out.contains("containerimage.config.digest")) {
      out["containerimage.config.digest"] = done.config->str();
    }
  }
  if (report.image_id && !out.contains("containerimage.config.digest")) {
    out["containerimage.config.digest"] = report.image_id->str();
  }
  if (report.image_id && !out.contains("containerimage.digest")) {
    // An image of the local store has no manifest; docker's own store says the image id here, too.
    out["containerimage.digest"] = report.image_id->str();
  }
  if (const auto names = image_names(report); !names.empty()) {
    out["image.name"] = fmt::format("{}", fmt::join(names, ","));
  }
  return out.dump(2, ' ', false, Json::error_handler_t::replace);
}

Status write_iid_file(const std::string& path, const builder::BuildReport& report) {
  return write_whole(path, image_id(report)).context(fmt::format("write the image ID to {}", path));
}

Status write_metadata_file(const std::string& path, const builder::BuildReport& report) {
  const std::string text = TRY(metadata_json(report));
  return write_whole(path, text).context(fmt::format("write the metadata to {}", path));
}

}  // namespace mybuild::cli
