// SPDX-License-Identifier: Apache-2.0
// What a fuzz target is: one function over bytes that are not to be trusted. With the preset "fuzz"
// libFuzzer calls it (libfuzzer.cc), in every other build a program that goes over the corpus once
// (replay.cc). A promise that does not hold ends the process, as a sanitizer does.
#pragma once

#include <string_view>

namespace mybuild::fuzz {

/// Defined by each target. Has no state: equal input, equal work.
void run(std::string_view input);

/// Ends the process with `promise` on stderr unless it holds.
void require(bool holds, std::string_view promise);

}  // namespace mybuild::fuzz
