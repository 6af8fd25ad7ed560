#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mybuild against a naive model of itself: after each of many random edits the same context is built in a state directory that
has seen all earlier ones, and in one that has seen nothing. What comes out must be the same but for times.

    naive.py --mybuild BINARY --base LAYOUT --work DIR [--seeds FIRST:COUNT] [--edits N]
    naive.py … --seed N --step K     one story again, up to the step that differed, with its context left in DIR
"""
import argparse
import os
import random
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass

import context as contexts
import dockerfile as dockerfiles
import image


@dataclass
class State:
    """All that a build is a function of."""
    context: contexts.Context
    dockerfile: dockerfiles.Dockerfile
    arguments: dict
    target: str = ""

    def copy(self):
        return State(self.context.copy(), self.dockerfile.copy(), dict(self.arguments), self.target)

    def flags(self):
        flags = [word for name, value in self.arguments.items() for word in ("--build-arg", f"{name}={value}")]
        return flags + (["--target", self.target] if self.target else [])


class Story:
    """One seed: a first state, and edits of it. Equal seeds tell equal stories, as long as the same builds fail."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.state = State(contexts.random_context(self.rng), dockerfiles.random_dockerfile(self.rng), {})
        self.told = []  # what could be built

    def next(self, built):
        """The next state, how to write it, flags for the warm build only, and what was done. `built` tells whether the last
        state led to an image (None: there was none): what failed is soon left."""
        rng = self.rng
        if built is None:
            done = "start"
        else:
            if built:
                self.told.append(self.state.copy())
            elif self.told and rng.random() < 0.7:
                self.state = self.told[-1].copy()
            done = self._edit(rng.random())
        stages = [stage.name for stage in self.state.dockerfile.stages]
        forced = rng.choice([[]] * 12 + [["--no-cache"], ["--no-cache-filter", rng.choice(stages)]])
        return self.state, rng.choice(contexts.STYLES + contexts.STYLES[:3]), forced, " ".join([done, *forced])

    def _edit(self, chance):
        rng, state = self.rng, self.state
        if chance < 0.12 and self.told:  # back to how it was: what is found now was made before the last edits
            self.state = rng.choice(self.told).copy()
            return "back to an earlier state"
        if chance < 0.20:
            state.arguments[rng.choice(("V0", "V1", "G0", "E0"))] = rng.choice(dockerfiles.VALUES)
            return "build argument"
        if chance < 0.24:
            state.arguments = {}
            return "no build arguments"
        if chance < 0.30:
            state.target = rng.choice([""] + [stage.name for stage in state.dockerfile.stages])
            return f"target {state.target}"
        if chance < 0.58:
            return dockerfiles.edit(state.dockerfile, rng)
        edit = rng.choice(contexts.EDITS)
        edit(state.context, rng)
        return edit.__name__


