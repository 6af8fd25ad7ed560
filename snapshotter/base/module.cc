// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/module.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <dlfcn.h>
#include <fcntl.h>

#include <string_view>

namespace mybuild {

namespace {

constexpr std::string_view kFolders[] = {".", "../lib/mybuild"};  // from the binary's folder

Result<std::string> find_module(const std::string& file) {
  const std::string binary = TRY(sys::readlink_at(AT_FDCWD, "/proc/self/exe"));
  const std::string folder = binary.substr(0, binary.rfind('/'));
  for (const std::string_view relative : kFolders) {
    std::string path = join_path(join_path(folder, relative), file);
    if (sys::exists_at(AT_FDCWD, path)) {
      return path;
    }
  }
  return not_found("{} is neither in {} nor in {}/../lib/mybuild", file, folder, folder)
      .with_hint("that file belongs beside the mybuild binary; reinstall mybuild");
}

}  // namespace

bool has_module(const std::string& file) {
  return find_module(file).has_value();
}

Result<void*> find_in_module(const std::string& file, const char* symbol) {
  const std::string path = TRY(find_module(file));
  void* const module = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* const found = module == nullptr ? nullptr : ::dlsym(module, symbol);
  if (found == nullptr) {
    return internal_error("load {}: {}", path, ::dlerror());
  }
  return found;
}

}  // namespace mybuild
