// SPDX-License-Identifier: Apache-2.0
#include "tests/snapshotter/overlay_mount.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>

namespace mybuild::snapshotter::testing {

namespace {

std::string failure_of(const char* what) {
  return std::string(what) + ": " + std::strerror(errno);
}

std::string mount_overlay(const RootMount& root, const std::string& at) {
  // Short names through one directory of links: 128 lower paths must fit the option page.
  std::string lower;
  for (std::size_t i = root.lower.size(); i-- > 0;) {
    if (::symlink(root.lower[i].c_str(), std::to_string(i).c_str()) != 0) {
      return failure_of("link a lower directory");
    }
    lower += (lower.empty() ? "" : ":") + std::to_string(i);
  }
  if (lower.empty()) {
    ::mkdir("none", 0755);
    lower = "none";
  }
  std::string options = "lowerdir=" + lower + ",metacopy=off,redirect_dir=nofollow,index=off";
  if (!root.upper.empty()) {
    options += ",upperdir=" + root.upper + ",workdir=" + root.work;
  }
  return ::mount("overlay", at.c_str(), "overlay", 0, options.c_str()) == 0
             ? ""
             : failure_of("mount overlay");
}

std::string enter(const RootMount& root, const std::string& at) {
  if (::unshare(CLONE_NEWNS) != 0) {
    return failure_of("unshare(CLONE_NEWNS), needs CAP_SYS_ADMIN");
  }
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return failure_of("make mounts private");
  }
  if (root.type == RootMount::Type::Bind) {
    return ::mount(root.source.c_str(), at.c_str(), nullptr, MS_BIND, nullptr) == 0
               ? ""
               : failure_of("bind mount");
  }
  return mount_overlay(root, at);
}

}  // namespace

std::string run_in_root(const RootMount& root,
                        const std::function<void(const std::string& dir)>& step) {
  const Result<TempDir> temp = TempDir::create();
  const Result<Pipe> pipe = sys::pipe();
  if (!temp || !pipe) {
    return "no temporary directory";
  }
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string at = temp->path() + "/root";
    ::mkdir(at.c_str(), 0755);
    std::string failure = ::chdir(temp->path().c_str()) == 0 ? enter(root, at) : "chdir";
    if (failure.empty()) {
      step(at);
    }
    (void)sys::write_all(pipe->write_end.get(), as_bytes(failure));
    ::_exit(failure.empty() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    return "";
  }
  std::byte buffer[512];
  if (!WIFEXITED(status)) {
    return "the step crashed";
  }
  const Result<std::size_t> count = sys::read(pipe->read_end.get(), buffer);
  return count ? std::string(as_text(ByteSpan(buffer).first(*count))) : "unknown";
}

OverlayPlace::OverlayPlace() {
  RootMount root;
  root.upper = raw();
  root.work = dir_.path() + "/work";
  root.lower.push_back(dir_.path() + "/lower");
  for (const std::string& dir : {root.upper, root.work, root.lower.front(), path()}) {
    ::mkdir(dir.c_str(), 0755);
  }
  if (::unshare(CLONE_NEWNS) != 0) {
    problem_ = failure_of("unshare(CLONE_NEWNS), needs CAP_SYS_ADMIN");
    return;
  }
  const std::string options =
      "lowerdir=" + root.lower.front() + ",upperdir=" + root.upper + ",workdir=" + root.work;
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("overlay", path().c_str(), "overlay", 0, options.c_str()) != 0) {
    problem_ = failure_of(
        "mount overlay, needs CAP_SYS_ADMIN and a file system that can be its upper one");
  }
}

void OverlayPlace::unmount() {
  (void)::umount2(path().c_str(), MNT_DETACH);
}

OverlayPlace::~OverlayPlace() {
  unmount();
}

std::string overlay_problem() {
  const Result<TempDir> dir = TempDir::create();
  if (!dir) {
    return "no temporary directory";
  }
  RootMount root;
  root.upper = dir->path() + "/upper";
  root.work = dir->path() + "/work";
  ::mkdir(root.upper.c_str(), 0755);
  ::mkdir(root.work.c_str(), 0755);
  return run_in_root(root, [](const std::string&) {});
}

}  // namespace mybuild::snapshotter::testing
