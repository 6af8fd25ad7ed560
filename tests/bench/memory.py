# SPDX-License-Identifier: Apache-2.0
"""The memory of a whole tool: the most that all its processes together had at one time. The programs of steps are not the tool's."""
import os
import threading
import time
from pathlib import Path

INTERVAL = 0.02
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / (1 << 20)


class Watch:
    """Samples the processes of a cgroup from a thread of its own, from `with` to its end. `own_cpu_s` is what that has cost."""

    def __init__(self, group):
        self.group, self.peak_mb, self.own_cpu_s = group, 0.0, 0.0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.sample_until_end, daemon=True)

    def __enter__(self):
        if self.group:
            self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        if self.group:
            self.thread.join()

    def sample_until_end(self):
        while not self.ended.wait(INTERVAL):
            pids = tool_processes(self.group)
            # Resident sizes count a page once for each process that maps it: an upper bound that is cheap to read.
            if sum(map(resident_mb, pids)) > self.peak_mb:
                self.peak_mb = max(self.peak_mb, sum(map(proportional_mb, pids)))
            self.own_cpu_s = time.thread_time()


def tool_processes(group):
    """Those of the group and the groups below it that are neither this process nor in a pid namespace of a container."""
    here, own = pid_namespace("self"), os.getpid()
    pids = []
    for where, _, _ in os.walk(group):
        try:
            pids += map(int, Path(where, "cgroup.procs").read_text().split())
        except OSError:
            continue
    return [pid for pid in pids if pid != own and pid_namespace(pid) == here]


def pid_namespace(pid):
    try:
        return os.stat(f"/proc/{pid}/ns/pid").st_ino
    except OSError:
        return None


def resident_mb(pid):
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_MB
    except (OSError, IndexError):
        return 0.0


def proportional_mb(pid):
    """A page that several processes map counts in parts."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024
