#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`mybuild serve` without room: a disk that others have filled, more and more, or a --max-size that is reached. Uploads and publishes are refused
with 507, what is there is read as before, nothing that was refused is ever served; when there is room again it goes on. What a tag needs or a
lookup has promised is not evicted. Or more connections than there may be open files: others do not notice.

    cache_server_full.py --mybuild BINARY --work DIR --of disk|size|descriptors [--seed N]

Needs root and a mount namespace of its own."""
import argparse
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections import Counter

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from cache_server_client import Client, record, sha, start  # noqa: E402

MIB = 1 << 20
IMAGE = "application/vnd.oci.image.manifest.v1+json"
UPKEEP = 5.5  # seconds: the server looks for room every five


class Run:
    def __init__(self, options):
        self.rng, self.disk, self.wrong, self.answers = random.Random(options.seed), os.path.join(options.work, "disk"), [], Counter()
        self.options, self.blobs, self.records, self.refused, self.tags, self.serial = options, {}, {}, {}, {}, 0
        os.makedirs(self.disk, exist_ok=True)

    def start(self, *words, binary=None):
        self.process, self.address, self.token = start(binary or self.options.mybuild, os.path.join(self.disk, "root"), *words)
        self.log = []
        threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True).start()
        self.client = Client(self.address, self.token)

    def expect(self, is_right, what):
        if not is_right:
            self.wrong.append(what)

    def ask(self, *words):
        """The server may end the connection after it has refused a body that is still on its way."""
        try:
            answer = self.client.ask(*words)
            self.client = Client(self.address, self.token) if answer[1].get("connection") == "close" else self.client
        except OSError as error:
            self.client = Client(self.address, self.token)
            return 0, {}, repr(error).encode()
        self.answers[answer[0]] += 1
        self.expect(answer[0] not in (500, 503), f"{words[:2]}: {answer[0]} {answer[2][:200]!r}")
        return answer

    # --- what clients do ---

    def upload(self, size, in_pieces=False):
        """(status, the bytes)"""
        data, headers = self.rng.randbytes(size), {"Content-Type": "application/octet-stream"}
        if not in_pieces:
            status, _, _ = self.ask("POST", f"/v2/main/blobs/uploads/?digest={sha(data)}", data, headers)
        else:
            status, got, _ = self.ask("POST", "/v2/main/blobs/uploads/")
            for piece in (data[:size // 2], data[size // 2:]) if status == 202 else ():
                status, _, _ = self.ask("PATCH", got["location"], piece)
                if status != 202:
                    break
            if status == 202:
                status, _, _ = self.ask("PUT", f"{got['location']}?digest={sha(data)}")
        (self.blobs if status == 201 else self.refused)[sha(data)] = data
        return status, data

    def publish(self, data, cost_ms=1000):
        self.serial += 1
        mine = record(f"full {self.serial}", data, cost_ms=cost_ms)
        status, _, body = self.ask("POST", "/cache/v1/publish/main", json.dumps({"records": [{"record": mine, "facts": {"name": "x" * 1000}}]}))
        if status == 200 and json.loads(body)["results"][0]["result"] == "accepted":
            self.records[mine["content"]] = mine
        return status, mine

    def tag(self, name, data):
        part = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": sha(data), "size": len(data)}
        manifest = json.dumps({"schemaVersion": 2, "mediaType": IMAGE, "config": part, "layers": [part]}).encode()
        status, _, _ = self.ask("PUT", f"/v2/main/app/manifests/{name}", manifest, {"Content-Type": IMAGE})
        if status == 201:
            self.tags[name] = manifest
        return status

    def found(self, contents):
        status, _, body = self.ask("POST", "/cache/v1/lookup/main", json.dumps({"contents": list(contents)}))
        self.expect(status == 200, f"lookup: {status} {body[:200]!r}")
        return {json.loads(each["body"])["content"]: json.loads(each["body"]) for each in json.loads(body).get("records", [])} if status == 200 else {}

    def check_reads(self, when, blobs, contents):
        for digest in blobs:
            status, _, body = self.ask("GET", f"/v2/main/blobs/{digest}")
            self.expect(status == 200 and body == self.blobs[digest], f"{when}: a blob: {status} {body[:100]!r}")
        found = self.found(contents)
        self.expect(found == {content: self.records[content] for content in contents}, f"{when}: {len(found)} records of {len(contents)}")
        for name, manifest in self.tags.items():
            status, _, body = self.ask("GET", f"/v2/main/app/manifests/{name}")
            self.expect(status == 200 and body == manifest, f"{when}: the tag {name}: {status}")
        for digest in self.refused:
            status, _, _ = self.ask("GET", f"/v2/main/blobs/{digest}")
            self.expect(status == 404 or digest in self.blobs, f"{when}: a blob that was refused: {status}")

    def stop(self):
        self.process.terminate()
        self.expect(self.process.wait() == 0, f"the stop gave {self.process.returncode}")
        for line in self.log:
            self.expect("ERROR" not in line or "disk is full" in line or "No space left" in line, f"logged: {line.strip()}")

    # --- a disk that others fill ---

    def full_disk(self):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", self.disk], check=True)
        self.start()
        for size in (10, MIB, 3 * MIB):
            _, data = self.upload(size, in_pieces=size == MIB)
            self.publish(data)
        self.expect(self.tag("kept", data) == 201 and len(self.records) == 3, "no room from the start")
        for left in (6 * MIB, 3 * MIB, MIB, 256 << 10, 64 << 10, 4096, 0):
            self.fill(left)
            blobs, contents = list(self.blobs), list(self.records)
            for in_pieces in (False, True):
                status, _ = self.upload(2 * MIB, in_pieces)
                self.expect(status in (507, 0) or left > 5 * MIB, f"an upload with {left} bytes left: {status}")
                self.upload(1000, in_pieces)
            status, _ = self.publish(data)
            self.expect(status == 507 or left > 4 * MIB, f"a publish with {left} bytes left: {status}")
            self.expect(self.tag(f"late-{left}", data) in (201, 507), "a manifest")
            self.expect(self.ask("POST", "/cache/v1/claim/main", json.dumps({"owner": "me", "steps": [{"definition": sha("a"), "content": sha("a")}]}))[0] == 200, "a claim")
            self.expect(self.ask("GET", "/healthz")[0] == 200, "healthz")
            self.expect(self.ready()[0] == 200, "not ready, though it can be read from")
            self.check_reads(f"with {left} bytes left", blobs, contents)
        time.sleep(UPKEEP)  # the server may try to make room, and gives away nothing that it promised
        self.check_reads("after the server looked for room", [sha(data)], [])
        os.unlink(os.path.join(self.disk, "filler"))
        self.go_on(data)
        self.stop()
        self.start()
        self.check_reads("after a new start", self.blobs, self.records)
        self.stop()
        subprocess.run(["umount", self.disk], check=True)

    def ready(self):
        return Client(self.address, self.token).ask("GET", "/readyz")

    def age(self, but="", until=0, used=0):
        """As if promises ended at `until`, but for one record, and blobs were used at `used`: what is found has to be noted anew, which writes."""
        script = ("import sqlite3, sys; db = sqlite3.connect(sys.argv[1], timeout=20); until, used = int(sys.argv[3]), int(sys.argv[4]); "
                  "db.execute('UPDATE blob_link SET last_used = ?', (used,)); "
                  "db.execute('UPDATE record SET kept_until = ? WHERE content != ?', (until, bytes.fromhex(sys.argv[2]))); db.commit()")
        subprocess.run(["python3", "-c", script, os.path.join(self.disk, "root", "cache.db"), but.split(":")[-1], str(int(until * 1000)), str(int(used * 1000))],
                       check=True)

    def fill(self, left):
        path = os.path.join(self.disk, "filler")
        if os.path.exists(path):
            os.unlink(path)
        self.age(until=time.time() + 1800, used=time.time() - 600)
        info = os.statvfs(self.disk)
        with open(path, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, info.f_bavail * info.f_frsize - left))

    def go_on(self, data):
        for in_pieces in (False, True):
            self.expect(self.upload(2 * MIB, in_pieces)[0] == 201, "an upload after there was room again")
        self.expect(self.publish(data)[0] == 200, "a publish after there was room again")
        self.expect(self.tag("again", data) == 201 and self.ready()[0] == 200, "a manifest after there was room again")
        self.check_reads("after there was room again", self.blobs, self.records)

    # --- the most that it may keep ---

    def full_size(self):
        self.start("--max-size", "21m")
        _, image = self.upload(4 * MIB)
        self.expect(self.tag("kept", image) == 201, "the tag")
        _, wanted = self.upload(4 * MIB)
        _, promised = self.publish(wanted, cost_ms=1)
        self.found([promised["content"]])
        statuses = Counter()
        for _ in range(12):  # 24 MiB, and there is room for 13
            status, data = self.upload(2 * MIB)
            statuses[status] += 1
            if status == 201:
                self.publish(data, cost_ms=100_000)
        self.expect(statuses == {201: 12}, f"uploads, each of which pushes out an older one that nobody looked up: {statuses}")
        self.check_reads("at the limit", [sha(image), sha(wanted)], [promised["content"]])
        self.age(promised["content"])
        time.sleep(1.1)  # who finds no room makes some, but not more often than each second
        self.expect(self.upload(MIB)[0] == 201, "an upload that made room")
        self.check_reads("after an eviction", [sha(image), sha(wanted)], [promised["content"]])
        kept = {content: self.ask("HEAD", f"/v2/main/blobs/{mine['blob']['digest']}")[0] for content, mine in self.records.items() if content in self.found(self.records)}
        self.expect(set(kept.values()) == {200}, f"a record without its blob: {kept}")
        self.expect(len(kept) < len(self.records), "nothing was evicted")
        self.stop()

    # --- open files ---

    def many_connections(self):
        few = os.path.join(self.disk, "few")
        with open(few, "w", encoding="ascii") as file:
            file.write(f'#!/bin/sh\nexec prlimit --nofile=300:300 "{self.options.mybuild}" "$@"\n')
        os.chmod(few, 0o700)
        self.start(binary=few)
        host, port = self.address.rsplit(":", 1)
        links = []
        for number in range(700):
            links.append(socket.create_connection((host, int(port)), timeout=20))
            links[-1].sendall((b"GET /healthz HTTP/1.1\r\n\r\n", b"GET /hea", b"")[number % 3])
            if number % 70 == 0:
                self.client = Client(self.address, self.token)
                status, data = self.upload(100_000, in_pieces=number % 140 == 0)
                self.expect(status == 201 and self.publish(data)[0] == 200 and self.tag(f"t{number}", data) == 201, f"with {number} connections: {status}")
                self.check_reads(f"with {number} connections", self.blobs, self.records)
        self.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mybuild", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--of", choices=("disk", "size", "descriptors"), required=True)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    run = Run(options)
    {"disk": run.full_disk, "size": run.full_size, "descriptors": run.many_connections}[options.of]()
    print("\n".join(run.wrong[:40]))
    print(f"cache server full, {options.of}: answers {dict(sorted(run.answers.items()))}, {len(run.wrong)} wrong")
    sys.exit(1 if run.wrong else 0)


if __name__ == "__main__":
    main()
