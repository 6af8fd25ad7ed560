// SPDX-License-Identifier: Apache-2.0
// A MetaResolver over a few images made up here; it remembers what it was asked, round by round.
#pragma once

#include "frontend/frontend.h"

#include <fmt/format.h>

#include <map>
#include <string>
#include <vector>

namespace mybuild::testing_support {

class FakeResolver final : public frontend::MetaResolver {
 public:
  FakeResolver() {
    add("docker.io/library/alpine:latest", image("alpine", {"/bin/sh"}));
    add("docker.io/library/busybox:latest", image("busybox", {"sh"}));
    oci::ImageConfig empty = image("empty", {});
    empty.diff_ids.clear();
    empty.history.clear();
    add("docker.io/library/empty:latest", empty);
    oci::ImageConfig rich = image("rich", {"serve"});
    rich.entrypoint = {"/entry"};
    rich.working_dir = "/srv";
    rich.user = "web";
    rich.env.push_back("LANG=C.UTF-8");
    rich.labels = {{"vendor", "example"}};
    rich.exposed_ports = {"80/tcp"};
    rich.shell = {"/bin/bash", "-c"};
    add("docker.io/library/rich:latest", rich);
    oci::ImageConfig triggers = image("triggers", {});
    triggers.on_build = {"COPY --from=busybox /bin/sh /sh", "RUN make", "ENV BUILT=1"};
    add("docker.io/library/triggers:latest", triggers);
    oci::ImageConfig bad = image("bad-trigger", {});
    bad.on_build = {"FROM alpine"};
    add("docker.io/library/bad-trigger:latest", bad);
    add("docker.io/library/foreign:latest", image("foreign", {}));
    add("example.com/team/base:1", image("team", {"/bin/sh"}));
    add("layout:/images/base", image("layout", {"/bin/sh"}));
  }

  std::vector<Result<frontend::ImageMeta>> resolve(
      const std::vector<frontend::ImageRequest>& requests) override {
    std::vector<Result<frontend::ImageMeta>> out;
    std::vector<std::string> round;
    for (const frontend::ImageRequest& request : requests) {
      const auto* reference = std::get_if<oci::Reference>(&request.source);
      const std::string name =
          reference != nullptr ? reference->str()
                               : "layout:" + std::get<frontend::LayoutContext>(request.source).path;
      round.push_back(name + " " + oci::to_string(request.platform));
      out.push_back(answer(name, request.platform));
    }
    rounds.push_back(std::move(round));
    return out;
  }

  std::vector<std::vector<std::string>> rounds;

 private:
  static oci::ImageConfig image(const std::string& name, std::vector<std::string> cmd) {
    oci::ImageConfig config;
    config.created = Time(std::chrono::seconds(1700000000));
    config.env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
    if (!cmd.empty()) {
      config.cmd = std::move(cmd);
    }
    config.diff_ids = {Digest::of("layer of " + name)};
    config.history = {{.created = config.created,
                       .created_by = "base " + name,
                       .author = {},
                       .comment = {},
                       .empty_layer = false}};
    return config;
  }
  void add(const std::string& name, const oci::ImageConfig& config) { images_[name] = config; }

  Result<frontend::ImageMeta> answer(const std::string& name, const oci::Platform& platform) const {
    const auto found = images_.find(name);
    if (name == "docker.io/library/unreachable:latest") {
      return make_error(ErrorKind::Unavailable, "could not resolve host");
    }
    if (found == images_.end()) {
      return not_found("no such image");
    }
    frontend::ImageMeta meta{Digest::of(name + oci::to_string(platform)), found->second};
    meta.config.platform = platform;
    if (name == "docker.io/library/foreign:latest") {
      meta.config.platform = {"linux", "s390x", "", ""};
    }
    return meta;
  }

  std::map<std::string, oci::ImageConfig> images_;
};

/// Input for one linux/amd64 build of `text`.
inline frontend::FrontendInput input_of(std::string text) {
  frontend::FrontendInput input;
  input.text = std::move(text);
  input.build_platform = oci::Platform{"linux", "amd64", "", ""};
  input.platforms = {input.build_platform};
  return input;
}

inline Result<frontend::FrontendOutput> build(const std::string& text) {
  FakeResolver resolver;
  return frontend::build_dockerfile(input_of(text), resolver);
}

}  // namespace mybuild::testing_support
