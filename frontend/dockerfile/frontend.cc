// SPDX-License-Identifier: Apache-2.0
#include "frontend/frontend.h"

#include "frontend/dockerfile/characters.h"
#include "frontend/dockerfile/epoch.h"
#include "frontend/dockerfile/lint.h"
#include "frontend/dockerfile/lower.h"
#include "frontend/dockerfile/parser.h"
#include "frontend/dockerfile/passes.h"
#include "frontend/dockerfile/stages.h"
#include "frontend/dockerfile/suggest.h"
#include "frontend/dockerfile/syntax.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace mybuild::frontend {

namespace {

bool same_source(const LayoutContext& a, const LayoutContext& b) {
  return a.path == b.path && a.tag == b.tag && a.digest == b.digest;
}
bool same_source(const oci::Reference& a, const oci::Reference& b) {
  return a == b;
}

std::string source_text(const LayoutContext& layout) {
  return fmt::format("{}\n{}\n{}", layout.path, layout.tag,
                     layout.digest ? layout.digest->str() : "");
}
std::string source_text(const oci::Reference& reference) {
  return reference.str();
}

/// Equal for equal requests, else different.
std::string key_of(const ImageRequest& request) {
  const std::string source =
      std::visit([](const auto& what) { return source_text(what); }, request.source);
  return fmt::format("{}\n{}\n{} {}", request.source.index(), source,
                     oci::to_string(request.platform), request.platform.os_version);
}

/// A stage that waits for the answer to a request.
struct Waiting {
  StagePlan* plan;
  int stage;
  std::size_t request;
};

Error no_image(const Waiting& waiting, Error error) {
  const PlannedStage& stage = waiting.plan->stage(waiting.stage);
  const std::string name = stage.request->display;
  // A stage whose name was mistyped is more likely than an image of that name.
  const std::string said = name.ends_with(":latest") ? name.substr(0, name.rfind(':')) : name;
  const std::string meant = did_you_mean(said, waiting.plan->names());
  if (!meant.empty()) {
    error = std::move(error).with_hint(meant);
  }
  if (!error.message().starts_with(name + ":")) {  // who was asked may have said it
    error = std::move(error).context(name);
  }
  return std::move(error).at(waiting.plan->source().locate(stage.lines));
}

/// Only what has no answer may have one later: that is no fault of the file.
bool is_out_of_reach(const Error& error) {
  return error.kind() == ErrorKind::Unavailable || error.kind() == ErrorKind::Deadline;
}

ImageMeta unknown_image(const ImageRequest& request) {
  ImageMeta image{Digest(), {}};
  image.config.platform = request.platform;
  return image;
}

/// The build argument takes the place of the file's directive.
std::string option_text(const FrontendInput& input, const Document& document) {
  const auto given = input.build_args.find("BUILDKIT_DOCKERFILE_CHECK");
  if (given != input.build_args.end()) {
    return given->second;
  }
  const Directive* directive = document.directive("check");
  return directive == nullptr ? std::string() : directive->value;
}

/// Asks for all images that any platform waits for, each once.
Status resolve_round(std::vector<StagePlan>& plans, MetaResolver& resolver) {
  std::vector<ImageRequest> requests;
  std::map<std::string, std::size_t> known;
  std::vector<Waiting> waiting;
  for (StagePlan& plan : plans) {
    for (const int stage : plan.unresolved()) {
      const ImageRequest& request = *plan.stage(stage).request;
      const auto [found, is_new] = known.emplace(key_of(request), requests.size());
      waiting.push_back({&plan, stage, found->second});
      if (is_new) {
        requests.push_back(request);
      }
    }
  }
  if (requests.empty()) {
    return {};
  }
  const std::vector<Result<ImageMeta>> answers = resolver.resolve(requests);
  if (answers.size() != requests.size()) {
    return internal_error("{} images were asked for, {} answered", requests.size(), answers.size());
  }
  for (const Waiting& one : waiting) {
    const Result<ImageMeta>& answer = answers[one.request];
    PlannedStage& stage = one.plan->stage(one.stage);
    if (answer) {
      stage.image = *answer;
    } else if (one.plan->input().purpose != Purpose::Build && is_out_of_reach(answer.error())) {
      stage.image = unknown_image(*stage.request);
      stage.image_unknown = true;
    } else {
      return no_image(one, answer.error());
    }
  }
  return {};
}

void warn_unknown_filters(const FrontendInput& input, const StagePlan& plan,
                          std::vector<solver::Warning>& warnings) {
  const std::vector<std::string> names = plan.names();
  for (const std::string& filter : input.no_cache_filter) {
    const bool is_known =
        filter.empty() || std::any_of(names.begin(), names.end(),
                                      [&](auto& name) { return equal_fold(name, filter); });
    if (!is_known) {
      warnings.push_back({fmt::format("--no-cache-filter: there is no stage \"{}\"", filter),
                          did_you_mean(filter, names), std::nullopt});
    }
  }
}

/// A default in the file is for contexts of any kind; who asks for a time and gets none wants to
/// know.
void warn_without_epoch(const FrontendInput& input, const StagePlan& plan,
                        std::vector<solver::Warning>& warnings) {
  const auto given = input.build_args.find(std::string(kSourceDateEpoch));
  if (given != input.build_args.end() && !given->second.empty() && !plan.source_date_epoch()) {
    warnings.push_back({fmt::format("SOURCE_DATE_EPOCH={} does nothing", given->second),
                        "directories, images and files without a Last-Modified have no time of "
                        "their own; give the seconds since 1970",
                        std::nullopt});
  }
}

}  // namespace

