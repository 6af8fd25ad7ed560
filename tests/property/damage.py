#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Damages a small state directory, one file or folder at a time and in every way, and asks for what it should know: the same build again, a build
on top, the image run, the container started, lists. Each answer must be the right one or a clear error; wrong bytes, a crash and a
hang are faults. Prints a table of what became of what.

    damage.py --mybuild BINARY --base LAYOUT --work DIR [--cases N] [--seconds N] [--seed N] [--only TEXT]

Needs root and a mount namespace of its own: the directory is on a file system in a file, so that each case starts from the same
bytes, inodes and times."""
import argparse
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tarfile
import time
from collections import Counter

from state_world import LOOK, Tally, World, in_time, usual_seed

ON_TOP = ("--build-arg", "V=other", "--build-arg", "END=other", "-t", "img:top")
# "rot" is no write through the file system but a bit that the disk lost, without any time that tells: fsck must see it.
KINDS = ("delete", "flip", "half", "zeros", "empty", "rot")


def kind_of(name):
    """A class of files for the table."""
    top, _, rest = name.partition("/")
    if top == "layers":
        return "layer folder" if rest.count("/") == 0 else "layer: " + ("fs" if rest.count("/") == 1 else "in fs")
    if top == "blobs":
        return "blob" if rest.startswith("sha256/") else "blobs"
    return f"{top}: {'folder' if not rest else 'in it'}" if rest or top in ("containers", "volumes", "cache-mounts", "git") else top


class Damage:
    def __init__(self, options):
        self.options, self.rng = options, random.Random(options.seed)
        self.world = world = World(options.mybuild, options.base, options.work, variants=1, files=5)
        self.memory, self.disk = world.path("memory"), world.path("disk")
        self.root, self.image, self.whole = f"{self.disk}/root", f"{self.memory}/image", f"{self.memory}/whole"
        for path in (self.memory, self.disk):
            os.makedirs(path)
        self.call("mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", self.memory)
        with open(self.whole, "wb") as out:
            out.truncate(64 << 20)
        self.call("mkfs.ext4", "-q", "-F", self.whole)
        self.make_repository()
        self.fsck = world.has("fsck")
        self.now, self.first = "", {}
        self.tally, self.table, self.errors = Tally(), Counter(), Counter()
        self.call("mount", "-o", "loop", self.whole, self.disk)
        self.fill()
        self.names = self.victims()
        self.unmount()

    @staticmethod
    def call(*words, **how):
        subprocess.run(words, check=True, **how)

    def unmount(self):
        for _ in range(200):
            if subprocess.run(["umount", self.disk], stderr=subprocess.DEVNULL, check=False).returncode == 0:
                return
            time.sleep(0.05)
        sys.exit("the disk is still in use")

    def make_repository(self):
        self.repository = self.world.path("repo")
        git = ["git", "-C", self.repository, "-c", "user.name=n", "-c", "user.email=e"]
        self.call("git", "init", "-q", self.repository)
        shutil.copytree(os.path.join(self.world.path("ctx0"), "data"), os.path.join(self.repository, "data"))
        with open(os.path.join(self.repository, "Dockerfile"), "w", encoding="utf-8") as out:
            out.write("FROM busybox\nCOPY data /app/data\nRUN cat /app/data/* | sha256sum >/app/sum\n")
        self.call(*git, "add", "-A")
        self.call(*git, "commit", "-q", "-m", "all")
        self.branch = self.read_git("branch", "--show-current")
        self.call(*git, "checkout", "-q", "-b", "next")
        with open(os.path.join(self.repository, "data", "more"), "w", encoding="utf-8") as out:
            out.write("more")
        self.call(*git, "add", "-A")
        self.call(*git, "commit", "-q", "-m", "more")
        self.git_sums = {}
        for branch in (self.branch, "next"):
            self.call(*git, "checkout", "-q", branch)
            names = sorted(os.listdir(os.path.join(self.repository, "data")))
            files = [open(os.path.join(self.repository, "data", name), "rb").read() for name in names]
            self.git_sums[branch] = hashlib.sha256(b"".join(files)).hexdigest() + "  -\n"

    def read_git(self, *words):
        return subprocess.run(["git", "-C", self.repository, *words], capture_output=True, text=True, check=True).stdout.strip()

    # --- questions: each gives "right", "error" or a fault ---

    def same(self):
        return self.judge(self.world.wrong_build(self.root, 0))

    def on_top(self):
        done = self.world.build(self.root, 0, *ON_TOP)
        if done.code == 0 and self.world.archives() != self.top:
            return "WRONG bytes of a build on top"
        return self.judge(done.fault if done.fault else done.code and f"exit code 1: {done.says()}")

    def git(self, branch=None):
        """A commit that was built; `git_next`: one that has to be fetched into the same mirror."""
        shutil.rmtree(self.world.path("gitout"), ignore_errors=True)
        done = self.world.ask(self.root, "build", "--progress", "plain", "--build-context", f"busybox=oci-layout://{self.world.base}",
                              "-o", f"type=local,dest={self.world.path('gitout')}", f"file://{self.repository}#{branch or self.branch}")
        if done.code == 0:
            with open(self.world.path("gitout/app/sum"), "rb") as text:
                return "right" if text.read() == self.git_sums[branch or self.branch].encode() else "WRONG files of a commit"
        return self.judge(done.fault or f"exit code 1: {done.says()}")

    def git_next(self):
        return self.git("next")

    def run(self):
        return self.judge(self.world.wrong_image(self.root, 0))

    def save(self):
        done = self.world.ask(self.root, "save", "-o", self.world.path("saved.tar"), "img:0")
        if done.code == 0:
            return "right" if self.saved_files() == self.saved else "WRONG bytes of save"
        return self.judge(done.fault or f"exit code 1: {done.says()}")

    def box(self):
        done = self.world.ask(self.root, "start", "-a", "box")
        if done.code == 0:
            return "right" if done.log == self.boxed else "WRONG files of a container"
        return self.judge(done.fault or f"exit code 1: {done.says()}")

    def lists(self):
        words = (["images"], ["du"], ["du", "-v"], ["ps", "-a"], ["history", "img:0"], ["inspect", "box"], ["volume", "ls"], ["cache-mount", "ls"])
        answers = [(" ".join(word), self.world.ask(self.root, *word)) for word in words]
        faults = [f"{word}: {done.fault}: {done.says()}" for word, done in answers if done.fault]
        errors = [f"{word}: exit code {done.code}: {done.says()}" for word, done in answers if done.code]
        return self.judge("; ".join(faults) or "; ".join(errors))

    def repaired(self):
        """fsck sees no damage, or repairs it; afterwards everything is right."""
        found = self.world.ask(self.root, "fsck")
        if found.code == 0 and self.must_see:
            return f"WRONG: fsck sees no damage: {found.log[-200:]}"
        repair = self.world.ask(self.root, "fsck", "--repair")
        again = self.world.ask(self.root, "fsck")
        faults = [f"{done.command}: {done.code} {done.log[-300:]}" for done in (found, repair, again) if done.code not in (0, 1)]
        # A container that lost a layer keeps its own files; nobody but its owner may remove them. What came from outside comes back with the rebuild.
        remains = self.world.remains_damaged(again.log) if again.code else []
        if faults or any(not line.startswith("container box: layer ") and "the compressed form of" not in line
                         for line in remains):
            return "WRONG: " + "; ".join(faults or [f"fsck after --repair ends with 1: {again.log[-300:]}"])
        wrong = self.world.wrong_build(self.root, 0)
        if wrong:
            return f"WRONG after fsck --repair: {wrong}"
        rebuilt = self.world.ask(self.root, "fsck")
        # Of an image without a name that came out of a lost database nobody has the original blobs.
        if rebuilt.code and any(line.startswith("image docker.io/") for line in self.world.remains_damaged(rebuilt.log)):
            return f"WRONG after fsck --repair and a build: {rebuilt.log[-300:]}"
        return f"right, fsck {found.code}"

    def judge(self, wrong):
        if not wrong:
            return "right"
        if "WRONG" in wrong or "crashes" in wrong or "hangs" in wrong or "without a word" in wrong:
            return wrong if wrong.startswith("WRONG") else "WRONG: " + wrong
        self.errors[wrong[-220:]] += 1
        self.first.setdefault(wrong[-220:], self.now)
        return "error"

    # --- the state directory, and what is done to it ---

    def fill(self):
        world = self.world
        self.must(world.build(self.root, 0, *ON_TOP))
        self.top = world.archives()
        shutil.rmtree(self.root)
        self.must(world.build(self.root, 0))
        assert self.git() == "right", "a commit cannot be built"
        self.must(world.ask(self.root, "run", "--name", "box", "-v", "vol:/vol", "img:0", "sh", "-c", "echo kept >/app/kept; cat /app/kept;" + LOOK))
        self.boxed = self.must(world.ask(self.root, "start", "-a", "box")).log
        self.must(world.ask(self.root, "save", "-o", world.path("saved.tar"), "img:0"))
        self.saved = self.saved_files()

    def saved_files(self):
        with tarfile.open(self.world.path("saved.tar")) as archive:
            return {member.name: archive.extractfile(member).read() for member in archive if member.isreg() and member.name != "index.json"}  # that has the time

    @staticmethod
    def must(done):
        assert done.code == 0, f"{done.command}: {done.log}"
        return done

    def victims(self):
        """(name, kind of damage); of the base image's 400 links only some."""
        found, self.sizes = [], {}
        for place, folders, files in os.walk(self.root):
            for name in folders + files:
                path = os.path.join(place, name)
                if os.path.islink(path) and self.rng.random() > 0.02:
                    continue
                whole = os.path.isfile(path) and not os.path.islink(path) and os.path.getsize(path)
                self.sizes[os.path.relpath(path, self.root)] = whole
                found += [(os.path.relpath(path, self.root), kind) for kind in (KINDS if whole else KINDS[:1])]
        return sorted(one for one in found if self.options.only in one[0])

    def damage(self, name, kind):
        path = os.path.join(self.root, name)
        if kind == "delete":
            shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
            return
        size = os.path.getsize(path)
        with open(path, "r+b") as out:
            if kind == "flip":
                out.seek(where := self.rng.randrange(size))
                byte = out.read(1)[0]
                out.seek(where)
                out.write(bytes([byte ^ 1 << self.rng.randrange(8)]))
            elif kind == "zeros":
                out.write(bytes(size))
            else:
                out.truncate(size // 2 if kind == "half" else 0)

    def rot(self, name):
        """Below the file system; False if it has no block for the file."""
        blocks = subprocess.run(["debugfs", "-R", f'blocks "/root/{name}"', self.image], capture_output=True, text=True, check=True).stdout.split()
        bit = self.rng.randrange(min(300, self.sizes[name]) * 8)
        if not blocks or not blocks[0].isdigit():
            return False
        with open(self.image, "r+b") as out:
            out.seek(where := int(blocks[0]) * 1024 * self.block + bit // 8)
            byte = out.read(1)[0]
            out.seek(where)
            out.write(bytes([byte ^ 1 << bit % 8]))
        return True

    def case(self, name, kind):
        questions = [(self.lists, self.run, self.save, self.box), (self.same, self.run), (self.on_top, self.same), (self.git, self.git_next)]
        questions += [(self.repaired, self.run)] if self.fsck else []
        self.now = f"{kind} {name}"
        self.must_see = kind != "delete" and kind_of(name) in ("blob", "layer: in fs")
        for group in questions:
            self.call("cp", "--sparse=always", self.whole, self.image)
            if kind == "rot" and not self.rot(name):
                return
            self.call("mount", "-o", "loop", self.image, self.disk)
            if kind != "rot":
                self.damage(name, kind)
            for question in group:
                try:
                    answer = question()
                except (OSError, ValueError) as error:
                    answer = f"WRONG: what it gave cannot be read: {error}"
                if name.startswith(("containers/", "volumes/")) and answer == "WRONG files of a container":
                    answer = "right"  # what a program wrote there nobody else knows
                if kind == "rot" and answer.startswith("WRONG") and question != self.repaired:
                    answer = "rot that only fsck would see"
                self.tally.count(answer.split(",")[0] if not answer.startswith("WRONG") else "wrong")
                self.table[(kind_of(name), kind, f"{question.__name__}{'' if question == group[0] else ' after ' + group[0].__name__}", answer[:5])] += 1
                self.tally.fault(f"{kind} {name}: {question.__name__}", answer if answer.startswith("WRONG") else "")
            self.unmount()
        self.tally.count("cases")

    def tell(self):
        answers = {}
        for (name, kind, question, answer), number in self.table.items():
            answers.setdefault((name, kind), Counter())[f"{question} {answer}"] += number
        for (name, kind), counter in sorted(answers.items()):
            odd = {what: number for what, number in counter.items() if not what.endswith("right")}
            print(f"{name:22} {kind:7} {sum(counter.values()):5} answers" + "".join(f"; {what}: {number}" for what, number in sorted(odd.items())))
        for error, number in self.errors.most_common():
            print(f"said {number} times, first after {self.first[error]}: {error}")

    block = 1


def main():
    parser = argparse.ArgumentParser()
    for name in ("--mybuild", "--base", "--work"):
        parser.add_argument(name, required=True)
    parser.add_argument("--cases", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--seed", type=int, default=usual_seed())
    parser.add_argument("--only", default="")
    damage = Damage(options := parser.parse_args())
    named = subprocess.run(["debugfs", "-R", "stats -h", damage.whole], capture_output=True, text=True, check=True).stdout
    damage.block = int(next(line.split()[-1] for line in named.splitlines() if line.startswith("Block size"))) // 1024
    print(f"{len(damage.names)} cases", flush=True)
    try:
        for name, kind in in_time(damage.rng.sample(damage.names, options.cases) if options.cases else damage.names, options.seconds):
            damage.case(name, kind)
    finally:
        for path in (damage.disk, damage.memory):
            subprocess.run(["umount", path], stderr=subprocess.DEVNULL, check=False)
    damage.tell()
    sys.exit(damage.tally.end(f"damage, seed {options.seed}"))


if __name__ == "__main__":
    main()
