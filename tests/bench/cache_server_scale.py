#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`mybuild serve` over a state with very many records: how long a start, lookups, publishes, evictions, the metrics and the list of tokens take.

    cache_server_scale.py --mybuild BINARY --work DIR [--records 1000000] [--namespaces 20] [--tokens 1000] [--files 20000]

The state is written in the server's own schema, with its triggers, and stays in DIR for the next run: 1.7 GB for a million records, a quarter of an
hour on a slow disk. Most layers have no bytes, which only who reads them would notice; those that are evicted first have a small file each."""
import argparse
import atexit
import hashlib
import json
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from cache_server_client import Client, record, sha, start  # noqa: E402

LAYER = 64 << 10
DAY = 86_400_000
TYPE = "application/vnd.oci.image.layer.v1.tar+zstd"


def raw(text):
    return hashlib.sha256(text.encode()).digest()


class State:
    """A server's directory with `records` records; number N is of a step and a layer of its own, and N days / records old."""

    def __init__(self, options):
        self.options, self.root = options, os.path.join(options.work, "state")
        self.now = int(time.time() * 1000)

    def make(self):
        mark = os.path.join(self.options.work, "filled")
        wanted = f"{self.options.records} {self.options.namespaces} {self.options.tokens} {self.options.files}"
        if os.path.exists(mark) and open(mark, encoding="ascii").read() == wanted:
            return
        shutil.rmtree(self.root, ignore_errors=True)
        process, _, _ = start(self.options.mybuild, self.root)
        process.terminate()
        process.wait()
        self.fill()
        with open(mark, "w", encoding="ascii") as file:
            file.write(wanted)

    def fill(self):
        began, db = time.time(), sqlite3.connect(os.path.join(self.root, "cache.db"), isolation_level=None)
        db.execute("PRAGMA synchronous=OFF")
        db.execute("PRAGMA cache_size=-2000000")
        for first in range(0, self.options.records, 20_000):
            db.execute("BEGIN")
            for number in range(first, min(first + 20_000, self.options.records)):
                self.add(db, number)
            db.execute("COMMIT")
        db.execute("BEGIN")
        for number in range(self.options.tokens):
            db.execute("INSERT INTO token (id, secret, space, scopes, note, created) VALUES (?, ?, 'main', 15, 'of a job', ?)", (f"t{number}", raw(f"t{number}"), self.now))
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        folder = os.path.join(self.root, "content/blobs/sha256")
        for number in range(self.options.files):
            with open(os.path.join(folder, raw(f"layer {number}").hex()), "wb") as file:
                file.write(b"x")
        print(f"filled in {time.time() - began:.0f} s")

    def space(self, number):
        return "main" if number % 2 else f"team{number // 2 % self.options.namespaces}"

    def add(self, db, number):
        space, layer = self.space(number), raw(f"layer {number}")
        used = self.now - 40 * DAY - int((self.options.records - number) * 30 * DAY / self.options.records)
        body = dict(record(f"step {number}", b"", cost_ms=number % 977 * 100), blob={"mediaType": TYPE, "digest": "sha256:" + layer.hex(), "size": LAYER})
        db.execute("INSERT INTO blob_link (space, blob, size, last_used) VALUES (?, ?, ?, ?)", (space, layer, LAYER, used))
        db.execute("INSERT INTO record (id, space, content, definition, output, blob, cost_ms, created, kept_until, signature, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   (number + 1, space, bytes.fromhex(body["content"][7:]), bytes.fromhex(body["definition"][7:]), bytes.fromhex(body["output"][7:]), layer, body["cost_ms"], used, used,
                    bytes(64), json.dumps(body, sort_keys=True, separators=(",", ":"))))
        db.execute("INSERT INTO record_use (id, bytes, weight, last_used, kept_until) VALUES (?, ?, ?, ?, ?)", (number + 1, LAYER, 1 + number % 8, used, used))
        db.execute("INSERT INTO record_facts (id, space, step, facts) VALUES (?, ?, ?, '{}')", (number + 1, space, body["step"]))


