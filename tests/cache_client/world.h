// SPDX-License-Identifier: Apache-2.0
// One build and its cache server, for the stories of this folder.
#pragma once

#include "builder/cache_client/client.h"
#include "builder/ops/trees.h"
#include "tests/cache_client/fake_server.h"
#include "tests/source/fakes.h"
#include "tests/support/memory_content_store.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace mybuild::cache_client {

class CacheClientTest : public testing::Test {
 protected:
  CacheClientTest() {
    layers.make_blob = [this](const Digest& diff_id) -> Result<oci::Descriptor> {
      const auto made = tars.find(diff_id);
      const std::string tar = made == tars.end() ? "a layer" : made->second;
      TRY(content->put(tar));
      return source::descriptor_of(oci::kMediaTypeLayer, tar);
    };
  }
  Result<std::unique_ptr<CacheClient>> start(const std::string& url) {
    Settings settings;
    settings.address = parse_address(url).value();
    settings.token = "secret-token";
    settings.keys = given;
    settings.pins_file = join_path(dir.path(), "pins.json");
    settings.flush = flush;
    return CacheClient::start(std::move(settings), {.transport = server,
                                                    .hosts = *hosts,
                                                    .logins = nullptr,
                                                    .lanes = lanes,
                                                    .events = events,
                                                    .cancel = cancel,
                                                    .content = *content,
                                                    .layers = layers,
                                                    .clock = clock,
                                                    .has_secret = has_secret,
                                                    .masked = masked,
                                                    .stuck = stuck,
                                                    .patience = patience});
  }
  CacheClient& client() {
    client_ = start("http://127.0.0.1:7000/team/main").value();
    return *client_;
  }
  std::size_t found(const std::string& name) {
    const solver::DefinitionKey key{Digest::of("step " + name)};
    client_->records().expect(std::span(&key, 1));
    return client_->records().find(key).size();
  }
  std::size_t found_by_content(const std::string& name) {
    return client_->records().find(solver::ContentKey{Digest::of("content " + name)}).size();
  }
  void serve(const std::string& name) {
    server.add(record_of(name));
    server.blobs[Digest::of(name)] = name;
  }
  /// To everything.
  void answer_all(const std::function<Result<registry::Response>(registry::BodySink&)>& answer) {
    server.respond = [answer](const registry::Request&, registry::BodySink& body, const Cancel&) {
      return std::optional<Result<registry::Response>>(answer(body));
    };
  }
  /// To requests whose URL has the word.
  void answer_to(const std::string& word, int status) {
    server.respond = [word, status](const registry::Request& request, registry::BodySink&,
                                    const Cancel&) -> std::optional<Result<registry::Response>> {
      if (request.url.find(word) == std::string::npos) {
        return std::nullopt;
      }
      return Result<registry::Response>(response(status));
    };
  }
  std::string warnings() {
    std::string text;
    for (const solver::Warning& warning : events.all<solver::Warning>()) {
      text += warning.message + "\n" + warning.detail + "\n";
    }
    return text;
  }
  /// A step that ran here and left the layer NAME.
  solver::CacheRecord ran(const std::string& name,
                          std::chrono::milliseconds took = std::chrono::seconds(1)) const {
    ops::StepLayer step;
    step.layer.diff_id = Digest::of(name);
    step.layer.changes = Digest::of("changes of " + name);
    step.layer.size = 3;
    return {.definition = {Digest::of("step " + name)},
            .content = {Digest::of("content " + name)},
            .inputs = {{Digest::of("input")}},
            .output = {Digest::of("output " + name)},
            .body = ops::dump_body(step),
            .run = solver::StepRun{.step = "RUN " + name, .took = took}};
  }

  FakeServer server;
  KeyMap given{{"team/main", server.key.public_key()}};
  Flush flush;
  std::chrono::milliseconds stuck = kStuck;
  ClaimPatience patience;
  std::function<Result<bool>(const Digest&)> has_secret;
  std::function<std::string(std::string)> masked;
  std::map<Digest, std::string> tars;  // by diff id; of others "a layer"
  const TempDir dir = TempDir::create().value();
  const std::unique_ptr<registry::HostTable> hosts = registry::make_host_table({});
  const std::unique_ptr<snapshotter::ContentStore> content =
      snapshotter::make_memory_content_store();
  source::FakeLayerStore layers;
  SystemClock clock;
  source::RecordedEvents events;
  Cancel cancel;
  Lanes lanes{{}};
  std::unique_ptr<CacheClient> client_;
};

}  // namespace mybuild::cache_client
