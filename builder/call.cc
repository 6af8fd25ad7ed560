// SPDX-License-Identifier: Apache-2.0
#include "builder/call.h"

#include "builder/engine_build.h"
#include "frontend/frontend.h"

namespace mybuild::builder {

namespace {

/// An engine that is opened when the first thing is asked of it.
class LateEngine {
 public:
  explicit LateEngine(EngineOptions options) : options_(std::move(options)) {}
  Result<Engine*> get() {
    if (engine_ == nullptr) {
      engine_ = TRY(Engine::open(options_));
    }
    return engine_.get();
  }

 private:
  const EngineOptions options_;
  std::unique_ptr<Engine> engine_;
};

class LateImages final : public frontend::MetaResolver {
 public:
  LateImages(LateEngine& engine, bool pull, solver::EventSink& events, const Cancel& cancel)
      : engine_(engine), pull_(pull), events_(events), cancel_(cancel) {}

  std::vector<Result<frontend::ImageMeta>> resolve(
      const std::vector<frontend::ImageRequest>& requests) override {
    const Result<Engine*> engine = engine_.get();
    if (!engine) {
      const Error closed(ErrorKind::Unavailable, engine.error().message());
      return {requests.size(), Result<frontend::ImageMeta>(closed)};
    }
    return (*engine)->resolve_images(requests, pull_, events_, cancel_);
  }

 private:
  LateEngine& engine_;
  const bool pull_;
  solver::EventSink& events_;
  const Cancel& cancel_;
};

/// For directories of this machine, which need none.
class NoContexts final : public ContextOpener {
 public:
  Result<std::shared_ptr<const snapshotter::TreeView>> open(
      const frontend::MainContext&, const std::map<std::string, source::SourceTree>&) override {
    return internal_error("a local context was to be opened as a remote one");
  }
  Result<std::shared_ptr<const snapshotter::TreeView>> open_url(const std::string&,
                                                                const std::string&) override {
    return internal_error("a local file was to be opened as a remote one");
  }
};

Result<BuildInputs> read_inputs(const BuildRequest& request, LateEngine& engine,
                                solver::EventSink& events, Cancel& cancel) {
  if (!has_remote_inputs(request)) {
    NoContexts none;
    return read_build_inputs(request, none);
  }
  Engine* const opened = TRY(engine.get());
  return opened->read_inputs(request, events, cancel);
}

}  // namespace

Result<CallAnswer> answer_call(Call call, const BuildRequest& request, const EngineOptions& options,
                               solver::EventSink& events, Cancel& cancel) {
  LateEngine engine(options);
  const BuildInputs inputs = TRY(read_inputs(request, engine, events, cancel));
  const frontend::FrontendInput input = frontend_input(request, inputs);
  if (call == Call::Targets) {
    auto targets = TRY(frontend::list_targets(input));
    return CallAnswer(std::move(targets));
  }
  LateImages images(engine, request.pull, events, cancel);
  if (call == Call::Outline) {
    auto outline = TRY(frontend::outline_dockerfile(input, images));
    return CallAnswer(std::move(outline));
  }
  auto report = frontend::check_dockerfile(input, images);
  TRY(cancel.check());
  report.source.path = inputs.path;
  return CallAnswer(std::move(report));
}

}  // namespace mybuild::builder
