#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills mybuild (the builder, its helpers, or all of them) at random times in whatever it does with a state directory; after each kill the
store is clean for fsck, nothing is left, and a build there gives what one in an empty state directory gives.

    crashes.py --mybuild BINARY --base LAYOUT --work DIR [--rounds N] [--seed N] [--seconds N] [--registry HOST:PORT/NAME]"""
import argparse
import os
import random
import shutil
import signal
import sys
import time

from state_world import Tally, World, descendants, in_time, list_dir, usual_seed


class Crashes:
    def __init__(self, options):
        self.rng = random.Random(options.seed)
        self.world = World(options.mybuild, options.base, options.work)
        self.root = self.world.path("root")
        self.registry = options.registry
        self.loaded = False
        self.tally = Tally()
        self.verbs = {verb for verb in ("fsck", "prune") if self.world.has(verb)}
        self.archive = self.world.path("saved.tar")
        root = self.world.path("clean")
        assert self.world.build(root, 0).code == 0 and self.world.ask(root, "save", "-o", self.archive, "img:0").code == 0
        shutil.rmtree(root)

    def victim(self):
        """Words of the command to kill, and for how long it may run before that."""
        rng, variant = self.rng, self.rng.choice(list(self.world.wanted))
        build = self.world.build_words(variant, *rng.choice([[], [], ["--no-cache"], ["--no-early-cutoff", "--no-cache"]]), to=self.world.path("killed"))
        choices = [(build, 0.45)] * 10 + [(["load", "-i", self.archive], 0.15), (["rmi", "-f", f"img:{variant}"], 0.03),
                                         (["run", "--rm", f"img:{variant}", "sh", "-c", "echo x >/app/x; sleep 0.05"], 0.15), (["save", "-o", self.world.path("again.tar"), f"img:{variant}"], 0.1)]
        choices += [(["pull", self.registry], 0.15)] * 3 if self.registry else []
        choices += [(["prune", "--force", *rng.choice([[], ["--all"]])], 0.1)] * 4 if "prune" in self.verbs else []
        choices += [(["fsck", "--repair"], 0.1)] if "fsck" in self.verbs else []
        return rng.choice(choices)

    def kill(self, process):
        """Which processes die is chance, too."""
        whom = self.rng.choice(("builder", "builder", "helpers", "all"))
        below = descendants(process.pid)
        for pid in {"builder": [process.pid], "helpers": below[:1], "all": [process.pid, *below]}[whom]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if whom == "helpers" and not below:
            return "nobody"
        return whom

    def round(self, number):
        if self.rng.random() < 0.3:
            shutil.rmtree(self.root, ignore_errors=True)
            self.loaded = False
        processes = []
        for _ in range(self.rng.choice((1, 1, 1, 2))):
            words, limit = self.victim()
            self.loaded |= words[0] == "load"
            processes.append((words[0], self.world.start(self.root, *words)))
        time.sleep(self.rng.random() * limit)
        killed = "+".join(f"{verb} {self.kill(process)}" for verb, process in processes)
        for verb, process in processes:
            self.tally.count(f"{verb} killed" if process.wait(60) < 0 else f"{verb} ended by itself")
        where = f"round {number} ({killed})"
        asked = self.world.ask(self.root, "images")
        self.tally.fault(where, asked.code and f"images: {asked.fault} {asked.says()}")
        self.tally.fault(where, "; ".join(self.world.left(self.root)))
        if "fsck" in self.verbs:
            done = self.world.ask(self.root, "fsck")
            self.tally.fault(where, done.code and f"fsck: {done.code} {done.log[-600:]}")
        self.tally.fault(where, self.world.wrong_build(self.root, self.rng.choice(list(self.world.wanted)), recompressed=self.loaded))
        self.tally.fault(where, "; ".join(self.world.left(self.root)))
        self.tally.count("rounds")

    def images(self):
        """All that the store says it has is what it should be."""
        listed = self.world.ask(self.root, "images", "--format", "{{.Repository}}:{{.Tag}}").log.split()
        for variant in (name[4:] for name in listed if name.startswith("img:")):
            self.tally.fault("images at the end", self.world.wrong_image(self.root, int(variant)))


def main():
    parser = argparse.ArgumentParser()
    for name in ("--mybuild", "--base", "--work"):
        parser.add_argument(name, required=True)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--seed", type=int, default=usual_seed())
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--registry")
    options = parser.parse_args()
    crashes = Crashes(options)
    for number in in_time(range(options.rounds), options.seconds):
        crashes.round(number)
        if number % 50 == 49:
            crashes.images()
            print(f"{number + 1} rounds, {crashes.tally.wrong} wrong", flush=True)
    crashes.images()
    containers = list_dir(os.path.join(crashes.root, "containers"))
    crashes.tally.fault("at the end", f"containers left: {containers}" if [name for name in containers if name[0] != "."] else "")
    sys.exit(crashes.tally.end(f"crashes, seed {options.seed}"))


if __name__ == "__main__":
    main()
