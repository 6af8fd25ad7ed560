// SPDX-License-Identifier: Apache-2.0
#include "tests/cache_server/registry_fixture.h"

#include "builder/cache_server/store/access_tables.h"
#include "builder/cache_server/store/sqlite_meta_store.h"
#include "snapshotter/base/json.h"
#include "tests/support/memory_blob_store.h"

#include <fmt/core.h>

namespace mybuild::cache_server {

namespace {

std::string read_range(const BlobRange& range) {
  std::string text(range.size, '\0');
  EXPECT_EQ(range.blob->read(range.offset, std::as_writable_bytes(std::span(text))).value(),
            range.size);
  return text;
}

std::string code_in(const Answer& answer) {
  const std::string* text = std::get_if<std::string>(&answer.body);
  const auto json = parse_json(text == nullptr ? "" : *text);
  return json && json->contains("errors") ? json->at("errors")[0]["code"].get<std::string>() : "";
}

}  // namespace

RegistryFixture::RegistryFixture()
    : blobs_(make_memory_blob_store()),
      meta_(open_sqlite_meta_store(directory_.path() + "/db").value()),
      keeper_(std::make_unique<BlobKeeper>(*blobs_, *meta_)) {
  serve();
  const std::pair<const char*, const char*> spaces[] = {
      {"team/main", ""}, {"team/pr-12", "team/main"}, {"other", ""}};
  for (const auto& [name, parent] : spaces) {
    EXPECT_TRUE(meta_->access().add_space({.name = name, .parent = parent, .seed = "seed"}));
  }
  be("team/main");
}

void RegistryFixture::be(const std::string& space, std::uint8_t scopes, const std::string& id) {
  caller_ = {.token_id = id, .space = space, .scopes = scopes, .readable = {}};
  const auto lineage = meta_->access().lineage(space);
  for (const SpaceRow& row : lineage.value()) {
    caller_.readable.push_back(row.name);
  }
}

void RegistryFixture::serve(bool anonymous_read) {
  api_ = std::make_unique<RegistryApi>(
      RegistryDeps{.blobs = *blobs_,
                   .keeper = *keeper_,
                   .meta = *meta_,
                   .clock = clock_,
                   .space_left = [this](std::uint64_t) { return space_left_; },
                   .share_left = [this](const std::string&, std::uint64_t) { return share_left_; },
                   .anonymous_read = anonymous_read});
}

Request RegistryFixture::request(const std::string& method, const std::string& target,
                                 Headers headers) {
  Request request;
  request.method = method;
  request.path = target.substr(0, target.find('?'));
  request.headers = std::move(headers);
  request.caller = caller_;
  std::string query = target.substr(std::min(request.path.size() + 1, target.size()));
  while (!query.empty()) {
    const std::string pair = query.substr(0, query.find('&'));
    query.erase(0, pair.size() + 1);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    request.query[pair.substr(0, equals)] = pair.substr(std::min(equals + 1, pair.size()));
  }
  return request;
}

Reply RegistryFixture::finish(Exchange& exchange, bool is_head) {
  const std::optional<Answer> refusal = exchange.refusal();
  const Answer answer = refusal ? *refusal : std::get<Answer>(exchange.finish());
  Reply reply{.status = answer.status,
              .body = {},
              .headers = {answer.headers.begin(), answer.headers.end()},
              .size = answer.body_size(),
              .code = code_in(answer)};
  EXPECT_EQ(reply.headers.size(), answer.headers.size()) << "a header twice";
  if (!is_head) {
    const std::string* text = std::get_if<std::string>(&answer.body);
    reply.body = text != nullptr ? *text : read_range(std::get<BlobRange>(answer.body));
  }
  return reply;
}

Reply RegistryFixture::ask(const std::string& method, const std::string& target,
                           std::string_view body, Headers headers) {
  Request asked = request(method, target, std::move(headers));
  asked.body_size = body.size();
  const auto exchange = api_->begin(std::move(asked));
  if (!exchange->refusal() && !body.empty()) {
    (void)exchange->write(as_bytes(body));
  }
  return finish(*exchange, method == "HEAD");
}

Reply RegistryFixture::stream(const std::string& method, const std::string& target,
                              const std::vector<std::string>& pieces, Headers headers) {
  const auto exchange = api_->begin(request(method, target, std::move(headers)));
  for (const std::string& piece : pieces) {
    if (exchange->refusal() || !exchange->write(as_bytes(piece))) {
      break;
    }
  }
  return finish(*exchange);
}

Digest RegistryFixture::push_blob(std::string_view bytes, const std::string& name) {
  const Digest digest = Digest::of(bytes);
  const Reply reply =
      ask("POST", fmt::format("/v2/{}/blobs/uploads/?digest={}", name, digest.str()), bytes);
  EXPECT_EQ(reply.status, 201) << reply.body;
  return digest;
}

std::string RegistryFixture::begin_upload(const std::string& name) {
  const Reply reply = ask("POST", fmt::format("/v2/{}/blobs/uploads/", name));
  EXPECT_EQ(reply.status, 202) << reply.body;
  return reply.headers.count("Location") != 0 ? reply.headers.at("Location") : "";
}

Reply RegistryFixture::put_manifest(const std::string& reference, const std::string& json,
                                    const std::string& type, const std::string& name) {
  return ask("PUT", fmt::format("/v2/{}/manifests/{}", name, reference), json,
             {{"content-type", type}});
}

std::string RegistryFixture::descriptor(std::string_view bytes, const std::string& type) const {
  return fmt::format(R"({{"mediaType":"{}","digest":"{}","size":{}}})", type,
                     Digest::of(bytes).str(), bytes.size());
}

std::string RegistryFixture::image(const std::vector<std::string>& layers,
                                   const std::string& more) const {
  std::string list;
  for (const std::string& layer : layers) {
    list += (list.empty() ? "" : ",") +
            descriptor(layer, "application/vnd.oci.image.layer.v1.tar+gzip");
  }
  return fmt::format(
      R"({{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",)"
      R"("config":{},"layers":[{}]{}}})",
      descriptor("{}", "application/vnd.oci.image.config.v1+json"), list, more);
}

}  // namespace mybuild::cache_server
