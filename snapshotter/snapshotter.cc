// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/snapshotter.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/log.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/native/native.h"
#include "snapshotter/overlay/overlay.h"
#include "snapshotter/whiteout.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include <optional>

namespace mybuild::snapshotter {

namespace {

constexpr std::string_view kWorks = "overlay works";

std::string effective_capabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2] = {};
  (void)::syscall(SYS_capget, &header, data);
  return fmt::format("{:08x}{:08x}", data[1].effective, data[0].effective);
}

/// All that the probe's answer depends on: boot, kernel, file system, user namespace and rights.
Result<std::string> circumstances(const std::string& directory) {
  struct utsname name {};
  (void)::uname(&name);
  std::string boot = TRY(read_file("/proc/sys/kernel/random/boot_id"));
  boot.resize(boot.find_last_not_of('\n') + 1);
  const std::string user_namespace = TRY(sys::readlink_at(AT_FDCWD, "/proc/self/ns/user"));
  const struct stat info = TRY(sys::stat_at(AT_FDCWD, directory));
  return fmt::format("{} {} {} {} {} {}", boot, name.release, info.st_dev, user_namespace,
                     ::geteuid(), effective_capabilities());
}

/// Two lines: circumstances, answer.
std::optional<std::string> remembered(const std::string& path, const std::string& wanted) {
  const Result<std::string> text = read_note(path);
  if (!text || !text->starts_with(wanted + "\n")) {
    return std::nullopt;
  }
  return text->substr(wanted.size() + 1);
}

Error explain(Error error) {
  if (error.kind() != ErrorKind::Denied) {
    return error;
  }
  return std::move(error)
      .context("build steps need the right to make namespaces and mounts (CAP_SYS_ADMIN)")
      .with_hint(
          "run as root, or allow unprivileged user namespaces (kernel.unprivileged_userns_clone=1, "
          "user.max_user_namespaces > 0); inside a container start it with "
          "--cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt "
          "apparmor=unconfined, "
          "or --privileged");
}

}  // namespace

Result<std::unique_ptr<Snapshotter>> choose_snapshotter(const std::string& directory,
                                                        const OverlayProbe& try_overlay) {
  const std::string path = join_path(directory, "snapshotter");
  const std::string now = TRY(circumstances(directory));
  std::optional<std::string> answer = remembered(path, now);
  if (!answer) {
    Result<std::string> reason = try_overlay(directory);
    if (!reason) {
      return explain(std::move(reason).error());
    }
    if (reason->empty() && !TRY(holds_overlay_marks(directory))) {
      *reason = "this process cannot make overlayfs' marks of deletions there";
    }
    answer = reason->empty() ? std::string(kWorks) : *reason;
    AtomicFile file = TRY(AtomicFile::create(path));
    TRY(file.write(as_bytes(now + "\n" + *answer)));
    TRY(std::move(file).commit());
  }
  if (*answer == kWorks) {
    return make_overlay_snapshotter();
  }
  log::debug("overlay does not work in {} ({}), root file systems are copied", directory, *answer);
  return make_native_snapshotter();
}

}  // namespace mybuild::snapshotter
