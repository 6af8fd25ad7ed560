# SPDX-License-Identifier: Apache-2.0
"""docker with the BuildKit in its daemon. The daemon is a private one, on a socket of its own, with no bridge and no rules in the
machine's firewall; one that runs already is left alone."""
import re

from peers import inflate
from peers.place import Cannot, Daemon, Peer, first_line


class Docker(Peer):
    name = "docker"

    def __init__(self, place):
        self.place, self.server = place, Daemon(place)
        self.environment = place.environment(DOCKER_BUILDKIT="1", BUILDKIT_PROGRESS="plain", **inflate.OWN)
        self.dockerd = place.program("dockerd")
        self.client = self.find_client()
        helpers = all(place.program(name) for name in ("containerd", "runc"))
        self.missing = None if self.dockerd and helpers else "not installed"
        if not self.missing and not self.client:
            self.missing = "no client that can use BuildKit (buildx)"
        self.socket = f"unix://{place.scratch}/docker.sock"

    def find_client(self):
        """One that is old enough to have BuildKit's client inside, or has the plugin buildx."""
        for client in self.place.programs("docker"):
            release = re.search(r"version (\d+)", self.answer(client, "--version"))
            if (release and int(release[1]) < 23) or "/buildx " in self.answer(client, "buildx", "version"):
                return client
        return None

    def answer(self, *argv):
        return first_line([*self.place.prefix, *argv], self.environment)

    @property
    def daemon(self):
        return self.server.pid

    @property
    def command(self):
        return [*self.place.prefix, self.client, "-H", self.socket]

    def version(self):
        return self.answer(self.dockerd, "--version")

    def reset(self):
        self.stop()
        self.place.empty()
        state = self.place.state
        insecure = [word for address in self.place.registries for word in ("--insecure-registry", address)]
        self.server.start(
            [*self.place.prefix, self.dockerd, "--data-root", f"{state}/root", "--pidfile", f"{state}/pid",
             "--exec-root", f"{self.place.scratch}/docker", "-H", self.socket, "--cgroup-parent", self.place.cgroup, "--exec-opt",
             "native.cgroupdriver=cgroupfs", "--storage-driver", "overlay2", "--bridge=none", "--iptables=false",
             "--ip6tables=false", "--ip-forward=false", "--containerd-namespace", "bench", *insecure],
            self.environment, [*self.command, "version"])

    def stop(self):
        self.server.stop()

    def build(self, job):
        kind, where = job.output.kind, job.output.where
        cache = self.inline_cache(job)
        if kind in ("none", "oci-zstd"):
            raise Cannot("always stores the image" if kind == "none" else "saves no zstd layers")
        build = [*self.command, "build", "--network=host", *cache, "-t", job.tag, str(job.context)]
        if kind == "oci":  # an uncompressed archive: all that it can
            return [build, [*self.command, "save", "-o", where, job.tag]]
        return [build, *(self.push(job) if kind == "push" else [])]

    def inline_cache(self, job):
        """Its default builder exports no cache but that in an image that is pushed."""
        if not job.cache_to and not job.cache_from:
            return []
        if job.output.kind != "push":
            raise Cannot("its default builder exports no cache but with the image")
        where = ["--cache-from", f"type=registry,ref={job.output.where}"] if job.cache_from else []
        return [*where, "--cache-to", "type=inline"] if job.cache_to else where

    def push(self, job):
        return [[*self.command, "tag", job.tag, job.output.where], [*self.command, "push", "-q", job.output.where]]

    def run(self, tag, argv):
        return [[*self.command, "run", "--rm", "--network=host", tag, *argv]]


class DockerIgzip(Docker):
    """With a faster inflate than its own on its PATH."""
    name = "docker-igzip"
    only = inflate.WORKLOADS

    def __init__(self, place):
        super().__init__(place)
        self.environment = place.environment(DOCKER_BUILDKIT="1", BUILDKIT_PROGRESS="plain")
        self.missing = self.missing or inflate.prefer(self.environment, place)
