// SPDX-License-Identifier: Apache-2.0
#include "builder/source/local_context.h"

#include "frontend/ignore/pattern.h"

namespace mybuild::source {

namespace {

using snapshotter::Entry;
using snapshotter::EntryType;
using snapshotter::TreeView;

class LocalContext final : public TreeView {
 public:
  LocalContext(std::unique_ptr<TreeView> files, frontend::PatternMatcher ignore)
      : files_(std::move(files)), ignore_(std::move(ignore)) {}

  Result<std::optional<Entry>> lookup(std::string_view path) const override {
    std::optional<Entry> entry = TRY(files_->lookup(path));
    if (!entry || !TRY(is_visible(*entry))) {
      return std::optional<Entry>();
    }
    entry->uid = 0;
    entry->gid = 0;
    return entry;
  }

  Result<std::vector<std::string>> list(std::string_view path) const override {
    std::vector<std::string> names = TRY(files_->list(path));
    if (ignore_.empty()) {
      return names;
    }
    std::vector<std::string> visible;
    for (std::string& name : names) {
      const std::string child = path.empty() ? name : std::string(path) + "/" + name;
      const bool excluded = ignore_.matches(child);
      if (!excluded || (ignore_.may_include_below(child) && TRY(lookup(child)))) {
        visible.push_back(std::move(name));
      }
    }
    return visible;
  }

  Result<std::optional<std::pair<std::uint64_t, std::uint64_t>>> hard_link_id(
      std::string_view path) const override {
    return files_->hard_link_id(path);
  }
  Result<Fd> open(const Entry& entry) const override { return files_->open(entry); }

 private:
  /// An excluded directory is still there when something below it is not excluded.
  Result<bool> is_visible(const Entry& entry) const {
    if (entry.path.empty() || ignore_.empty() || !ignore_.matches(entry.path)) {
      return true;
    }
    if (entry.type != EntryType::Directory || !ignore_.may_include_below(entry.path)) {
      return false;
    }
    return !TRY(list(entry.path))
    .empty();
  }

  std::unique_ptr<TreeView> files_;
  frontend::PatternMatcher ignore_;
};

}  // namespace

Result<std::unique_ptr<TreeView>> open_local_context(const std::string& directory,
                                                     const std::vector<std::string>& ignore) {
  std::unique_ptr<TreeView> files = TRY(snapshotter::open_directory_view(directory));
  frontend::PatternMatcher matcher =
      TRY(frontend::PatternMatcher::compile(ignore).context("ignore file"));
  return std::unique_ptr<TreeView>(
      std::make_unique<LocalContext>(std::move(files), std::move(matcher)));
}

}  // namespace mybuild::source
