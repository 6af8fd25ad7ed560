#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hostile clients do to a live `mybuild serve` whatever cache_server_attacks.py knows, while another client goes on working with it, who must
not notice. In the end the server is alive and as small as before, answered no 500, logged nothing, and left nothing half-done.

    cache_server_hostile.py --mybuild BINARY --work DIR [--seconds N] [--clients N] [--seed N]"""
import argparse
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter

from cache_server_attacks import BRANCH, SECRET, Attacker
from cache_server_client import Client, record, sha, start

MOST_MEMORY = 192 << 20  # of the server's own, with SQLite's caches


class World:
    """One server with a namespace that nobody may look into, and what is known of what it did."""

    def __init__(self, options):
        self.binary, self.root = options.mybuild, os.path.join(options.work, "hostile-root")
        self.process, self.address, local = start(self.binary, self.root)
        self.log, self.faults, self.answers, self.lock = [], [], Counter(), threading.Lock()
        threading.Thread(target=self.read_log, daemon=True).start()
        self.tokens = {"local": local, "nobody": "", "garbage": "mbt_" + "0" * 40}
        self.tool("namespace", "create", "secret")
        wanted = {"branch": ["--namespace", BRANCH, "--parent", "main"], "reader": ["--namespace", "main", "--scope", "read"], "secret": ["--namespace", "secret"],
                  "admin": ["--namespace", BRANCH, "--scope", "admin"], "expired": ["--namespace", "main", "--expires", "1s"],
                  "revoked": ["--namespace", "main", "--note", "gone"]}
        for name, words in wanted.items():
            self.tokens[name] = self.tool("token", "create", *words).strip()
        listed = [line.split() for line in self.tool("token", "ls").splitlines()[1:]]
        self.token_ids = [words[0] for words in listed if BRANCH not in words]
        self.tool("token", "revoke", next(words[0] for words in listed if "gone" in words))
        time.sleep(1.1)  # until the token that is to be over is over: it may write to main before
        data = random.Random(1).randbytes(3_000_000)
        self.secret = Client(self.address, self.tokens["secret"], "secret").put_blob(SECRET)
        good = Client(self.address, local)
        self.shared = good.put_blob(data)
        known = record("of main", data)
        good.publish(known)
        self.main_record = known["content"]

    def tool(self, *words):
        return subprocess.run([self.binary, "serve", words[0], words[1], "--root", self.root, *words[2:]], check=True, capture_output=True, text=True).stdout

    def read_log(self):
        for line in self.process.stderr:
            self.log.append(line.strip())

    def fault(self, text):
        with self.lock:
            self.faults.append(text)

    def count(self, status):
        with self.lock:
            self.answers[status] += 1

    def memory(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return 1024 * int(next(line for line in file if line.startswith("RssAnon")).split()[1])

    def open_uploads(self):
        """Each has a file, until nobody has gone on with it for a while."""
        metrics = Client(self.address, "").ask("GET", "/metrics")[2].decode().splitlines()
        return int(next(float(line.split()[1]) for line in metrics if line.startswith("mybuild_serve_open_uploads")))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


class GoodClient:
    """Publishes, reads, pushes; each answer must be right."""

    def __init__(self, world, seed):
        self.world, self.rng, self.rounds, self.slowest = world, random.Random(seed), 0, 0.0
        self.client, self.blobs, self.records = Client(world.address, world.tokens["local"]), {}, {}

    def run(self, stop):
        while not stop.is_set():
            began = time.monotonic()
            try:
                self.once()
            except Exception as error:  # whatever it is, this client has done nothing wrong
                self.world.fault(f"the good client: {type(error).__name__} {error}")
                self.client = Client(self.world.address, self.world.tokens["local"])
            self.slowest, self.rounds = max(self.slowest, time.monotonic() - began), self.rounds + 1
            time.sleep(0.005)

    def once(self):
        name, data = f"good {self.rounds}", self.rng.randbytes(self.rng.choice([10, 5000, 300_000]))
        self.blobs[self.client.put_blob(data)] = data
        mine = record(name, data)
        assert self.client.publish(mine) == ["accepted"], "publish"
        self.records[mine["content"]] = mine
        content, digest = self.rng.choice(list(self.records)), self.rng.choice(list(self.blobs))
        found = self.client.lookup(contents=[content])["records"]
        assert [json.loads(each["body"]) for each in found] == [self.records[content]] and found[0]["space"] == "main", f"lookup: {found}"
        assert self.client.get_blob(digest) == self.blobs[digest], "a blob has other bytes"
        self.blobs = dict(list(self.blobs.items())[-50:])


def attack(world, seed, stop):
    attacker = Attacker(world, seed)
    while not stop.is_set():
        attacker.once()
    for link in attacker.slow:
        link.close()


def check_what_is_left(world, descriptors, good):
    give_up = time.monotonic() + 5
    while (more := world.descriptors() - world.open_uploads() - descriptors) > 10 and time.monotonic() < give_up:
        time.sleep(0.1)
    if more > 10:
        world.fault(f"{more} descriptors are open, and were not before")
    if world.memory() > MOST_MEMORY:
        world.fault(f"the server has {world.memory() >> 20} MiB")
    main = Client(world.address, world.tokens["local"]).lookup(contents=[world.main_record])["records"]
    if [each["space"] for each in main] != ["main"]:
        world.fault(f"main's record: {main}")
    if good.rounds < 5:
        world.fault(f"the good client came to {good.rounds} rounds")


def check_the_end(world):
    began = time.monotonic()
    world.process.terminate()
    if world.process.wait() != 0:
        world.fault(f"SIGTERM gave {world.process.returncode}")
    took = time.monotonic() - began
    names = set(os.listdir(world.root))
    if strange := names - {"cache.db", "cache.db-wal", "cache.db-shm", "content", "local-token", "serve.lock"}:
        world.fault(f"in the server's directory: {strange}")
    for folder, _, files in os.walk(os.path.join(world.root, "content")):
        if drafts := [name for name in files if len(name) != 64 and os.path.basename(folder) != "content"]:
            world.fault(f"drafts in {folder}: {drafts[:5]}")
    for line in world.log:
        if line:
            world.fault(f"logged: {line}")
    return took


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mybuild", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=3)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    options = parser.parse_args()
    world, stop = World(options), threading.Event()
    good = GoodClient(world, options.seed)
    descriptors, memory = world.descriptors(), world.memory()
    threads = [threading.Thread(target=attack, args=(world, f"{options.seed}-{i}", stop)) for i in range(options.clients)]
    threads.append(threading.Thread(target=good.run, args=(stop,)))
    for thread in threads:
        thread.start()
    time.sleep(options.seconds)
    stop.set()
    for thread in threads:
        thread.join()
    if world.process.poll() is not None:
        world.fault(f"the server is gone: {world.process.returncode}")
    else:
        check_what_is_left(world, descriptors, good)
    grown, took = world.memory() - memory if world.process.poll() is None else 0, check_the_end(world)
    asked = sum(world.answers.values())
    print("\n".join(world.faults[:30]))
    print("answers: " + ", ".join(f"{status}: {number}" for status, number in sorted(world.answers.items(), key=str)))
    print(f"cache server hostile, seed {options.seed}: {asked} requests, {asked / options.seconds:.0f} a second, {good.rounds} rounds of a good client, slowest {1000 * good.slowest:.0f} ms, "
          f"{grown >> 20} MiB grown, stopped in {took:.2f} s, {len(world.faults)} wrong")
    sys.exit(1 if world.faults else 0)


if __name__ == "__main__":
    main()
