#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Takes away what mybuild needs, a little more each time: bytes and inodes of its disk, file descriptors, the right to write. Each command
then works or says what failed and where; when there is room again, the store is clean and builds give what they give from nothing.

    scarcity.py --mybuild BINARY --base LAYOUT --work DIR --of bytes|inodes|descriptors|writes [--steps N] [--registry HOST:PORT/NAME]

Needs root and a mount namespace of its own."""
import argparse
import os
import shutil
import subprocess
import sys
from collections import Counter

from state_world import Tally, World


class Scarcity:
    def __init__(self, options):
        self.options = options
        self.world = world = World(options.mybuild, options.base, options.work, variants=2, files=12)
        self.disk = world.path("disk")
        self.root = os.path.join(self.disk, "root")
        self.archive = world.path("saved.tar")
        os.makedirs(self.disk)
        self.tally, self.said = Tally(), Counter()
        self.fsck = world.has("fsck")
        self.must("build of an archive", world.build(world.path("clean"), 0))
        self.must("save", world.ask(world.path("clean"), "save", "-o", self.archive, "img:0"))
        shutil.rmtree(world.path("clean"))

    @staticmethod
    def must(what, done):
        assert done.code == 0, f"{what}: {done.log}"
        return done

    def mount(self, options):
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.disk], check=True)

    def remount(self, options):
        subprocess.run(["mount", "-o", f"remount,{options}", self.disk], check=True)

    def unmount(self):
        for _ in range(100):
            if subprocess.run(["umount", self.disk], stderr=subprocess.DEVNULL, check=False).returncode == 0:
                return
        subprocess.run(["umount", "-l", self.disk], check=True)

    def used(self):
        info = os.statvfs(self.disk)
        return (info.f_blocks - info.f_bfree) * info.f_frsize, info.f_files - info.f_ffree

    def commands(self):
        """Name, words. `build` first: the others may need its image."""
        found = [("build", self.world.build_words(0)), ("build other", self.world.build_words(1)), ("load", ["load", "-i", self.archive]),
                 ("run", ["run", "--rm", "img:0", "sh", "-c", "echo x >/x && cp -r /app /copy"]), ("save", ["save", "-o", os.path.join(self.disk, "saved.tar"), "img:0"]),
                 ("export", ["build", "--build-context", f"busybox=oci-layout://{self.world.base}", "-o", f"type=local,dest={self.disk}/files", self.world.path("ctx0")]),
                 ("tag", ["tag", "img:0", "img:again"]), ("du", ["du"]), ("images", ["images"]), ("ps", ["ps", "-a"]), ("volume", ["volume", "create", "vol"]), ("rmi", ["rmi", "-f", "img:0"])]
        if self.options.registry:
            found.insert(2, ("pull", ["pull", self.options.registry]))
        found += [("prune", ["prune", "--all", "--force"])] if self.world.has("prune") else []
        return found + ([("fsck", ["fsck"])] if self.fsck else [])

    def judge(self, where, done, reason):
        """A command that could not: it says so, and `reason` is among its words."""
        self.tally.count("works" if done.code == 0 else "says why not")
        self.tally.fault(where, done.fault and f"{done.fault}: {done.log[-700:]}")
        if done.code and not done.fault:
            self.said[done.says()] += 1
            if not any(one in done.log for one in reason):
                self.tally.fault(where, f"does not say why: {done.log[-700:]}")

    def after(self, where):
        """There is enough again."""
        left = self.world.left(self.root)
        self.must(where, self.world.ask(self.root, "images"))
        left = self.world.left(self.root)
        self.tally.fault(where, left and f"left: {left}")
        if self.fsck:
            done = self.world.ask(self.root, "fsck")
            self.tally.fault(where, done.code and f"fsck ends with {done.code}: {done.log[-500:]}")
        for variant in (0, 1):
            self.tally.fault(where, self.world.wrong_build(self.root, variant))

    # --- bytes and inodes ---

    def disk_full(self, kind):
        """From nothing to enough for everything, on an empty directory and on one that has an image."""
        name, large = ("size", "64m") if kind == "bytes" else ("nr_inodes", "100000")
        self.mount(f"size=64m,nr_inodes=100000")
        os.makedirs(self.root)
        for _, words in self.commands():
            self.world.ask(self.root, *words)
        most = self.used()[0 if kind == "bytes" else 1]
        self.unmount()
        reason = ("No space left on device", "disk is full", "database or disk is full", "SQLITE_FULL")
        for step in range(self.options.steps):
            for begun in (False, True):
                self.mount(f"size=64m,nr_inodes=100000")
                os.makedirs(self.root)
                if begun:
                    self.must("build", self.world.build(self.root, 0))
                least = self.used()[0 if kind == "bytes" else 1] if begun else 3
                room = least + (most - least) * step // self.options.steps
                self.remount(f"{name}={room}")
                for verb, words in self.commands():
                    if verb in ("run", "save", "tag", "rmi") and "img:0" not in self.world.ask(self.root, "images", "--format", "{{.Repository}}:{{.Tag}}").log:
                        continue
                    done = self.world.ask(self.root, *words)
                    self.judge(f"{verb} with {name}={room}, begun: {begun}", done, reason)
                    if verb == "prune" and begun:  # or nothing would ever get room again
                        self.tally.fault(f"prune with {name}={room}", done.code and done.says())
                self.remount(f"{name}={large}")
                self.after(f"after {name}={room}, begun: {begun}")
                self.unmount()

    # --- descriptors ---

    def descriptors(self):
        self.mount("size=400m")
        reason = ("Too many open files", "unable to open database file", "error while loading shared libraries", "resource")
        limits = sorted({int(8 * 1.07**step) for step in range(200 // max(1, 60 // self.options.steps)) if 8 * 1.07**step < 300})
        limits = limits[:: max(1, len(limits) // self.options.steps)]
        for limit in limits:
            shutil.rmtree(self.root, ignore_errors=True)
            for begun in (False, True):
                if begun:
                    self.must("build", self.world.build(self.root, 0))
                for verb, words in self.commands():
                    if verb in ("run", "save", "tag", "rmi") and not begun:
                        continue
                    done = self.world.ask(self.root, *words, prefix=("prlimit", f"--nofile={limit}", "--"))
                    if done.code not in (126, 127) or "loading shared libraries" not in done.log:
                        self.judge(f"{verb} with {limit} descriptors, begun: {begun}", done, reason)
                self.after(f"after {limit} descriptors, begun: {begun}")
        self.unmount()

    # --- writes ---

    def writes(self):
        """Empty, built, and with a container that has stopped."""
        reason = ("Read-only file system", "readonly database", "read-only")
        for state in ("empty", "built"):
            self.mount("size=64m")
            os.makedirs(self.root, 0o700)
            if state == "built":
                self.must("build", self.world.build(self.root, 0))
                self.must("run", self.world.ask(self.root, "run", "--name", "box", "img:0", "true"))
            self.remount("ro")
            for verb, words in [*self.commands(), ("start", ["start", "-a", "box"]), ("rm", ["rm", "box"]), ("history", ["history", "img:0"]), ("inspect", ["inspect", "img:0"])]:
                done = self.world.ask(self.root, *words)
                if state == "empty" and verb in ("run", "save", "tag", "rmi", "start", "rm", "history", "inspect") and "img:0" in done.log + "box":
                    self.tally.fault(f"{verb}, read-only and {state}", done.fault and f"{done.fault}: {done.log[-500:]}")
                    continue
                self.judge(f"{verb}, read-only and {state}", done, reason)
            self.remount("rw")
            self.world.ask(self.root, "rm", "-f", "box")
            self.after(f"writable again, {state}")
            self.unmount()


def main():
    parser = argparse.ArgumentParser()
    for name in ("--mybuild", "--base", "--work"):
        parser.add_argument(name, required=True)
    parser.add_argument("--of", choices=("bytes", "inodes", "descriptors", "writes"), required=True)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--registry")
    scarcity = Scarcity(options := parser.parse_args())
    {"bytes": lambda: scarcity.disk_full("bytes"), "inodes": lambda: scarcity.disk_full("inodes"),
     "descriptors": scarcity.descriptors, "writes": scarcity.writes}[options.of]()
    for text, number in scarcity.said.most_common():
        print(f"said {number} times: {text}")
    sys.exit(scarcity.tally.end(f"scarcity of {options.of}"))


if __name__ == "__main__":
    main()
