// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/session_dir.h"

#include "snapshotter/base/log.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/tree_entry.h"

#include <dirent.h>
#include <sys/file.h>
#include <sys/resource.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <random>
#include <thread>

namespace mybuild::snapshotter {

namespace {

/// A closing store lets the remover finish small jobs, but nobody waits for large ones.
constexpr std::chrono::milliseconds kGraceAtClose(30);
constexpr int kRemoverNice = 10;

/// Removes what is in trash/, entry by entry, so that it can stop at any time.
class Remover {
 public:
  explicit Remover(std::string trash) : trash_(std::move(trash)) {}
  ~Remover() {
    std::unique_lock lock(mutex_);
    if (!thread_.joinable()) {
      return;
    }
    idle_.wait_for(lock, kGraceAtClose, [this] { return !work_ && !busy_; });
    stop_ = true;
    lock.unlock();
    wake_.notify_all();
    thread_.join();
  }

  void start() {
    const std::lock_guard lock(mutex_);
    work_ = true;
    if (!thread_.joinable()) {
      thread_ = std::thread([this] { run(); });
    }
    wake_.notify_all();
  }

  /// In this thread, beside whoever else removes.
  void remove_now() {
    if (const Result<Fd> dir = sys::open(trash_, O_RDONLY | O_DIRECTORY)) {
      remove_children(dir->get(), 0);
    }
  }

 private:
  void run() {
    // Of this thread only: Linux keeps priorities per thread.
    (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kRemoverNice);
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return stop_ || work_; });
      if (stop_) {
        return;
      }
      work_ = false;
      busy_ = true;
      lock.unlock();
      remove_now();
      lock.lock();
      busy_ = false;
      idle_.notify_all();
    }
  }

  /// Failures leave the entry for the next store; another process may be removing the same tree.
  void remove_children(int dirfd, int depth) {
    constexpr int kMaxDepth = 200;  // below that, whole subtrees at a time
    const Result<std::vector<DirItem>> items = read_dir(dirfd);
    if (!items) {
      return;
    }
    for (const DirItem& item : *items) {
      if (stop_) {
        return;
      }
      if (item.type != DT_DIR) {
        (void)sys::unlink_at(dirfd, item.name);
        continue;
      }
      Result<Fd> child = sys::open_at(dirfd, item.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      if (!child || depth >= kMaxDepth) {
        (void)remove_tree(dirfd, item.name);
        continue;
      }
      remove_children(child->get(), depth + 1);
      if (!sys::unlink_at(dirfd, item.name, AT_REMOVEDIR)) {
        (void)sys::fchmod(child->get(), 0700);
        remove_children(child->get(), depth + 1);
        (void)sys::unlink_at(dirfd, item.name, AT_REMOVEDIR);
      }
    }
  }

  const std::string trash_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::thread thread_;
  std::atomic<bool> stop_{false};
  bool work_ = false;
  bool busy_ = false;
};

std::uint64_t random_id() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

/// True when the lock on directory `fd` is ours now.
bool try_lock(int fd) {
  return ::flock(fd, LOCK_EX | LOCK_NB) == 0;
}

class LockedSessionDir final : public SessionDir {
 public:
  explicit LockedSessionDir(const std::string& root)
      : tmp_(join_path(root, "tmp")), trash_(join_path(root, "trash")), remover_(trash_) {}

  ~LockedSessionDir() override {
    if (lock_) {
      (void)sys::unlink_at(AT_FDCWD, path_, AT_REMOVEDIR);  // not empty: the next store sweeps it
    }
  }

  /// Takes what killed processes left. Sessions are made and judged under one lock, so that none is
  /// seen before its owner has locked it.
  Status sweep() {
    const Fd dir = TRY(sys::open(tmp_, O_RDONLY | O_DIRECTORY));
    const std::vector<DirItem> sessions = TRY(read_dir(dir.get()));
    if (!sessions.empty()) {
      if (::flock(dir.get(), LOCK_EX) < 0) {
        return os_error(errno, "lock " + tmp_);
      }
      for (const DirItem& session : sessions) {
        sweep_session(dir.get(), session.name);
      }
    }
    const Fd trash = TRY(sys::open(trash_, O_RDONLY | O_DIRECTORY));
    if (!TRY(read_dir(trash.get())).empty()) {
      remover_.start();
    }
    return {};
  }

  Result<TempDir> make() override {
    TRY(start_session());
    return TempDir::create(path_, "");
  }

  /// Needs nothing new on the disk: it makes room where there is none.
  Status discard(const std::string& path) override {
    const std::string target =
        join_path(trash_, fmt::format("{:016x}-{}", trash_id_, counter_.fetch_add(1)));
    if (Status moved = sys::rename_at(AT_FDCWD, path, AT_FDCWD, target); !moved) {
      return moved.error().os_errno() == ENOENT ? Status() : moved;
    }
    remover_.start();
    return {};
  }

  Status empty_trash() override {
    remover_.remove_now();
    const Fd trash = TRY(sys::open(trash_, O_RDONLY | O_DIRECTORY));
    for (const DirItem& item : TRY(read_dir(trash.get()))) {
      const Status removed = remove_tree(trash.get(), item.name);
      if (!removed && removed.error().kind() != ErrorKind::NotFound) {  // another process is at it
        return removed;
      }
    }
    return {};
  }

 private:
  void sweep_session(int tmp_fd, const std::string& name) {
    const Result<Fd> session = sys::open_at(tmp_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!session) {
      (void)sys::unlink_at(tmp_fd, name);
      return;
    }
    if (!try_lock(session->get())) {
      return;  // somebody lives in it
    }
    log::debug("removing what a killed process left in {}/{}", tmp_, name);
    if (!sys::rename_at(tmp_fd, name, AT_FDCWD, join_path(trash_, "swept-" + name))) {
      (void)remove_tree(tmp_fd, name);
    }
  }

  Status start_session() {
    const std::lock_guard lock(mutex_);
    if (lock_) {
      return {};
    }
    const Fd tmp = TRY(sys::open(tmp_, O_RDONLY | O_DIRECTORY));
    if (::flock(tmp.get(), LOCK_EX) < 0) {
      return os_error(errno, "lock " + tmp_);
    }
    std::string path = join_path(tmp_, "XXXXXX");
    if (::mkdtemp(path.data()) == nullptr) {
      return os_error(errno, "make a session directory in " + tmp_);
    }
    Fd own = TRY(sys::open(path, O_RDONLY | O_DIRECTORY));
    if (!try_lock(own.get())) {
      return os_error(errno, "lock " + path);
    }
    path_ = std::move(path);
    lock_ = std::move(own);
    return {};
  }

  const std::string tmp_;
  const std::string trash_;
  Remover remover_;
  std::mutex mutex_;
  std::string path_;  // of the session, constant once made
  Fd lock_;
  const std::uint64_t trash_id_ = random_id();  // names there are like nobody else's
  std::atomic<unsigned> counter_{0};
};

}  // namespace

Result<std::unique_ptr<SessionDir>> SessionDir::open(const std::string& root) {
  TRY(make_dirs(join_path(root, "tmp"), 0700));
  TRY(make_dirs(join_path(root, "trash"), 0700));
  auto session = std::make_unique<LockedSessionDir>(root);
  TRY(session->sweep());
  return std::unique_ptr<SessionDir>(std::move(session));
}

}  // namespace mybuild::snapshotter
