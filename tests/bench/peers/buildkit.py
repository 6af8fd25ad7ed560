# SPDX-License-Identifier: Apache-2.0
"""BuildKit itself: buildkitd with its OCI worker, driven by buildctl."""
from peers import inflate
from peers.place import Cannot, Daemon, Peer, first_line

STORED = ["--output", "type=image,name={tag}"]  # always compressed
OUTPUTS = {"none": [], "store": STORED, "blobs": STORED, "oci": ["--output", "type=oci,dest={where}"],
           "oci-zstd": ["--output", "type=oci,compression=zstd,dest={where}"],
           "push": ["--output", "type=image,name={where},push=true"]}


class BuildKit(Peer):
    name = "buildkit"

    def __init__(self, place):
        self.place, self.server = place, Daemon(place)
        self.environment = place.environment(**inflate.OWN)
        self.buildkitd, self.buildctl = place.program("buildkitd"), place.program("buildctl")
        self.missing = None if self.buildkitd and self.buildctl and place.program("runc") else "no buildkitd and buildctl"
        self.socket = f"unix://{place.scratch}/buildkit.sock"

    @property
    def daemon(self):
        return self.server.pid

    @property
    def command(self):
        return [self.buildctl, "--addr", self.socket]

    def version(self):
        return first_line([self.buildkitd, "--version"], self.environment)

    def reset(self):
        self.stop()
        self.place.empty()
        config = self.place.state / "buildkitd.toml"
        config.write_text(f'root = "{self.place.state}/root"\n[grpc]\n  address = ["{self.socket}"]\n[worker.containerd]\n'
                          '  enabled = false\n[worker.oci]\n  enabled = true\n  binary = "runc"\n'
                          f'  defaultCgroupParent = "{self.place.cgroup.lstrip("/")}"\n'
                          + "".join(f'[registry."{address}"]\n  http = true\n' for address in self.place.registries))
        self.server.start([self.buildkitd, "--config", str(config)], self.environment, [*self.command, "debug", "workers"])

    def stop(self):
        self.server.stop()

    def build(self, job):
        output = [word.format(tag=job.tag, where=job.output.where) for word in OUTPUTS[job.output.kind]]
        if job.cache_to:
            output += ["--export-cache", f"type=registry,ref={job.cache_to},mode=max"]
        if job.cache_from:
            output += ["--import-cache", f"type=registry,ref={job.cache_from}"]
        return [[*self.command, "build", "--progress=plain", "--frontend", "dockerfile.v0", "--local", f"context={job.context}",
                 "--local", f"dockerfile={job.context}", *output]]

    def push(self, job):
        return self.build(job)

    def run(self, tag, argv):
        raise Cannot("runs no images")


class BuildKitIgzip(BuildKit):
    """With a faster inflate than its own on its PATH."""
    name = "buildkit-igzip"
    only = inflate.WORKLOADS

    def __init__(self, place):
        super().__init__(place)
        self.environment = place.environment()
        self.missing = self.missing or inflate.prefer(self.environment, place)
