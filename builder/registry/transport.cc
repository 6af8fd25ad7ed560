// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/transport.h"

#include "builder/registry/net_module.h"
#include "builder/registry/plain_http.h"
#include "snapshotter/base/module.h"

#include <mutex>
#include <optional>

namespace mybuild::registry {

namespace {

Result<std::unique_ptr<Transport>> load_transport() {
  void* const found = TRY(find_in_module("mybuild-net.so", kNetModuleFactory));
  const auto make = reinterpret_cast<NetModuleFactory*>(found);
  return std::unique_ptr<Transport>(make());
}

class LazyCurlTransport final : public Transport {
 public:
  explicit LazyCurlTransport(LocalRequests local) : local_(local) {}

  Result<Response> send(const Request& request, BodySink& body, const Cancel& cancel) override {
    if (local_ == LocalRequests::WithoutLibcurl && PlainHttp::takes(request)) {
      if (auto answer = TRY(plain_.send(request, body, cancel))) {
        return *std::move(answer);
      }
    }
    load();
    if (!*transport_) {
      return transport_->error();
    }
    return (**transport_)->send(request, body, cancel);
  }
  void load() override {
    std::call_once(once_, [this] { transport_.emplace(load_transport()); });
  }

 private:
  std::once_flag once_;
  const LocalRequests local_;
  PlainHttp plain_;
  std::optional<Result<std::unique_ptr<Transport>>> transport_;
};

}  // namespace

std::string Response::header(const std::string& lower_case_name) const {
  const auto found = headers.find(lower_case_name);
  return found == headers.end() ? std::string() : found->second;
}

std::unique_ptr<Transport> make_lazy_curl_transport(LocalRequests local) {
  return std::make_unique<LazyCurlTransport>(local);
}

}  // namespace mybuild::registry
