// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/layer_hasher.h"

#include "snapshotter/background_hasher.h"

#include <optional>

namespace mybuild::snapshotter {

class LayerHasher::Engine {
 public:
  virtual ~Engine() = default;
  virtual Status write(ByteSpan bytes) = 0;
  virtual void begin_file() = 0;
  virtual Digest end_file() = 0;
  virtual Digest finish() = 0;
};

class LayerHasher::OnePass final : public Engine {
 public:
  Status write(ByteSpan bytes) override {
    pair_.update(bytes);
    return {};
  }
  void begin_file() override { pair_.begin_part(); }
  Digest end_file() override { return pair_.end_part(); }
  Digest finish() override { return pair_.finish(); }

 private:
  Sha256Pair pair_;
};

class LayerHasher::TwoThreads final : public Engine {
 public:
  Status write(ByteSpan bytes) override {
    if (file_) {
      file_->update(bytes);
    }
    return tar_.write(bytes);
  }
  void begin_file() override { file_.emplace(); }
  Digest end_file() override {
    const Digest digest = file_->finish();
    file_.reset();
    return digest;
  }
  Digest finish() override { return tar_.finish(); }

 private:
  BackgroundHasher tar_;
  std::optional<Hasher> file_;
};

LayerHasher::LayerHasher(Sink& copies, bool in_one_pass) : copies_(copies) {
  if (in_one_pass) {
    engine_ = std::make_unique<OnePass>();
  } else {
    engine_ = std::make_unique<TwoThreads>();
  }
}

LayerHasher::~LayerHasher() = default;

Status LayerHasher::write(ByteSpan bytes) {
  TRY(copies_.write(bytes));
  return engine_->write(bytes);
}

void LayerHasher::begin_file() {
  engine_->begin_file();
}

Digest LayerHasher::end_file() {
  return engine_->end_file();
}

Digest LayerHasher::finish() {
  return engine_->finish();
}

}  // namespace mybuild::snapshotter
