// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/cpu.h"

namespace mybuild::cpu {

std::size_t parallelism() {
  return 1;
}

void for_each(std::size_t count, const std::function<void(std::size_t)>& body) {
  for (std::size_t i = 0; i < count; ++i) {
    body(i);
  }
}

struct Group::State {};
Group::Group() = default;
Group::~Group() = default;
void Group::run(std::function<void()> body) {
  body();
}
void Group::wait() {}

struct Limit::State {};
Limit::Limit(std::size_t) {}
Limit::~Limit() = default;

}  // namespace mybuild::cpu
