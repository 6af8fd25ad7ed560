// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/transport.h"

#include "builder/registry/net_module.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <dlfcn.h>

#include <mutex>
#include <optional>

namespace mybuild::registry {

namespace {

constexpr std::string_view kModuleFolders[] = {".", "../lib/mybuild"};  // from the binary's folder
constexpr char kModuleName[] = "mybuild-net.so";

Result<std::string> find_module() {
  const std::string binary = TRY(sys::readlink_at(AT_FDCWD, "/proc/self/exe"));
  const std::string folder = binary.substr(0, binary.rfind('/'));
  for (const std::string_view relative : kModuleFolders) {
    std::string path = join_path(join_path(folder, relative), kModuleName);
    if (sys::exists_at(AT_FDCWD, path)) {
      return path;
    }
  }
  return not_found("{} is neither in {} nor in {}/../lib/mybuild", kModuleName, folder, folder)
      .with_hint("the network module belongs beside the mybuild binary; reinstall mybuild");
}

/// The module stays open for the life of the process: TLS libraries do not like to be unloaded.
Result<std::unique_ptr<Transport>> load_transport() {
  const std::string path = TRY(find_module());
  void* const module = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) {
    return internal_error("load the network module: {}", ::dlerror());
  }
  const auto make = reinterpret_cast<NetModuleFactory*>(::dlsym(module, kNetModuleFactory));
  if (make == nullptr) {
    return internal_error("load the network module {}: {}", path, ::dlerror());
  }
  return std::unique_ptr<Transport>(make());
}

class LazyCurlTransport final : public Transport {
 public:
  Result<Response> send(const Request& request, BodySink& body, const Cancel& cancel) override {
    std::call_once(loaded_, [this] { transport_.emplace(load_transport()); });
    if (!*transport_) {
      return transport_->error();
    }
    return (**transport_)->send(request, body, cancel);
  }

 private:
  std::once_flag loaded_;
  std::optional<Result<std::unique_ptr<Transport>>> transport_;
};

}  // namespace

std::string Response::header(const std::string& lower_case_name) const {
  const auto found = headers.find(lower_case_name);
  return found == headers.end() ? std::string() : found->second;
}

std::unique_ptr<Transport> make_lazy_curl_transport() {
  return std::make_unique<LazyCurlTransport>();
}

}  // namespace mybuild::registry
