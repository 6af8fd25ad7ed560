# SPDX-License-Identifier: Apache-2.0
"""Bare runc on an unpacked root: what a container costs when nothing is prepared for it. It builds nothing."""
import json
import subprocess
import tarfile

from peers.place import Cannot, Peer, first_line


class Runc(Peer):
    name = "runc"

    def __init__(self, place):
        self.place = place
        self.environment = place.environment()
        self.binary = place.program("runc")
        self.missing = None if self.binary else "not installed"

    def version(self):
        return first_line([*self.place.prefix, self.binary, "--version"], self.environment)

    def reset(self):
        self.place.empty()

    def stop(self):
        pass

    def unpack(self, tar, argv):
        """Makes the bundle that run() starts; stands in for build()."""
        bundle = self.place.state / "bundle"
        bundle.mkdir()
        with tarfile.open(tar) as archive:
            archive.extractall(bundle / "rootfs", numeric_owner=True)
        subprocess.run([*self.place.prefix, self.binary, "spec", "--bundle", bundle], check=True, env=self.environment)
        spec = json.loads((bundle / "config.json").read_text())
        spec["process"].update(terminal=False, args=argv)
        spec["linux"]["cgroupsPath"] = f"{self.place.cgroup}/bench"
        (bundle / "config.json").write_text(json.dumps(spec))

    def build(self, job):
        raise Cannot("builds nothing")

    push = build

    def run(self, tag, argv):
        state = self.place.state
        return [[*self.place.prefix, self.binary, "--root", str(state / "run"), "run", "--bundle", str(state / "bundle"), "bench"]]
