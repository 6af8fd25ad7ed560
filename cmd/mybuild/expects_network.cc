// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/expects_network.h"

#include "builder/export/exporter.h"
#include "builder/remote_cache/spec.h"
#include "snapshotter/base/file.h"

#include <fcntl.h>
#include <strings.h>

#include <algorithm>
#include <map>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace mybuild::cli {

namespace {

constexpr std::size_t kMaxGuess = std::size_t{1} << 20U;

using Contexts = std::map<std::string, std::string>;

bool is_layout(const Contexts& contexts, std::string_view image) {
  const auto found = contexts.find(std::string(image));
  return found != contexts.end() && found->second.starts_with("oci-layout://");
}

/// What a line of a Dockerfile takes that a registry is going to be asked for; "" if nothing.
std::string_view tag_in(std::string_view line, const Contexts& contexts) {
  std::vector<std::string_view> words;
  for (const auto word : std::views::split(line, ' ')) {
    const std::string_view text(word.begin(), word.end());
    if (!text.empty() && !text.starts_with("--")) {
      words.push_back(text);
    }
  }
  const bool takes = words.size() > 1 && ::strncasecmp(words[0].data(), "FROM ", 5) == 0 &&
                     words[1] != "scratch" && words[1].find('@') == std::string_view::npos &&
                     !is_layout(contexts, words[1]);
  return takes ? words[1] : std::string_view();
}

/// Whether a registry on another machine is named where something goes to or comes from.
bool names_another_machine(const builder::BuildRequest& request) {
  const auto is_far = [](const oci::Reference& name) { return !oci::is_loopback(name.domain); };
  const auto is_far_cache = [&](const auto& cache) {
    return cache.type == std::remove_cvref_t<decltype(cache)>::Type::Registry && is_far(cache.ref);
  };
  const auto is_far_push = [&](const exporter::OutputSpec& output) {
    const std::vector<oci::Reference>& names = output.names.empty() ? request.names : output.names;
    return (output.push || output.type == exporter::OutputType::Registry) &&
           std::any_of(names.begin(), names.end(), is_far);
  };
  return std::any_of(request.cache_from.begin(), request.cache_from.end(), is_far_cache) ||
         std::any_of(request.cache_to.begin(), request.cache_to.end(), is_far_cache) ||
         std::any_of(request.outputs.begin(), request.outputs.end(), is_far_push);
}

}  // namespace

bool expects_network(const builder::BuildRequest& request) {
  const std::string path =
      request.dockerfile.empty() ? join_path(request.context, "Dockerfile") : request.dockerfile;
  const Result<std::string> dockerfile =
      path == "-" ? Result<std::string>("") : read_regular_file(AT_FDCWD, path, kMaxGuess);
  if (!dockerfile) {
    return true;  // a URL, say
  }
  if (names_another_machine(request)) {
    return true;
  }
  for (const auto line : std::views::split(*dockerfile, '\n')) {
    const std::string_view tag =
        tag_in(std::string_view(line.begin(), line.end()), request.contexts);
    // With a registry on this machine most is done without the module.
    if (!tag.empty() && !oci::is_loopback(tag.substr(0, tag.find('/')))) {
      return true;
    }
  }
  return false;
}

}  // namespace mybuild::cli
