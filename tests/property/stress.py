#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many builders at once on one state directory: random states of a small family, so that builds are equal, overlap or have nothing
in common; some forced, some killed. Each image is compared with what a build from nothing gives, and when all have ended nothing of
them may be left: no mount, no process, no lock, no draft.

    stress.py --mybuild BINARY --base LAYOUT --work DIR [--processes 10] [--builds 50] [--states 30] [--seed N] [--kill 0.15]
"""
import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import context as contexts
import image
import naive

# Steps that take their time, so that others meet them; each stage but the last is shared by several states. Whose wave is a new one
# is found nowhere, and gives what it gave before.
FAMILY = """FROM busybox AS base
WORKDIR /w
RUN --mount=type=cache,target=/c,id=stress,sharing=locked sleep 0.2; echo kept >/c/base; : @WAVE@; echo base >base
FROM base AS left
COPY src/a.txt lib/keep left/
RUN --mount=type=cache,target=/c,id=stress sleep 0.{left}; cat left/* >sum; echo {left} >which
FROM base AS right
RUN sleep 0.{right}; echo {right} >right
COPY --from=left /w/sum .
FROM busybox
COPY --from=left /w /left
COPY --from=right /w /right
RUN --mount=type=bind,from=left,source=/w,target=/m sleep 0.1; cat /m/* 2>/dev/null | cksum >/sum; echo {last} >/last
"""
WAVE = re.compile(r"wave\d+")
LIMIT = 150  # seconds that one build may take; equal steps of ten builds on two processors take their time


class State:
    """What is built: files, the text of a Dockerfile, its ignore file, flags."""

    def __init__(self, context, text, ignore=(), flags=()):
        self.context, self.text, self.ignore, self.flags = context, text, ignore, list(flags)


def family(rng, count):
    """Half of them are of FAMILY, half are one story with an edit between each two."""
    first = contexts.random_context(rng)
    changed = first.copy()
    contexts.edit_content(changed, rng)
    changed.put("src/a.txt", contexts.Node("file", "changed\n"))
    states = []
    for number in range(count // 2):
        text = FAMILY.format(left=rng.choice((1, 3)), right=rng.choice((1, 2)), last=number % 4)
        states.append(State(rng.choice((first, changed)).copy(), text))
    story, built = naive.Story(rng.randrange(1 << 30)), None
    while len(states) < count:
        state = story.next(built)[0].copy()
        built = True
        states.append(State(state.context, state.dockerfile.text(), state.dockerfile.ignore, state.flags()))
    return states


class Place:
    """A directory with a context that is changed from state to state."""

    def __init__(self, options, path):
        self.options, self.path, self.log = options, path, ""
        os.makedirs(path)
        self.written = contexts.Context()

    def at(self, *names):
        return os.path.join(self.path, *names)

    def write(self, state, style, wave=0):
        contexts.write(self.at("context"), self.written, state.context, style)
        self.written = state.context.copy()
        with open(self.at("Dockerfile"), "w", encoding="utf-8") as out:
            out.write(state.text.replace("@WAVE@", f"wave{wave}"))
        with open(self.at("Dockerfile.dockerignore"), "w", encoding="utf-8") as out:
            out.write("\n".join(state.ignore) + "\n")

    def start(self, root, state, *forced):
        shutil.rmtree(self.at("image"), ignore_errors=True)
        command = [self.options.mybuild, "build", "--progress", "plain", "--build-context", f"busybox=oci-layout://{self.options.base}",
                   "--build-context", f"extra={self.at('context', 'src')}", "-f", self.at("Dockerfile"),
                   "-o", f"type=oci,dest={self.at('image')},tar=false,compression=uncompressed", *state.flags, *forced, self.at("context")]
        with open(self.at("log"), "wb") as log:
            return subprocess.Popen(command, env={**os.environ, "MYBUILD_ROOT": root}, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def end(self, process):
        """The exit code, None when it did not end in time; `log` is what it said."""
        try:
            status = process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            status = None
            process.kill()
            process.wait()
        with open(self.at("log"), encoding="utf-8", errors="replace") as log:
            self.log = log.read()
        return status

    def made(self):
        made = image.read(self.at("image"))
        return {**made, "config": json.loads(WAVE.sub("wave", json.dumps(made["config"])))}


class Stress:
    def __init__(self, options):
        self.options = options
        self.work = os.path.join(options.work, "stress")
        shutil.rmtree(self.work, ignore_errors=True)
        os.makedirs(self.work)
        self.root = os.path.join(self.work, "root")
        rng = random.Random(options.seed)
        self.states = family(rng, options.states)
        self.expected = {}
        self.lock = threading.Lock()
        self.counts = Counter()
        self.started = 0
        self.wrong = []
        self.can_prune = options.prune and self.has_verb("prune")

    def has_verb(self, verb):
        done = subprocess.run([self.options.mybuild, verb, "--help"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return f"mybuild {verb}" in done.stdout.decode(errors="replace")

    def expect_all(self):
        """What builds from nothing give; None for a state that fails."""
        for number, state in enumerate(self.states):
            place = Place(self.options, os.path.join(self.work, f"cold{number}"))
            place.write(state, "all anew")
            status = place.end(place.start(place.at("root"), state))
            if status not in (0, 1):
                sys.exit(f"state {number} ended with {status}:\n{place.log}")
            self.expected[number] = place.made() if status == 0 else None
            shutil.rmtree(place.path)

    def note(self, what, number, place, lines):
        with self.lock:
            self.counts[what] += 1
            self.wrong.append(what)
            print(f"\n{what}: state {number}\n" + "\n".join(lines[:30]) + f"\n--- log of {place.path}:\n{place.log}\n--- Dockerfile:\n{self.states[number].text}", flush=True)

    def judge(self, number, status, place, may_fail):
        with self.lock:
            self.counts["builds"] += 1
            self.counts["steps cached"] += place.log.count(" CACHED\n")
            self.counts["steps run"] += place.log.count(" DONE ")
            self.counts["waits for a step"] += place.log.count("waiting for the same step")
            self.counts["waits for a cache mount"] += place.log.count("waiting for the cache mount")
        if status is None:
            self.note("DEADLOCK", number, place, ["it did not end in time"])
        elif status == 0 and self.expected[number] is None:
            self.note("WRONG", number, place, ["it fails when nothing is cached"])
        elif status == 0:
            lines = image.difference(place.made(), self.expected[number])
            if lines:
                self.note("WRONG", number, place, lines)
        elif not may_fail and self.expected[number] is not None:
            self.note("FAILED", number, place, [f"exit code {status}"])

    def worker(self, me):
        rng = random.Random(self.options.seed * 1000 + me)
        place = Place(self.options, os.path.join(self.work, f"worker{me}"))
        for _ in range(self.options.builds):
            number = rng.randrange(len(self.states))
            state = self.states[number]
            place.write(state, rng.choice(contexts.STYLES), self.next_wave())
            forced = ["--no-cache"] if rng.random() < (0.05 if "@WAVE@" in state.text else 0.25) else []
            process = place.start(self.root, state, *forced)
            victim = self.kill(rng, process) if rng.random() < self.options.kill else None
            status = place.end(process)
            if victim and status not in (0, None):
                with self.lock:
                    self.counts[f"builds ended by the kill of a {victim}"] += 1
                continue
            self.judge(number, status, place, may_fail=victim is not None)
            if self.can_prune and rng.random() < 0.1:
                self.prune(rng)

    def next_wave(self):
        """All builders go on to the next one at about the same time."""
        with self.lock:
            self.started += 1
            return self.started // (3 * self.options.processes)

    def kill(self, rng, process):
        """The builder itself or one of its helpers, at some time."""
        time.sleep(rng.random() * rng.choice((0.05, 0.3, 1)))
        if rng.random() < 0.6:
            process.kill()
            return "builder"
        helpers = []
        while not helpers and process.poll() is None:
            time.sleep(0.005)
            helpers = list(children_of(process.pid))
        if not helpers:
            return None
        try:
            os.kill(rng.choice(helpers), signal.SIGKILL)
        except ProcessLookupError:
            return None
        return "helper"

    def prune(self, rng):
        words = rng.choice((["prune", "--all"], ["prune", "--filter", "until=1s"], ["prune", "--max-used-space", "1MB"]))
        done = subprocess.run([self.options.mybuild, *words], env={**os.environ, "MYBUILD_ROOT": self.root}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT, check=False)
        with self.lock:
            self.counts["prunes"] += 1
            if done.returncode != 0:
                self.wrong.append("PRUNE")
                print(f"\nPRUNE {words}: exit code {done.returncode}\n{done.stdout.decode(errors='replace')}", flush=True)

    def run(self):
        self.expect_all()
        start = time.monotonic()
        threads = [threading.Thread(target=self.worker, args=(me,)) for me in range(self.options.processes)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.counts["seconds"] = round(time.monotonic() - start)
        for fault in self.leaks():
            self.wrong.append("LEAK")
            print("LEAK:", fault, flush=True)
        self.rebuild_all()

    def rebuild_all(self):
        """One after the other, on what all of that left behind."""
        if self.has_verb("fsck"):
            done = subprocess.run([self.options.mybuild, "fsck"], env={**os.environ, "MYBUILD_ROOT": self.root}, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            if done.returncode != 0:
                self.wrong.append("FSCK")
                print(f"\nFSCK: exit code {done.returncode}\n{done.stdout.decode(errors='replace')}", flush=True)
        place = Place(self.options, os.path.join(self.work, "after"))
        for number, state in enumerate(self.states):
            place.write(state, "all anew")
            self.judge(number, place.end(place.start(self.root, state)), place, may_fail=False)

    def leaks(self):
        """Helpers of killed builders are given a moment to end."""
        for _ in range(50):
            busy = mounts_and_processes(self.work)
            if not busy:
                break
            time.sleep(0.1)
        yield from busy
        yield from locks_below(self.root)
        subprocess.run([self.options.mybuild, "images", "-q"], env={**os.environ, "MYBUILD_ROOT": self.root}, stdout=subprocess.DEVNULL, check=True)
        for folder in ("tmp", "ingest", "containers"):
            for name in os.listdir(os.path.join(self.root, folder)) if os.path.isdir(os.path.join(self.root, folder)) else ():
                if not name.startswith("."):
                    yield f"{folder}/{name} is left"


def children_of(pid):
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as text:
                yield from (int(child) for child in text.read().split())
    except (FileNotFoundError, ProcessLookupError):
        return


def mounts_and_processes(work):
    found = []
    for pid in [name for name in os.listdir("/proc") if name.isdigit()]:
        try:
            with open(f"/proc/{pid}/mountinfo", encoding="utf-8", errors="replace") as text:
                if work in text.read():
                    found.append(f"process {pid} has a mount of {work}")
            with open(f"/proc/{pid}/environ", encoding="utf-8", errors="replace") as text:
                if f"MYBUILD_ROOT={work}" in text.read():
                    found.append(f"process {pid} works in {work}")
        except OSError:
            continue
    return found


def locks_below(root):
    names = {}
    for folder, _, files in os.walk(root):
        for name in files:
            info = os.lstat(os.path.join(folder, name))
            names[f"{os.major(info.st_dev):02x}:{os.minor(info.st_dev):02x}:{info.st_ino}"] = os.path.join(folder, name)
    with open("/proc/locks", encoding="ascii") as text:
        for line in text:
            for word in line.split():
                if word in names:
                    yield f"lock on {names[word]}: {line.strip()}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mybuild", required=True)
    parser.add_argument("--base", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--processes", type=int, default=10)
    parser.add_argument("--builds", type=int, default=50)
    parser.add_argument("--states", type=int, default=30)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--kill", type=float, default=0.15, help="share of the builds")
    parser.add_argument("--no-prune", dest="prune", action="store_false", help="leave out prunes, which otherwise happen if the verb exists")
    options = parser.parse_args()
    options.seed = random.randrange(1 << 20) if options.seed is None else options.seed
    os.umask(0o022)
    stress = Stress(options)
    stress.run()
    print(f"seed {options.seed}, {options.processes} processes × {options.builds} builds of {options.states} states: " +
          ", ".join(f"{count} {what}" for what, count in sorted(stress.counts.items())))
    faults = Counter(stress.wrong)
    print(f"{faults['WRONG']} wrong, {faults['FAILED']} failed, {faults['DEADLOCK']} deadlocks, {faults['LEAK']} leaks, {faults['PRUNE'] + faults['FSCK']} other faults")
    if not stress.wrong:
        shutil.rmtree(stress.work, ignore_errors=True)
    sys.exit(1 if stress.wrong else 0)


if __name__ == "__main__":
    main()
