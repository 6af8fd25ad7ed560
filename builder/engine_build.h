// SPDX-License-Identifier: Apache-2.0
// What the frontend gets of a request; shared by building and by what --call asks. Pure;
// thread-safe.
#pragma once

#include "builder/build_inputs.h"
#include "builder/request.h"
#include "frontend/frontend.h"

namespace mybuild::builder {

frontend::FrontendInput frontend_input(const BuildRequest& request, const BuildInputs& inputs);

}  // namespace mybuild::builder
