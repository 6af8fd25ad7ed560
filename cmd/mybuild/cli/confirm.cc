// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/confirm.h"

#include "cmd/mybuild/cli/command.h"

#include <fmt/format.h>

#include <iostream>
#include <string>

namespace mybuild::cli {

bool confirmed(std::string_view warning) {
  print_err(fmt::format("WARNING! {}\nAre you sure you want to continue? [y/N] ", warning));
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y";
}

}  // namespace mybuild::cli