class Server:
    def __init__(self, options, root, *words):
        began = time.time()
        self.root = root
        self.process, self.address, self.token = start(options.mybuild, root, *words)
        self.started = time.time() - began
        atexit.register(self.process.kill)
        self.log = []
        threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True).start()
        self.client = Client(self.address, self.token, timeout=600)

    def memory(self):
        """In MB, without the pages of the database that the kernel may take back."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) >> 10 for line in file if line.startswith("RssAnon"))

    def stop(self):
        self.process.terminate()
        self.process.wait()


def timed(what, times=9):
    took = []
    for _ in range(times):
        began = time.perf_counter()
        what()
        took.append(time.perf_counter() - began)
    return took


def show(name, took, more=""):
    print(f"{name:44} median {1000 * statistics.median(took):9.1f} ms   first {1000 * took[0]:9.1f} ms   worst {1000 * max(took):9.1f} ms  {more}", flush=True)


def lookup(server, keys, expect):
    """One request of whatever is in `keys`; the answer is counted and not parsed."""
    status, _, body = server.client.ask("POST", "/cache/v1/lookup/main", json.dumps(keys))
    assert status == 200 and body.count(b'"signature"') == expect, (status, body.count(b'"signature"'), expect)


def lookups(server, options, rng):
    known = rng.sample(range(1, options.records, 2), min(120_000, options.records // 2))
    for count in (50, 10_000):
        for name, hits in (("all miss", 0), ("half", count // 2), ("all hit", count)):
            for kind in ("contents", "definitions"):
                names = [f"step {number}" for number in known[:hits]] + [f"nothing {i}" for i in range(count - hits)]
                known = known[hits:]  # the first time nobody has been promised them before
                keys = {kind: [sha(f"{kind[:-1]} {each}") for each in names]}
                show(f"lookup of {count} {kind}, {name}", timed(lambda k=keys, h=hits: lookup(server, k, h)))


def publishes(server, rng):
    data = rng.randbytes(1000)
    server.client.put_blob(data)
    for count, times in ((1, 200), (50, 20), (1000, 5)):
        batches = iter([[record(f"new {count} {turn} {i} {time.time()}", data) for i in range(count)] for turn in range(times)])
        took = timed(lambda: server.client.publish(*next(batches)), times)
        show(f"publish of {count} records", took, f"{count * times / sum(took):.0f} records/s")


def small_things(server):
    show("metrics", timed(lambda: server.client.ask("GET", "/metrics")))
    show("list of tokens", timed(lambda: Client(server.address, "t0").ask("GET", "/admin/v1/tokens")))
    show("explain", timed(lambda: server.client.say("explain", {"step": "RUN step 11", "facts": {}})))


def token_list(options, root):
    show("mybuild serve token ls", timed(lambda: subprocess.run([options.mybuild, "serve", "token", "ls", "--root", root], check=True, stdout=subprocess.DEVNULL), 3))


def kept_bytes(server):
    _, _, body = server.client.ask("GET", "/metrics")
    return int(float(next(line.split()[1] for line in body.decode().splitlines() if line.startswith("mybuild_serve_kept_bytes "))))


def eviction(options, state, kept, share):
    """`share` of what is kept has to go, a twentieth or more; a client publishes all the time meanwhile."""
    server = Server(options, state.root, "--max-size", str(int(kept * (1 - share) / 0.9)))
    data, waits, statuses, began = os.urandom(100), [], Counter(), time.time()
    while kept_bytes(server) > kept * (1 - share) and time.time() < began + 600:
        turn = time.perf_counter()
        status, _, _ = server.client.ask("POST", "/cache/v1/publish/main", json.dumps({"records": [{"record": record(f"x {turn}", data), "facts": {}}]}))
        statuses[status] += 1
        waits.append(time.perf_counter() - turn)
        time.sleep(0.002)
    show(f"publish beside an eviction of {share:.1%}", waits, f"memory {server.memory()} MB, {statuses}: {''.join(server.log).strip()[-200:]}")
    print(f"{'':44} over after {time.time() - began:.1f} s, the first look is after 5 s at most")
    server.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mybuild", required=True)
    parser.add_argument("--work", required=True)
    for name, default in (("records", 1_000_000), ("namespaces", 20), ("tokens", 1000), ("files", 20_000)):
        parser.add_argument("--" + name, type=int, default=default)
    options = parser.parse_args()
    os.makedirs(options.work, exist_ok=True)
    state, rng = State(options), random.Random(1)
    state.make()
    server = Server(options, state.root, "--max-size", "1000t")
    print(f"{'start':44} {1000 * server.started:.1f} ms")
    small_things(server)
    token_list(options, state.root)
    lookups(server, options, rng)
    publishes(server, rng)
    kept = kept_bytes(server)
    print(f"{'memory':44} {server.memory()} MB, {kept >> 30} GiB kept, database {os.path.getsize(os.path.join(state.root, 'cache.db')) >> 20} MB")
    server.stop()
    eviction(options, state, kept, 0.06)
    server = Server(options, state.root, "--max-size", "1000t")
    kept = kept_bytes(server)
    server.stop()
    eviction(options, state, kept, 0.2)
    os.unlink(os.path.join(options.work, "filled"))


if __name__ == "__main__":
    main()
