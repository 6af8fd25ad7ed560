# SPDX-License-Identifier: Apache-2.0
"""buildah and podman: two programs on the same libraries, without a daemon."""
import re
import resource

from peers.place import Cannot, Peer, first_line


def modest(resource_name):
    """The defaults of both tools ask for more than a root without CAP_SYS_RESOURCE may have."""
    _, hard = resource.getrlimit(resource_name)
    return 16384 if hard == resource.RLIM_INFINITY else min(hard, 16384)


class Containers(Peer):
    """What both have in common; `extra` are the global options of one of them."""

    def __init__(self, place, extra):
        self.place = place
        self.binary = place.program(self.name)
        runtime = place.program("runc")  # crun refuses machines with both cgroup hierarchies
        self.missing = None if self.binary and runtime else "not installed"
        self.runtime = ["--runtime", runtime]
        self.environment = place.environment()
        self.command = [*place.prefix, self.binary, "--root", f"{place.state}/storage", "--runroot", f"{place.state}/run",
                        "--storage-driver", "overlay", *extra]
        files, processes = (modest(limit) for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC))
        self.step = ["--network", "host", "--ulimit", f"nofile={files}:{files}", "--ulimit", f"nproc={processes}:{processes}"]

    def version(self):
        return first_line([*self.place.prefix, self.binary, "--version"], self.environment)

    def reset(self):
        self.place.empty()

    def stop(self):
        pass

    def build(self, job):
        cache = [word for flag, ref in (("--cache-to", job.cache_to), ("--cache-from", job.cache_from)) if ref
                 for word in (flag, ref.rsplit(":", 1)[0])]
        # Steps take it as their own group, which must have nobody else in it: one for each of several builds at once.
        group = f"{self.place.cgroup}-{re.sub('[^a-z0-9]+', '-', job.tag)}"
        build = [*self.command, "build", *self.runtime, *self.step, "--cgroup-parent", group, "--layers",
                 "--tls-verify=false", *cache, "-t", job.tag, str(job.context)]
        return [build, *self.save(job)]

    def save(self, job):
        kind, where = job.output.kind, job.output.where
        if kind == "none":
            raise Cannot("always stores the image")
        if kind in ("store", "blobs"):
            return []
        if kind == "push":
            return self.push(job)
        zstd = ["--compression-format", "zstd"] if kind == "oci-zstd" else []
        return [[*self.command, "push", "-q", *zstd, job.tag, f"oci-archive:{where}"]]

    def push(self, job):
        return [[*self.command, "push", "-q", "--tls-verify=false", job.tag, f"docker://{job.output.where}"]]


class Buildah(Containers):
    name = "buildah"

    def __init__(self, place):
        super().__init__(place, [])

    def run(self, tag, argv):
        raise Cannot("runs steps, not images")


class Podman(Containers):
    name = "podman"

    def __init__(self, place):
        conmon = place.program("conmon")
        super().__init__(place, ["--cgroup-manager", "cgroupfs", "--events-backend", "none", "--runtime", place.program("runc"),
                                 "--conmon", conmon, "--tmpdir", f"{place.state}/libpod"])
        if not conmon:
            self.missing = "not installed"
        self.runtime = []  # podman takes it before the verb

    def run(self, tag, argv):
        parent = self.place.cgroup + "-run"
        return [[*self.command, "run", "--rm", *self.step, "--cgroup-parent", parent, tag, *argv]]
