// SPDX-License-Identifier: Apache-2.0
// A registry with two lines of namespaces (team/main <- team/pr-12, and other), and a client that
// plays the HTTP layer.
#pragma once

#include "builder/cache_server/registry/registry_api.h"
#include "builder/cache_server/store/repository_tables.h"
#include "snapshotter/base/file.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

namespace mybuild::cache_server {

class SettableClock final : public Clock {
 public:
  Time now() const override { return time_; }
  void advance(std::chrono::nanoseconds by) { time_ += by; }

 private:
  Time time_{std::chrono::seconds(1'800'000'000)};
};

/// What came back, to be compared.
struct Reply {
  int status = 0;
  std::string body;
  std::map<std::string, std::string> headers;
  std::uint64_t size = 0;  // of the body, also to HEAD
  std::string code;        // of an error in the spec's form
};

class RegistryFixture : public ::testing::Test {
 protected:
  using Headers = std::map<std::string, std::string>;
  RegistryFixture();

  /// `target`: a path, and maybe a query of plain characters.
  Request request(const std::string& method, const std::string& target, Headers headers = {});
  Reply ask(const std::string& method, const std::string& target, std::string_view body = "",
            Headers headers = {});
  /// A body in pieces whose size nobody announced.
  Reply stream(const std::string& method, const std::string& target,
               const std::vector<std::string>& pieces, Headers headers = {});
  Reply finish(Exchange& exchange, bool is_head = false);

  /// In one request, into repository `name`.
  Digest push_blob(std::string_view bytes, const std::string& name = "team/main/app");
  /// Where an upload that has begun takes its bytes.
  std::string begin_upload(const std::string& name = "team/main/app");
  Reply put_manifest(const std::string& reference, const std::string& json,
                     const std::string& type = "application/vnd.oci.image.manifest.v1+json",
                     const std::string& name = "team/main/app");
  /// Of config "{}" and these layers, none of which is pushed.
  std::string image(const std::vector<std::string>& layers, const std::string& more = "") const;
  std::string descriptor(std::string_view bytes, const std::string& type) const;

  void serve(bool anonymous_read = false);
  void be(const std::string& space, std::uint8_t scopes = 3, const std::string& id = "token");

  TempDir directory_ = TempDir::create().value();
  std::unique_ptr<BlobStore> blobs_;
  std::unique_ptr<MetaStore> meta_;
  std::unique_ptr<BlobKeeper> keeper_;
  SettableClock clock_;
  std::uint64_t space_left_ = 1 << 30;
  std::uint64_t share_left_ = ~std::uint64_t{0};
  std::unique_ptr<RegistryApi> api_;
  Caller caller_;
};

}  // namespace mybuild::cache_server
