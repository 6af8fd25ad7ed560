# SPDX-License-Identifier: Apache-2.0
"""This project's own builder, and the same on one core."""
import os
import subprocess
from functools import cached_property

from peers.place import Cannot, Peer, first_line

OUTPUTS = {"store": [], "blobs": ["--output", "type=image,compression=gzip"], "none": ["--output", "type=cacheonly"],
           "oci": ["--output", "type=oci,dest={}"], "oci-zstd": ["--output", "type=oci,compression=zstd,dest={}"], "push": ["--output", "type=registry,name={}"]}


class Mybuild(Peer):
    name = "mybuild"

    def __init__(self, place, binary):
        self.place, self.binary = place, binary
        self.environment = place.environment()
        self.missing = None if binary else "no binary was given"
        self.command = [binary, "--root", str(place.state / "root")]

    def version(self):
        return first_line([self.binary, "version"], self.environment)

    def reset(self):
        self.place.empty()

    def stop(self):
        pass

    @cached_property
    def help(self):
        return subprocess.run([self.binary, "build", "--help"], capture_output=True, text=True, check=True).stdout

    def build(self, job):
        cache = []
        if job.cache_to:
            cache += ["--cache-to", f"type=registry,ref={job.cache_to},mode=max"]
        if job.cache_from:
            cache += ["--cache-from", f"type=registry,ref={job.cache_from}"]
        for flag in [flag for flag in cache[::2] if f" {flag} " not in self.help]:
            raise Cannot(f"no {flag} yet")
        output = [word.format(job.output.where) for word in OUTPUTS[job.output.kind]]
        return [[*self.command, "build", "--progress", "plain", "-t", job.tag, *cache, *output, str(job.context)]]

    def push(self, job):
        return self.build(job)

    def run(self, tag, argv):
        return [[*self.command, "run", "--rm", tag, *argv]]


class OneCore(Mybuild):
    name = "mybuild-1core"
    by_name = True

    def __init__(self, place, binary):
        super().__init__(place, binary)
        self.command = ["taskset", "-c", str(min(os.sched_getaffinity(0))), *self.command]