class Bench:
    """Builds in the directory `work`; the warm state stays, the cold one is new each time."""

    def __init__(self, options):
        self.options = options
        self.work = os.path.join(options.work, "naive")
        self.builds = self.failed = self.cached = self.ran = 0
        self.built = False  # the last warm build

    def path(self, *names):
        return os.path.join(self.work, *names)

    def start(self):
        shutil.rmtree(self.work, ignore_errors=True)
        os.makedirs(self.work)
        self.written = contexts.Context()

    def write(self, state, style):
        contexts.write(self.path("context"), self.written, state.context, style)
        self.written = state.context.copy()
        with open(self.path("Dockerfile"), "w", encoding="utf-8") as out:
            out.write(state.dockerfile.text())
        with open(self.path("Dockerfile.dockerignore"), "w", encoding="utf-8") as out:
            out.write("\n".join(state.dockerfile.ignore) + "\n")

    def build(self, root, state, *forced):
        """The image, or None if the build failed."""
        out = self.path("image")
        shutil.rmtree(out, ignore_errors=True)
        command = [self.options.mybuild, "build", "--progress", "plain", "--build-context", f"busybox=oci-layout://{self.options.base}",
                   "--build-context", f"extra={self.path('context', 'src')}", "-f", self.path("Dockerfile"), "-o", f"type=oci,dest={out},tar=false,compression=uncompressed",
                   *state.flags(), *forced, self.path("context")]
        done = subprocess.run(command, env={**os.environ, "MYBUILD_ROOT": self.path(root)}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
        self.log = done.stdout.decode(errors="replace")
        if done.returncode not in (0, 1):
            sys.exit(f"mybuild ended with {done.returncode}:\n{self.log}")
        if done.returncode:
            return None
        return image.read(out)

    def warm(self, state, *forced):
        made = self.build("warm", state, *forced)
        self.builds += 1
        self.built = made is not None
        self.failed += not self.built
        self.cached += self.log.count(" CACHED\n")
        self.ran += self.log.count(" DONE ")
        return made

    def cold(self, state):
        shutil.rmtree(self.path("cold"), ignore_errors=True)
        return self.build("cold", state)

    def compare(self, state, *forced):
        """Lines about what differs between the two builds of this state."""
        warm = self.warm(state, *forced)
        said = self.log
        cold = self.cold(state)
        if (warm is None) != (cold is None):
            return ["one build failed, the other did not", "--- warm:", said, "--- cold:", self.log]
        return [] if warm is None else image.difference(warm, cold)


def tell(bench, seed, steps, last=None):
    """The number of the first step that differs, or None. With `last` only that step is compared."""
    story = Story(seed)
    bench.start()
    history, built = [], None
    for step in range(steps):
        state, style, forced, done = story.next(built)
        history.append((state.copy(), style, done))
        bench.write(state, style)
        if last is not None and step != last:
            built = bench.warm(state, *forced) is not None
            continue
        lines = bench.compare(state, *forced)
        built = bench.built
        if lines:
            report(bench, seed, step, history, lines)
            return step
    return None


def report(bench, seed, step, history, lines):
    state, style, done = history[step]
    print(f"\nDIFFERENT: seed {seed}, step {step}: {done} (files written {style}); again with --seed {seed} --step {step}")
    print("\n".join(lines[:40]), flush=True)
    print("--- flags:", " ".join(state.flags()), "\n" + state.dockerfile.text())
    for before in reversed(range(step)):
        bench.start()
        for number in (before, step):
            bench.write(history[number][0], history[number][1])
            differs = bench.compare(history[number][0]) if number == step else bench.warm(history[number][0])
        if differs:
            print(f"the same happens with two builds: step {before}, then step {step}. Step {before}: {history[before][2]}, "
                  f"flags {' '.join(history[before][0].flags())}\n{history[before][0].dockerfile.text()}")
            return
    print("no earlier step alone leads to it")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mybuild", required=True)
    parser.add_argument("--base", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--seeds", default="1:10")
    parser.add_argument("--edits", type=int, default=30)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--step", type=int)
    options = parser.parse_args()
    os.umask(0o022)
    bench = Bench(options)
    if options.seed is not None:
        steps = options.edits if options.step is None else options.step + 1
        sys.exit(0 if tell(bench, options.seed, steps, options.step) is None else 1)
    first, count = (int(part) for part in options.seeds.split(":"))
    different, start = [], time.monotonic()
    for seed in range(first, first + count):
        step = tell(bench, seed, options.edits)
        different += [] if step is None else [(seed, step)]
        if (seed - first) % 10 == 9:
            print(f"{bench.builds} edits so far, {len(different)} differ", flush=True)
    seconds = time.monotonic() - start
    print(f"{bench.builds} edits, {count} seeds, {seconds:.0f} s: {bench.cached} steps cached, {bench.ran} run; "
          f"{bench.failed} builds failed both ways; {len(different)} differ {different or ''}")
    if bench.failed * 3 > bench.builds:
        sys.exit("most of the stories end in errors: the generator is no use like this")
    shutil.rmtree(bench.work, ignore_errors=True)
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
