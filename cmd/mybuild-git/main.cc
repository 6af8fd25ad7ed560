// SPDX-License-Identifier: Apache-2.0
// mybuild-git: the process in which the builder speaks git (builder/git/README.md). It is started
// with a request on one descriptor and answers on another; it is of no use by hand.
#include "builder/git/helper/helper_main.h"

#include <cstdio>
#include <string_view>

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "serve") {
    return mybuild::git::helper_main();
  }
  std::fprintf(stderr, "mybuild-git is started by mybuild, for contexts and ADD from git\n");
  return 2;
}
