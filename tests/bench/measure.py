# SPDX-License-Identifier: Apache-2.0
"""Running a command and saying what it cost; waiting until the rest of the machine is quiet."""
import ctypes
import os
import select
import shlex
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

QUIET_TICKS = 3  # hundredths of a CPU second in a quarter of a second


class Failed(Exception):
    """A command ended badly or took too long; the message is what its log says last."""


@dataclass
class Sample:
    wall_s: float
    cpu_s: float | None = None      # of the tool, its daemon and its containers
    other_cpu_s: float | None = None  # of everything else but the registries: noise
    sync_s: float = 0               # writing back what the tool left for later
    peak_rss_mb: float | None = None  # of all processes of the tool at one time, and never less than of its largest one
    state_mb: float | None = None
    output_mb: float | None = None
    wire_mb: float | None = None    # what the far lines have carried


@dataclass(frozen=True)
class AtOnce:
    """Stands for one command: several lists of commands, each gone through by a client of its own."""
    clients: list


class Groups:
    """Cgroups of this bench. All that a tool starts is in them: its CPU time can be read and none of it outlives us.
    Without a cgroup2 file system (or the right to write it) there are no figures of CPU time, and nothing else changes."""

    def __init__(self, name):
        self.name = name
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
        self.top = next((Path(fields[1], name) for fields in mounts if fields[2] == "cgroup2"), None)
        own = next((line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::")), "/")
        self.home = self.top and self.top.parent / own.lstrip("/")
        try:
            for child in ("tool", "registry"):
                (self.top / child).mkdir(parents=True, exist_ok=True)
            with self.inside("tool"):
                pass
        except (OSError, TypeError):
            self.top = None

    def parent(self, peer):
        """What a tool takes as the cgroup parent of its containers; some take it as the container's own."""
        return f"/{self.name}/{peer}"

    @contextmanager
    def inside(self, child):
        """Processes started in here belong to the child group."""
        if not self.top:
            yield
            return
        (self.top / child / "cgroup.procs").write_text(str(os.getpid()))
        try:
            yield
        finally:
            (self.home / "cgroup.procs").write_text(str(os.getpid()))

    def cpu_s(self, child=""):
        """CPU seconds used so far in the child group, or in all of them, also in those that are gone again."""
        return int((self.top / child / "cpu.stat").read_text().split()[1]) / 1e6 if self.top else None

    def kill(self, *spared):
        """Ends every process of all groups but the spared ones and waits for their end."""
        for group in [path for path in self.top.iterdir() if path.is_dir() and path.name not in spared] if self.top else ():
            for _ in range(200):
                if not group.exists() or "populated 0" in (group / "cgroup.events").read_text():
                    break
                kill_all(group)
                time.sleep(0.02)

    def remove(self):
        self.kill()
        for top in [*Path("/sys/fs/cgroup").glob(f"*/{self.name}"), Path("/sys/fs/cgroup", self.name)]:
            for where, _, _ in os.walk(top, topdown=False):
                try:
                    os.rmdir(where)
                except OSError:
                    pass  # a group of the kernel's own making, or one that is still emptying


def kill_all(group):
    if (group / "cgroup.kill").exists():
        (group / "cgroup.kill").write_text("1")
        return
    for pid in (group / "cgroup.procs").read_text().split():
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            pass


def run_command(command, log, environment, timeout):
    """What run() says of a command, or of all that are done at once."""
    if not isinstance(command, AtOnce):
        return run(command, log, environment, timeout)

    def client(number):
        own_log = log.with_name(f"{log.stem}-{number}{log.suffix}")
        own_log.unlink(missing_ok=True)
        return max(run(argv, own_log, environment, timeout)[1] for argv in command.clients[number])

    with ThreadPoolExecutor(len(command.clients)) as pool:
        start = time.perf_counter()
        largest = max(pool.map(client, range(len(command.clients))))
        return time.perf_counter() - start, largest


def run(argv, log, environment, timeout):
    """Runs the command in a process group of its own; (wall seconds, peak RSS in MB). Output goes to the file."""
    null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    os.write(out, f"$ {shlex.join(argv)}\n".encode())
    floor = forget_peak()
    start = time.perf_counter()
    try:
        pid = os.posix_spawnp(argv[0], argv, environment, setpgroup=0, file_actions=[
            (os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, out, 2)])
    except OSError as error:
        raise Failed(f"{argv[0]}: {error.strerror}") from None
    finally:
        os.close(null)
        os.close(out)
    status, usage = wait(pid, timeout)
    wall = time.perf_counter() - start
    if status is None:
        raise Failed(f"stopped after {timeout:.0f} s")
    if status:
        raise Failed(f"exit code {status}: {last_words(log)} (see {log})")
    rss = usage.ru_maxrss / 1024
    return wall, rss if rss > 1.02 * floor else 0


def forget_peak():
    """A child's peak starts from that of the process that it was spawned by. Makes this as small as it can be; returns it in MB,
    for a smaller figure says nothing of the child."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak_rss_mb("self")


def peak_rss_mb(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def wait(pid, timeout):
    """(exit code, usage) of the child, or (None, usage) of one that was killed for taking too long."""
    handle = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        in_time = poll.poll(timeout * 1000)
    except BaseException:  # interrupted: the child must not outlive us
        os.killpg(pid, signal.SIGKILL)
        os.wait4(pid, 0)
        raise
    finally:
        os.close(handle)
    if not in_time:
        os.killpg(pid, signal.SIGKILL)
    _, status, usage = os.wait4(pid, 0)
    return (os.waitstatus_to_exitcode(status) if in_time else None), usage


def last_words(log, length=200):
    lines = [line.strip() for line in Path(log).read_text(errors="replace").splitlines() if line.strip() and line[0] != "$"]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["no output"])[-1][-length:]


def sync(folder):
    """Writes back the folder's file system, and no other: what others have to write is not ours to wait for. Returns the seconds."""
    start = time.perf_counter()
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(handle):
            raise OSError(ctypes.get_errno(), f"syncfs of {folder}")
    finally:
        os.close(handle)
    return time.perf_counter() - start


def busy_ticks():
    """CPU time that all processes together have used, in hundredths of a second."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    user, nice, system, _, _, irq, softirq = map(int, fields[1:8])
    return user + nice + system + irq + softirq


def wait_for_quiet(longest):
    """Until the machine did next to nothing for a quarter of a second, but no longer than that many seconds."""
    end = time.monotonic() + longest
    while time.monotonic() < end:
        before = busy_ticks()
        time.sleep(0.25)
        if busy_ticks() - before <= QUIET_TICKS:
            return True
    return longest == 0


def megabytes(path):
    """Allocated blocks below a folder, on its own file system, each file once."""
    try:
        device, seen, total = os.lstat(path).st_dev, set(), 0
    except FileNotFoundError:
        return 0
    for where, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not os.path.ismount(os.path.join(where, name))]
        for name in names:
            try:
                info = os.lstat(os.path.join(where, name))
            except FileNotFoundError:
                continue
            if info.st_dev == device and info.st_ino not in seen:
                seen.add(info.st_ino)
                total += info.st_blocks * 512
    return round(total / 1e6, 1)
