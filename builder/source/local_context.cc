// SPDX-License-Identifier: Apache-2.0
#include "builder/source/local_context.h"

#include "frontend/ignore/pattern.h"
#include "snapshotter/base/file.h"

#include <set>

namespace mybuild::source {

namespace {

using snapshotter::Entry;
using snapshotter::EntryType;
using snapshotter::HardLinkId;
using snapshotter::ListedEntry;
using snapshotter::NameFilter;
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
    own_by_root(*entry);
    return entry;
  }

  Result<std::vector<std::string>> list(std::string_view path) const override {
    std::vector<std::string> names = TRY(files_->list(path));
    if (ignore_.empty()) {
      return names;
    }
    std::vector<std::string> visible;
    for (std::string& name : names) {
      const std::string child = join_path(path, name);
      if (!ignore_.matches(child) || (ignore_.may_include_below(child) && TRY(lookup(child)))) {
        visible.push_back(std::move(name));
      }
    }
    return visible;
  }

  Result<std::vector<ListedEntry>> read_directory(std::string_view path,
                                                  const NameFilter& wanted) const override {
    if (ignore_.empty()) {
      std::vector<ListedEntry> listed = TRY(files_->read_directory(path, wanted));
      for (ListedEntry& item : listed) {
        own_by_root(item.entry);
      }
      return listed;
    }
    std::set<std::string> doubtful;  // excluded, but something below it may not be
    const auto may_be_visible = [&](const std::string& name) {
      if (!wanted(name)) {
        return false;
      }
      std::string child = join_path(path, name);
      if (!ignore_.matches(child)) {
        return true;
      }
      const bool may_include = ignore_.may_include_below(child);
      if (may_include) {
        doubtful.insert(std::move(child));
      }
      return may_include;
    };
    std::vector<ListedEntry> kept;
    for (ListedEntry& item : TRY(files_->read_directory(path, may_be_visible))) {
      if (!doubtful.contains(item.entry.path) || TRY(is_visible(item.entry))) {
        own_by_root(item.entry);
        kept.push_back(std::move(item));
      }
    }
    return kept;
  }

  Result<std::optional<HardLinkId>> hard_link_id(std::string_view path) const override {
    return files_->hard_link_id(path);
  }
  Status hash(Entry& file) const override {
    TRY(files_->hash(file));
    own_by_root(file);
    return {};
  }
  void distrust(const Entry& file) const override { files_->distrust(file); }
  Result<Fd> open(const Entry& entry) const override { return files_->open(entry); }

 private:
  static void own_by_root(Entry& entry) {
    entry.uid = 0;
    entry.gid = 0;
  }

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
                                                     const std::vector<std::string>& ignore,
                                                     snapshotter::ContentMemory memory) {
  std::unique_ptr<TreeView> files = TRY(snapshotter::open_directory_view(directory, memory));
  frontend::PatternMatcher matcher =
      TRY(frontend::PatternMatcher::compile(ignore).context("ignore file"));
  return std::unique_ptr<TreeView>(
      std::make_unique<LocalContext>(std::move(files), std::move(matcher)));
}

}  // namespace mybuild::source
