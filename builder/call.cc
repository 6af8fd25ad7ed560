// SPDX-License-Identifier: Apache-2.0
#include "builder/call.h"

#include "builder/engine_build.h"
#include "frontend/frontend.h"

namespace mybuild::builder {

namespace {

/// Base images by way of an engine that is opened when the first one is asked for.
class EngineImages final : public frontend::MetaResolver {
 public:
  EngineImages(EngineOptions options, bool pull, solver::EventSink& events, const Cancel& cancel)
      : options_(std::move(options)), pull_(pull), events_(events), cancel_(cancel) {}

  std::vector<Result<frontend::ImageMeta>> resolve(
      const std::vector<frontend::ImageRequest>& requests) override {
    if (engine_ == nullptr) {
      auto engine = Engine::open(options_);
      if (!engine) {
        const Error closed(ErrorKind::Unavailable, engine.error().message());
        return {requests.size(), Result<frontend::ImageMeta>(closed)};
      }
      engine_ = std::move(engine).value();
    }
    return engine_->resolve_images(requests, pull_, events_, cancel_);
  }

 private:
  const EngineOptions options_;
  const bool pull_;
  solver::EventSink& events_;
  const Cancel& cancel_;
  std::unique_ptr<Engine> engine_;
};

/// How the file was named, for tools that look for it.
std::string path_of(const BuildRequest& request, const BuildInputs& inputs) {
  if (!request.dockerfile.empty()) {
    return request.dockerfile;
  }
  return request.context_dir == "." ? inputs.file_name
                                    : request.context_dir + "/" + inputs.file_name;
}

}  // namespace

Result<CallAnswer> answer_call(Call call, const BuildRequest& request, const EngineOptions& options,
                               solver::EventSink& events, const Cancel& cancel) {
  const BuildInputs inputs = TRY(read_build_inputs(request));
  const frontend::FrontendInput input = frontend_input(request, inputs);
  if (call == Call::Targets) {
    auto targets = TRY(frontend::list_targets(input));
    return CallAnswer(std::move(targets));
  }
  EngineImages images(options, request.pull, events, cancel);
  if (call == Call::Outline) {
    auto outline = TRY(frontend::outline_dockerfile(input, images));
    return CallAnswer(std::move(outline));
  }
  auto report = frontend::check_dockerfile(input, images);
  TRY(cancel.check());
  report.source.path = path_of(request, inputs);
  return CallAnswer(std::move(report));
}

}  // namespace mybuild::builder
