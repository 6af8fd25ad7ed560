#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Spoils the database of a `mybuild serve` that was stopped, once in each way and then at random, and starts the server again. It says
that the file is damaged and what to do, or it serves: then what it says is what it said before, or an error, and never new keys.

    cache_server_damage.py --mybuild BINARY --work DIR [--rounds N] [--seed N] [--round K]"""
import argparse
import json
import os
import random
import shutil
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from cache_server_client import Client, record, sha, start  # noqa: E402

RECORDS = 300


def key_of(answer):
    return json.loads(answer)["keys"].get("main")


class World:
    def __init__(self, options):
        self.binary, self.root, self.copy = options.mybuild, os.path.join(options.work, "good"), os.path.join(options.work, "spoilt")
        process, address, token = start(self.binary, self.root)
        client = Client(address, token)
        self.records = {}
        for i in range(RECORDS):
            data = f"layer {i}".encode()
            client.put_blob(data)
            self.records[sha(f"content step {i}")] = (record(f"step {i}", data), data)
        assert set(client.publish(*(each for each, _ in self.records.values()))) == {"accepted"}
        self.key = key_of(client.ask("GET", "/cache/v1/keys/main")[2])
        process.terminate()
        process.wait()
        with sqlite3.connect(os.path.join(self.root, "cache.db")) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            seed = database.execute("SELECT seed FROM space WHERE name = 'main'").fetchone()[0]
        with open(os.path.join(self.root, "cache.db"), "rb") as file:
            self.database = file.read()
        self.seed_at = self.database.index(seed if isinstance(seed, bytes) else seed.encode())

    def damages(self, rng):
        """(name, what the file is then); in the bytes of the key itself nothing can be noticed, so they are left alone."""
        size = len(self.database)
        yield "empty", b""
        yield "gone", None
        yield "a text", b"hello\n" * 5000
        yield "no header", bytes(100) + self.database[100:]
        yield "zeros", bytes(size)
        yield "half", self.database[:size // 2]
        yield "one page", self.database[:4096]
        yield "shuffled", b"".join(rng.sample([self.database[at:at + 4096] for at in range(0, size, 4096)], size // 4096))
        while True:
            spoilt = bytearray(self.database)
            count = rng.choice([1, 10, 200, 4096])
            at = rng.randrange(size)
            for place in range(at, min(at + count, size)) if rng.random() < 0.5 else rng.sample(range(size), count):
                if not self.seed_at <= place < self.seed_at + 32:
                    spoilt[place] ^= rng.randrange(1, 256)
            yield f"{count} bytes at {at}", bytes(spoilt)

    def faults(self, spoilt):
        shutil.rmtree(self.copy, ignore_errors=True)
        shutil.copytree(self.root, self.copy)
        path = os.path.join(self.copy, "cache.db")
        for name in (path, path + "-wal", path + "-shm"):
            if os.path.exists(name):
                os.remove(name)
        if spoilt is not None:
            with open(path, "wb") as file:
                file.write(spoilt)
        try:
            process, address, token = start(self.binary, self.copy)
        except RuntimeError as error:
            said = str(error)
            if path not in said or "put a copy of it back" not in said or "move the whole directory away" not in said:
                yield f"it does not say what to do: {said}"
            return
        yield from self.wrong_answers(Client(address, token))
        process.terminate()
        if (status := process.wait(20)) != 0:
            yield f"exit code {status}"

    def wrong_answers(self, client):
        status, _, text = client.ask("GET", "/cache/v1/keys/main")
        if status == 200 and key_of(text) != self.key:
            yield "there is a new key"
        status, _, text = client.ask("POST", "/cache/v1/lookup/main", json.dumps({"contents": list(self.records)}))
        for each in json.loads(text)["records"] if status == 200 else []:
            try:
                body = json.loads(each["body"])
                same = self.records[body["content"]][0] == body
            except (ValueError, KeyError, TypeError):
                same = False  # its signature says so, and clients look at that
            self.other += not same
        for wanted, data in list(self.records.values())[::30]:
            status, _, text = client.ask("GET", f"/v2/main/blobs/{wanted['blob']['digest']}")
            if status == 200 and text != data:
                yield "a blob has other bytes"
        client.ask("POST", "/v2/main/blobs/uploads/?digest=" + sha(b"x"), b"x")
        if client.ask("GET", "/healthz")[0] != 200:
            yield "it is not alive"

    other = 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("--rounds", 40), ("--seed", random.SystemRandom().randrange(10**6)), ("--round", -1)):
        parser.add_argument(name, type=int, default=default)
    for name in ("--mybuild", "--work"):
        parser.add_argument(name, required=True)
    options = parser.parse_args()
    world, wrong = World(options), 0
    for number, (name, spoilt) in zip(range(options.rounds), world.damages(random.Random(options.seed))):
        if options.round in (-1, number):
            for fault in world.faults(spoilt):
                wrong += 1
                print(f"round {number}, {name}: {fault}")
    print(f"cache server damage, seed {options.seed}, {options.rounds} rounds: {world.other} records with other bytes, {wrong} wrong")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
