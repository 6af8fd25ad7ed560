// SPDX-License-Identifier: Apache-2.0
// GitCheckout: one commit's files (or some of them) as a layer of the store: found there, or
// fetched and checked out when somebody looks for the first time. Thread-safe.
#pragma once

#include "builder/git/remote.h"
#include "builder/source/git_source.h"

#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace mybuild::source {

/// Runs the helper for a remote with what this build has to reach it.
Result<git::HelperResult> run_git_helper(const GitSourceDeps& deps, const git::Remote& remote,
                                         git::HelperRequest request, const solver::VertexId& vertex,
                                         const Cancel& cancel);

class GitCheckout final : public snapshotter::TreeView {
 public:
  struct Wanted {
    solver::GitSource source;
    git::Remote remote;
    git::HelperResult resolved;
    Digest id;
  };
  GitCheckout(std::shared_ptr<const GitSourceDeps> deps, Wanted wanted,
              const solver::VertexId& vertex, const Cancel& cancel)
      : deps_(std::move(deps)), wanted_(std::move(wanted)), vertex_(vertex), cancel_(cancel) {}

  /// The commit's time if the store remembers it.
  Result<std::optional<std::int64_t>> known_time() const;
  Result<std::int64_t> time() const;

  Result<std::optional<snapshotter::Entry>> lookup(std::string_view path) const override;
  Result<std::vector<std::string>> list(std::string_view path) const override;
  Result<std::optional<std::pair<std::uint64_t, std::uint64_t>>> hard_link_id(
      std::string_view path) const override;
  Result<Fd> open(const snapshotter::Entry& entry) const override;

 private:
  struct Made {
    std::unique_ptr<snapshotter::TreeView> view;
    std::int64_t time = 0;
  };
  Result<const Made*> made() const;
  Result<std::optional<Made>> find() const;
  Result<Made> check_out() const;
  Result<git::HelperResult> provide(const git::HelperRequest& request) const;
  Result<Made> find_or_check_out() const;
  Result<std::unique_ptr<snapshotter::TreeView>> view_of(const Digest& diff_id) const;

  const std::shared_ptr<const GitSourceDeps> deps_;  // a tree may outlive the sources
  const Wanted wanted_;
  const solver::VertexId vertex_;
  const Cancel& cancel_;
  mutable std::mutex mutex_;
  mutable std::optional<Made> made_;
};

}  // namespace mybuild::source
