// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target once over every file of the folders given: its corpus as a plain test.
#include "tests/fuzz/fuzz.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  for (const auto& path : files) {
    // Said before it runs: the last line names the input that ended the process.
    std::printf("%s\n", path.c_str());
    std::fflush(stdout);
    std::stringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    mybuild::fuzz::run(text.str());
  }
  return files.empty() ? 1 : 0;
}
