#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Power cuts without a machine to switch off: the state directory is on a file system in a file, and that file on a btrfs. While builds
run, the file is cloned at a random moment, which is what a disk holds when the current goes: what the kernel had not written is not in
it. The clone is mounted in place of the file, mybuild sees another boot id, and what it says it has must be right.

    power_cuts.py --mybuild BINARY --base LAYOUT --work DIR --kind ext4|ext4-nodelalloc|ext4-writeback|btrfs|xfs [--rounds N] [--seconds N] [--seed N]

Needs root and a mount namespace of its own; the device is memory."""
import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import uuid

from state_world import Tally, World, descendants, in_time, usual_seed

KINDS = {  # how to make it, options of its mount; {} is a commit interval
    "ext4": (["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"], "commit={}"),
    "ext4-nodelalloc": (["mkfs.ext4", "-q", "-F"], "nodelalloc,commit={}"),
    "ext4-writeback": (["mkfs.ext4", "-q", "-F"], "data=writeback,noauto_da_alloc,commit={}"),
    "btrfs": (["mkfs.btrfs", "-q", "-f"], "commit={}"),
    "xfs": (["mkfs.xfs", "-q", "-f"], "nouuid"),
}


def call(*words):
    subprocess.run(words, check=True)


class Disk:
    """A file system that can lose its current."""

    def __init__(self, work, kind):
        self.make, self.options = KINDS[kind]
        self.memory, self.outer, self.path = (os.path.join(work, name) for name in ("memory", "outer", "disk"))
        for path in (self.memory, self.outer, self.path):
            os.makedirs(path)
        call("mount", "-t", "tmpfs", "-o", "size=4g", "tmpfs", self.memory)
        self._file(f"{self.memory}/outer.img", 4 << 30)
        call("mkfs.btrfs", "-q", f"{self.memory}/outer.img")
        call("mount", "-o", "loop", f"{self.memory}/outer.img", self.outer)
        self.image, self.clone = f"{self.outer}/disk.img", f"{self.outer}/clone.img"

    @staticmethod
    def _file(path, size):
        with open(path, "wb") as out:
            out.truncate(size)

    def format(self):
        self._file(self.image, 768 << 20)
        call(*self.make, self.image)

    def mount(self, rng):
        call("mount", "-o", "loop," + self.options.format(rng.choice((1, 1, 2, 5))), self.image, self.path)

    def freeze_frame(self):
        call("cp", "--reflink=always", self.image, self.clone)

    def unmount(self):
        deadline = time.monotonic() + 20
        while subprocess.run(["umount", self.path], stderr=subprocess.DEVNULL, check=False).returncode != 0:
            if time.monotonic() > deadline:
                sys.exit("the disk is still in use: " + subprocess.run(["grep", "-l", self.path, "-r", "/proc", "--include=mountinfo"], capture_output=True, text=True, check=False).stdout)
            time.sleep(0.05)

    def restart(self, rng):
        self.unmount()
        os.rename(self.clone, self.image)
        self.mount(rng)

    def close(self):
        for path in (self.path, self.outer, self.memory):
            subprocess.run(["umount", path], stderr=subprocess.DEVNULL, check=False)


class Cuts:
    def __init__(self, options):
        self.rng = random.Random(options.seed)
        self.world = World(options.mybuild, options.base, options.work)
        self.disk = Disk(self.world.work, options.kind)
        self.boot_file = self.world.path("boot_id")
        self.world.prefix = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"', self.boot_file]
        self.root = os.path.join(self.disk.path, "root")
        self.tally = Tally()
        self.fsck = self.world.has("fsck")

    def boot(self):
        with open(self.boot_file, "w", encoding="utf-8") as out:
            out.write(str(uuid.UUID(int=self.rng.getrandbits(128))) + "\n")

    def run_until(self, deadline):
        """Builds one after the other until the time comes; the last one is killed."""
        process, others = None, []
        while time.monotonic() < deadline:
            if process is None or process.poll() is not None:
                variant = self.rng.choice(list(self.world.wanted))
                flags = self.rng.choice([[], [], ["--no-cache"], ["--no-cache", "--no-early-cutoff"]])
                process = self.world.start(self.root, *self.world.build_words(variant, *flags, to=self.world.path("killed")))
                others.append(process)
            if self.rng.random() < 0.02:
                call("sync", "-f", self.disk.path)
            time.sleep(0.01)
        self.disk.freeze_frame()
        for pid in [process.pid, *descendants(process.pid)] if process else []:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for one in others:
            one.wait()

    def round(self, number):
        if number % 8 == 0:
            if number:
                self.disk.unmount()
            self.disk.format()
            self.disk.mount(self.rng)
        self.boot()
        self.run_until(time.monotonic() + self.rng.choice((0.5, 2, 7)) * self.rng.random())
        self.disk.restart(self.rng)
        self.boot()
        self.check(f"cut {number}")
        self.tally.count("cuts")

    def check(self, where):
        world = self.world
        listed = world.ask(self.root, "images", "--format", "{{.Repository}}:{{.Tag}}")
        self.tally.fault(where, listed.code and f"images: {listed.fault} {listed.says()}")
        if self.fsck and self.rng.random() < 0.3:
            done = world.ask(self.root, "fsck")
            self.tally.fault(where, done.code not in (0, 1) and f"fsck after the cut: {done.code} {done.log[-300:]}")
            self.tally.count(f"fsck right after a cut ended with {done.code}")
        for name in listed.log.split():
            if name.startswith("img:") and self.rng.random() < 0.7:
                self.image(where, int(name[4:]))
        for variant in self.rng.sample(list(world.wanted), 2):
            self.tally.fault(where, world.wrong_build(self.root, variant))
        left = world.left(self.root)
        self.tally.fault(where, "; ".join(left))
        if self.fsck:
            done = world.ask(self.root, "fsck")
            self.tally.fault(where, done.code and f"fsck after builds: {done.code} {done.log[-600:]}")

    def image(self, where, variant):
        """An image that the store has is right, or an error says why it is not there."""
        seen = self.world.look(self.root, variant)
        if seen.code == 0:
            self.tally.fault(where, self.world.wrong_look(seen.log, variant))
            self.tally.count("images right")
        else:
            self.tally.fault(where, seen.fault and f"run of img:{variant}: {seen.fault} {seen.log[-300:]}")
            self.tally.count("images lost")
            self.said = seen.says()


def main():
    parser = argparse.ArgumentParser()
    for name in ("--mybuild", "--base", "--work"):
        parser.add_argument(name, required=True)
    parser.add_argument("--kind", choices=KINDS, required=True)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--seed", type=int, default=usual_seed())
    options = parser.parse_args()
    cuts = Cuts(options)
    cuts.said = ""
    try:
        for number in in_time(range(options.rounds), options.seconds):
            cuts.round(number)
        if cuts.said:
            print(f"a lost image reads: {cuts.said}")
    finally:
        cuts.disk.close()
    shutil.rmtree(cuts.world.work, ignore_errors=True)
    sys.exit(cuts.tally.end(f"power cuts on {options.kind}, seed {options.seed}"))


if __name__ == "__main__":
    main()
