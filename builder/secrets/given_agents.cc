// SPDX-License-Identifier: Apache-2.0
#include "builder/secrets/given_agents.h"

#include "builder/secrets/key_agent.h"
#include "builder/secrets/limited_read.h"
#include "builder/secrets/socket_agent.h"
#include "snapshotter/base/sys.h"

#include <cstdlib>
#include <map>

namespace mybuild::secrets {

namespace {

constexpr std::string_view kDefaultId = "default";
constexpr std::size_t kMaxKeyFile = std::size_t{100} << 10U;

class GivenAgents final : public AgentSource {
 public:
  SshAgent* find(const std::string& id) override {
    const auto found = agents_.find(id);
    return found == agents_.end() ? nullptr : found->second.get();
  }
  bool add(const std::string& id, std::unique_ptr<SshAgent> agent) {
    return agents_.emplace(id, std::move(agent)).second;
  }

 private:
  std::map<std::string, std::unique_ptr<SshAgent>> agents_;
};

Result<SshKey> read_key(const std::string& path, const Cancel& cancel) {
  const Fd file = TRY(open_for_reading(path, kMaxKeyFile));
  const std::string text = TRY(read_limited(file.get(), kMaxKeyFile, cancel).context(path));
  return parse_key_file(text, path).context(path);
}

Result<std::unique_ptr<SshAgent>> open_agent(const std::vector<std::string>& paths,
                                             const Cancel& cancel) {
  std::vector<SshKey> keys;
  for (const std::string& path : paths) {
    const struct stat info = TRY(sys::stat_at(AT_FDCWD, path));
    if (!S_ISSOCK(info.st_mode)) {
      auto key = TRY(read_key(path, cancel));
      keys.push_back(std::move(key));
    } else if (paths.size() > 1) {
      return invalid_argument("a socket of an agent goes alone, without keys or other sockets");
    } else {
      return open_socket_agent(path).context(path);
    }
  }
  return make_key_agent(std::move(keys));
}

Result<std::vector<std::string>> paths_of(const SshSpec& spec) {
  if (!spec.paths.empty() && spec.paths != std::vector<std::string>{""}) {
    return spec.paths;
  }
  const char* path = std::getenv("SSH_AUTH_SOCK");
  if (path == nullptr || *path == '\0') {
    return invalid_argument("invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set");
  }
  return std::vector<std::string>{path};
}

}  // namespace

Result<std::unique_ptr<AgentSource>> open_agents(const std::vector<SshSpec>& specs,
                                                 const Cancel& cancel) {
  auto agents = std::make_unique<GivenAgents>();
  for (const SshSpec& spec : specs) {
    const std::string id(spec.id.empty() ? kDefaultId : std::string_view(spec.id));
    const std::string shown = fmt::format("ssh agent {}", id);
    const std::vector<std::string> paths = TRY(paths_of(spec).context(shown));
    std::unique_ptr<SshAgent> agent = TRY(open_agent(paths, cancel).context(shown));
    if (!agents->add(id, std::move(agent))) {
      return invalid_argument("duplicate agent ID \"{}\"", id);
    }
  }
  return std::unique_ptr<AgentSource>(std::move(agents));
}

}  // namespace mybuild::secrets
