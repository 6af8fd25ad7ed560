// SPDX-License-Identifier: Apache-2.0
// testdata/dockerfiles/<case>/: Dockerfile and, if it needs any, input.json (target, build_args,
// platforms, labels, context, contexts, no_cache, …) give ast, graph.json and config.json, or
// error. UPDATE_GOLDEN=1 writes what comes out.
#include "frontend/dockerfile/dump.h"
#include "frontend/dockerfile/parser.h"
#include "frontend/remote/git_url.h"
#include "frontend/remote/http_url.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/json.h"
#include "tests/frontend/fake_resolver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace mybuild::frontend {
namespace {

namespace fs = std::filesystem;

const fs::path kCases = fs::path(MYBUILD_SOURCE_DIR) / "testdata/dockerfiles";

std::string read(const fs::path& path) {
  return read_file(path.string()).value_or("");
}

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kCases)) {
    if (entry.is_directory()) {
      names.push_back(entry.path().filename().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

NamedContext context_of(const std::string& text) {
  const auto rest = [&](std::string_view prefix) { return text.substr(prefix.size()); };
  if (text.starts_with("docker-image://")) {
    return ImageContext{oci::Reference::parse(rest("docker-image://")).value()};
  }
  if (text.starts_with("oci-layout://")) {
    return LayoutContext{rest("oci-layout://"), {}, {}};
  }
  if (auto git = parse_git_url(text, UrlOrigin::CommandLine).value()) {
    return git->source;
  }
  if (is_http_url(text)) {
    return solver::HttpSource{.url = text, .filename = "context", .checksum = {}};
  }
  return LocalContext{};
}

/// "tar" and "tar:URL" are archives.
MainContext main_context_of(const std::string& text) {
  if (text == "tar") {
    return ArchiveContext{LocalContext{}};
  }
  const bool is_archive = text.starts_with("tar:");
  const NamedContext context = context_of(is_archive ? text.substr(4) : text);
  if (const auto* git = std::get_if<solver::GitSource>(&context)) {
    return *git;
  }
  if (const auto* http = std::get_if<solver::HttpSource>(&context)) {
    return is_archive ? MainContext(ArchiveContext{*http}) : MainContext(*http);
  }
  return LocalContext{};
}

void apply_options(const Json& json, FrontendInput& input) {
  input.target = json.value("target", "");
  input.no_cache = json.value("no_cache", false);
  input.no_cache_filter = json.value("no_cache_filter", std::vector<std::string>());
  input.build_args = json.value("build_args", std::map<std::string, std::string>());
  input.labels = json.value("labels", std::map<std::string, std::string>());
  input.extra_hosts = json.value("extra_hosts", std::vector<std::string>());
  input.shm_size = json.value("shm_size", std::uint64_t{0});
  if (json.value("network", "") == "host") {
    input.network = solver::NetworkMode::Host;
  }
  input.context = main_context_of(json.value("context", ""));
  const auto contexts = json.value("contexts", std::map<std::string, std::string>());
  for (const auto& [name, value] : contexts) {
    input.contexts.emplace(name, context_of(value));
  }
  for (const auto& text : json.value("platforms", std::vector<std::string>())) {
    if (!input.platforms_given) {
      input.platforms.clear();
    }
    input.platforms_given = true;
    input.platforms.push_back(oci::parse_platform(text).value());
  }
}

std::string dump_configs(const FrontendOutput& output, const checks::Linter& linter) {
  std::string text;
  for (const Target& target : output.targets) {
    const auto config = Json::parse(oci::dump(target.config));
    Json json{{"platform", oci::to_string(target.platform)},
              {"base_layers", target.base_layers},
              {"config", config}};
    if (target.root) {
      json["root"] = target.root->vertex;
    }
    text += json.dump(2) + "\n";
  }
  for (const solver::Warning& warning : output.warnings) {
    text += fmt::format("warning: {} ({}) line {}\n", warning.message, warning.detail,
                        warning.location ? warning.location->first_line : 0);
  }
  for (const checks::Finding& finding : linter.findings()) {
    text += fmt::format("warning: {} line {}\n", title_of(finding), finding.location.first_line);
  }
  return text;
}

std::string dump_error(const Error& error) {
  std::string text = std::string(to_string(error.kind())) + ": " + error.message() + "\n";
  if (!error.hint().empty()) {
    text += "hint: " + error.hint() + "\n";
  }
  if (const SourceLocation* place = error.location()) {
    text += fmt::format("{}:{}\n{}", place->file, place->first_line, place->excerpt);
  }
  return text;
}

std::map<std::string, std::string> results_of(const fs::path& folder) {
  FrontendInput input = testing_support::input_of(read(folder / "Dockerfile"));
  if (fs::exists(folder / "input.json")) {
    apply_options(Json::parse(read(folder / "input.json")), input);
  }
  std::map<std::string, std::string> out;
  const SourceMap source(input.file_name, input.text);
  if (const auto document = parse(source, input.text)) {
    out["ast"] = dump_ast(*document);
  }
  testing_support::FakeResolver resolver;
  checks::Linter linter;
  const auto built = build_dockerfile(input, resolver, linter);
  if (built) {
    out["graph.json"] = solver::dump_json(built->graph);
    out["config.json"] = dump_configs(*built, linter);
  } else {
    out["error"] = dump_error(built.error());
  }
  return out;
}

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, DockerfileGivesWhatIsRecorded) {
  const fs::path folder = kCases / GetParam();
  const auto results = results_of(folder);
  const bool update = std::getenv("UPDATE_GOLDEN") != nullptr;
  for (const char* name : {"ast", "graph.json", "config.json", "error"}) {
    const auto found = results.find(name);
    if (update) {
      fs::remove(folder / name);
      if (found != results.end()) {
        std::ofstream(folder / name, std::ios::binary) << found->second;
      }
      continue;
    }
    EXPECT_EQ(found == results.end() ? "" : found->second, read(folder / name)) << name;
  }
  if (update) {
    GTEST_SKIP() << "rewritten";
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, Golden, testing::ValuesIn(case_names()), [](const auto& param) {
  std::string name = param.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace mybuild::frontend
