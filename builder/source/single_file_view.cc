// SPDX-License-Identifier: Apache-2.0
#include "builder/source/single_file_view.h"

namespace mybuild::source {

namespace {

using snapshotter::Entry;
using snapshotter::EntryType;

constexpr mode_t kDirectoryMode = 0755;

class SingleFileView final : public snapshotter::TreeView {
 public:
  SingleFileView(Entry file, std::function<Result<Fd>()> open)
      : file_(std::move(file)), open_(std::move(open)) {}

  Result<std::optional<Entry>> lookup(std::string_view path) const override {
    if (path == file_.path) {
      return std::optional(file_);
    }
    if (!path.empty()) {
      return std::optional<Entry>();
    }
    Entry root;
    root.type = EntryType::Directory;
    root.mode = kDirectoryMode;
    root.mtime = file_.mtime;
    return std::optional(std::move(root));
  }

  Result<std::vector<std::string>> list(std::string_view path) const override {
    if (!path.empty()) {
      return not_found("{}: no such directory", path);
    }
    return std::vector<std::string>{file_.path};
  }

  Result<std::optional<std::pair<std::uint64_t, std::uint64_t>>> hard_link_id(
      std::string_view) const override {
    return std::optional<std::pair<std::uint64_t, std::uint64_t>>();
  }

  Result<Fd> open(const Entry&) const override { return open_(); }

 private:
  const Entry file_;
  const std::function<Result<Fd>()> open_;
};

}  // namespace

std::unique_ptr<snapshotter::TreeView> make_single_file_view(Entry file,
                                                             std::function<Result<Fd>()> open) {
  return std::make_unique<SingleFileView>(std::move(file), std::move(open));
}

}  // namespace mybuild::source
