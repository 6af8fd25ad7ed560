# SPDX-License-Identifier: Apache-2.0
"""What the harness gives every tool: places for its files, its programs, its jobs, its daemon."""
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from disk import wipe


class Cannot(Exception):
    """The tool has no way to do this; the message says why."""


@dataclass(frozen=True)
class Output:
    kind: str        # store, blobs (the store, compressed for a push where the tool can do that), none, oci, oci-zstd or push
    where: str = ""  # a file, or the reference to push to


@dataclass(frozen=True)
class Job:
    context: Path
    tag: str
    output: Output = Output("store")
    cache_to: str = ""    # references in a registry
    cache_from: str = ""


@dataclass(frozen=True)
class Place:
    """Of one tool. `state` is on the disk for states; `scratch` has a path short enough for sockets."""
    state: Path
    scratch: Path
    log: Path
    groups: object
    registries: tuple
    path: str  # where programs are looked for
    root: object = None  # the RootFs that they are in, if it is not this machine's

    @property
    def cgroup(self):
        return self.groups.parent(self.state.name)

    @property
    def prefix(self):
        """What every command of the tool starts with."""
        return self.root.prefix if self.root else []

    def programs(self, name):
        """All of this name, in the order in which they are preferred."""
        paths = [os.path.join(folder, name) for folder in self.path.split(os.pathsep)]
        return [path for path in paths if (self.root.holds(path) if self.root else os.access(path, os.X_OK))]

    def program(self, name):
        return next(iter(self.programs(name)), None)

    def environment(self, **more):
        """Nothing of the user's own configuration."""
        keep = {key: value for key, value in os.environ.items() if key.startswith("LC_") or key == "LANG"}
        return {**keep, "PATH": self.path, "HOME": str(self.state / "home"), "TMPDIR": str(self.state / "tmp"), **more}

    def empty(self):
        wipe(self.state)
        for name in ("home", "tmp"):
            (self.state / name).mkdir()


class Peer:
    """What a tool need not say of itself."""
    daemon = None
    by_name = False
    only = None


class Daemon:
    """A server process of a tool, started in the tool's cgroup; stop() ends it and all that it started."""

    def __init__(self, place):
        self.place, self.process = place, None

    @property
    def pid(self):
        return self.process and self.process.pid

    def start(self, argv, environment, is_ready):
        with self.place.groups.inside("tool"), open(self.place.log, "ab") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd="/",
                                            process_group=0)
        for _ in range(400):
            if subprocess.run(is_ready, env=environment, capture_output=True, check=False).returncode == 0:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.stop()
        raise OSError(f"{argv[0]} does not come up, see {self.place.log}")

    def stop(self):
        if not self.process:
            return
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process = None
        self.place.groups.kill("registry")


def first_line(argv, environment):
    """The first line that the command prints, for versions."""
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    return next(iter((done.stdout or done.stderr).splitlines()), "unknown")