bool ImageRequest::operator==(const ImageRequest& other) const {
  if (platform != other.platform || source.index() != other.source.index()) {
    return false;
  }
  return std::visit(
      [&](const auto& mine) {
        return same_source(mine, std::get<std::decay_t<decltype(mine)>>(other.source));
      },
      source);
}

Result<Reading> read_dockerfile(const FrontendInput& input, checks::Linter& linter) {
  auto source = std::make_unique<const SourceMap>(input.file_name, input.text);
  linter.set_source([map = source.get()](int first, int last) {
    return map->locate({first, last});
  });
  TRY(check_syntax(input.text, input.build_args, *source));
  const Document document = TRY(parse(*source, input.text));
  auto options = TRY(checks::parse_options(option_text(input, document)));
  linter.set_options(std::move(options));
  lint_continuations(document, linter);
  auto script = TRY(parse_script(document, *source, linter));
  lint_script(document, script, linter);
  return Reading{std::move(source), std::move(script)};
}

Status resolve_all(std::vector<StagePlan>& plans, MetaResolver& resolver) {
  for (bool more = true; more;) {
    TRY(resolve_round(plans, resolver));
    more = false;
    for (StagePlan& plan : plans) {
      const bool grown = TRY(plan.add_triggers());
      more = more || grown;
    }
  }
  return {};
}

Result<std::vector<StagePlan>> make_plans(const FrontendInput& input, const Reading& reading,
                                          checks::Linter& linter, checks::Linter& silent,
                                          MetaResolver* times) {
  silent.mute();
  std::vector<oci::Platform> platforms = input.platforms;
  if (platforms.empty()) {
    platforms.push_back(input.build_platform.architecture.empty() ? oci::host_platform()
                                                                  : input.build_platform);
  }
  if (input.purpose != Purpose::Build) {
    platforms.resize(1);
  }
  std::vector<StagePlan> plans;
  for (const oci::Platform& platform : platforms) {
    auto plan = TRY(StagePlan::make(input, reading.script, *reading.source, platform,
                                    plans.empty() ? linter : silent, times));
    plans.push_back(std::move(plan));
  }
  return plans;
}

Result<FrontendOutput> build_dockerfile(const FrontendInput& input, MetaResolver& resolver,
                                        checks::Linter& linter) {
  const Reading reading = TRY(read_dockerfile(input, linter));
  checks::Linter silent;
  std::vector<StagePlan> plans = TRY(make_plans(input, reading, linter, silent, &resolver));
  TRY(resolve_all(plans, resolver));

  FrontendOutput output;
  output.source_date_epoch = plans.front().source_date_epoch();
  warn_unknown_filters(input, plans.front(), output.warnings);
  warn_without_epoch(input, plans.front(), output.warnings);
  solver::GraphBuilder graph;
  for (const StagePlan& plan : plans) {
    Lowering lowering(plan, graph, plans.size() > 1);
    auto target = TRY(lowering.run());
    output.targets.push_back(std::move(target));
  }
  TRY(linter.verdict());
  output.graph = std::move(graph).build();
  return output;
}

}  // namespace mybuild::frontend
