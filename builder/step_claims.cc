// SPDX-License-Identifier: Apache-2.0
#include "builder/step_claims.h"

#include <optional>
#include <utility>

namespace mybuild::builder {

namespace {

using snapshotter::Claim;
using snapshotter::Claims;
using solver::StepClaim;

class StoreClaim final : public StepClaim {
 public:
  explicit StoreClaim(Claim claim) : claim_(std::move(claim)) {}

 private:
  Claim claim_;
};

class StoreClaims final : public solver::StepClaims {
 public:
  StoreClaims(const Claims& claims, Lanes& lanes) : claims_(claims), lanes_(lanes) {}

  Result<std::unique_ptr<StepClaim>> claim(const solver::ClaimedStep& step, Lane lane,
                                           const std::function<void()>& on_wait,
                                           const Cancel& cancel) override {
    const std::string name = Claims::step(step.content.digest);
    std::optional<Claim> free = TRY(claims_.try_take({name}));
    if (free) {
      return std::unique_ptr<StepClaim>(std::make_unique<StoreClaim>(std::move(*free)));
    }
    // It may take as long as a step takes: others run meanwhile, whatever --jobs says.
    Result<Claim> claim = internal_error("the claim was not asked for");
    lanes_.step_aside(lane, [&] { claim = claims_.take({name}, cancel, on_wait); });
    if (!claim) {
      return std::move(claim).error();
    }
    return std::unique_ptr<StepClaim>(std::make_unique<StoreClaim>(std::move(*claim)));
  }

 private:
  const Claims& claims_;
  Lanes& lanes_;
};

}  // namespace

std::unique_ptr<solver::StepClaims> make_step_claims(const Claims& claims, Lanes& lanes) {
  return std::make_unique<StoreClaims>(claims, lanes);
}

}  // namespace mybuild::builder
