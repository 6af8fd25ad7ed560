// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/expects_network.h"

#include "builder/engine.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <fcntl.h>
#include <strings.h>

#include <algorithm>
#include <map>
#include <ranges>
#include <string>
#include <string_view>
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

/// Whether more is going to be sent than questions for tags.
bool expects_transfers(const builder::BuildRequest& request, const std::string& root) {
  const std::string store = root.empty() ? builder::default_root() : root;
  return !request.cache_from.empty() || !request.cache_to.empty() ||
         !sys::exists_at(AT_FDCWD, join_path(store, "state.db")) ||
         std::any_of(request.outputs.begin(), request.outputs.end(), [](const auto& output) {
           return output.push || output.type == exporter::OutputType::Registry;
         });
}

}  // namespace

bool expects_network(const builder::BuildRequest& request, const std::string& root) {
  const std::string path =
      request.dockerfile.empty() ? join_path(request.context, "Dockerfile") : request.dockerfile;
  const Result<std::string> dockerfile =
      path == "-" ? Result<std::string>("") : read_regular_file(AT_FDCWD, path, kMaxGuess);
  if (!dockerfile) {
    return true;  // a URL, say
  }
  const bool transfers = expects_transfers(request, root);
  for (const auto line : std::views::split(*dockerfile, '\n')) {
    const std::string_view tag =
        tag_in(std::string_view(line.begin(), line.end()), request.contexts);
    // Tags of a registry on this machine are asked for without the module.
    if (!tag.empty() && (transfers || !oci::is_loopback(tag.substr(0, tag.find('/'))))) {
      return true;
    }
  }
  return false;
}

}  // namespace mybuild::cli
