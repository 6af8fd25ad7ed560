#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills `mybuild serve` with SIGKILL at random times while clients publish, look up, push images and delete. After each kill it starts at
once, has every blob and record that it acknowledged, as they were, and serves nothing else.

    cache_server_crashes.py --mybuild BINARY --work DIR [--rounds N] [--seed N]"""
import argparse
import json
import os
import random
import shutil
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from cache_server_client import Client, record, sha, start  # noqa: E402


class Acknowledged:
    """What the server said that it has. Written before and after each request, so that one that was under way is known to be unsure."""

    def __init__(self):
        self.lock = threading.Lock()
        self.blobs, self.records, self.tags, self.unsure_tags = {}, {}, {}, {}


def load(address, token, seed, have, stop):
    rng = random.Random(seed)
    client = Client(address, token)
    serial = 0
    while not stop.is_set():
        serial += 1
        name = f"{seed}-{serial}"
        try:
            data = rng.randbytes(rng.choice([10, 1000, 100_000, 1_000_000]))
            if rng.random() < 0.3:  # in pieces
                _, headers, _ = client.ask("POST", "/v2/main/blobs/uploads/")
                cut = rng.randrange(len(data))
                _, headers, _ = client.ask("PATCH", headers["location"], data[:cut], {"Content-Range": f"0-{cut - 1}"} if cut else {})
                place = headers["location"]
                status, _, _ = client.ask("PUT", place + ("&" if "?" in place else "?") + "digest=" + sha(data), data[cut:])
                assert status == 201, status
            else:
                client.put_blob(data)
            with have.lock:
                have.blobs[sha(data)] = data
            mine = record(name, data)
            result = client.publish(mine)
            assert result == ["accepted"], result
            with have.lock:
                have.records[mine["content"]] = mine
            if rng.random() < 0.2:
                push_image(client, rng, data, seed, have)
            if rng.random() < 0.2:
                client.lookup(contents=[mine["content"]])
        except (OSError, ValueError, KeyError) as error:
            if not stop.is_set() and not isinstance(error, OSError):
                raise
            return
        except Exception as error:  # http.client's own, when the connection breaks
            if type(error).__module__ != "http.client":
                raise
            return


def push_image(client, rng, layer, seed, have):
    config = json.dumps({"n": rng.random()}).encode()
    client.put_blob(config)
    manifest = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                           "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": sha(config), "size": len(config)},
                           "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": sha(layer), "size": len(layer)}]})
    tag = f"t{seed}"
    with have.lock:
        have.unsure_tags[tag] = manifest
    status, _, body = client.ask("PUT", f"/v2/main/app/manifests/{tag}", manifest, {"Content-Type": "application/vnd.oci.image.manifest.v1+json"})
    assert status == 201, (status, body)
    with have.lock:
        have.tags[tag] = manifest
        have.unsure_tags.pop(tag)


def check(address, token, have, wrong):
    client = Client(address, token)
    for digest, data in have.blobs.items():
        if client.get_blob(digest) != data:
            wrong.append(f"blob {digest} is lost or another")
    contents = list(have.records)
    for start_at in range(0, len(contents), 500):
        part = contents[start_at:start_at + 500]
        found = {}
        for each in client.lookup(contents=part)["records"]:
            body = json.loads(each["body"])
            found[body["content"]] = body
        for content in part:
            if found.get(content) != have.records[content]:
                wrong.append(f"record {content} is lost or another: {found.get(content)}")
    for tag, manifest in list(have.tags.items()):
        status, _, body = client.ask("GET", f"/v2/main/app/manifests/{tag}")
        if status != 200 or body.decode() not in (manifest, have.unsure_tags.get(tag)):
            wrong.append(f"tag {tag}: {status}")
            continue
        have.tags[tag] = body.decode()  # the one that was under way may have come through
        if client.get_blob(json.loads(body)["layers"][0]["digest"]) is None:
            wrong.append(f"tag {tag} without its layer")
    have.unsure_tags.clear()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mybuild", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    options = parser.parse_args()
    rng = random.Random(options.seed)
    root = os.path.join(options.work, "crash-root")
    have, wrong, starts, total = Acknowledged(), [], [], [0, 0]
    for number in range(options.rounds):
        if number % 20 == 0:  # what is checked each time should not grow for ever
            shutil.rmtree(root, ignore_errors=True)
            have = Acknowledged()
        began = time.monotonic()
        process, address, token = start(options.mybuild, root)
        starts.append(time.monotonic() - began)
        check(address, token, have, wrong)
        stop = threading.Event()
        workers = [threading.Thread(target=load, args=(address, token, f"{number}-{i}", have, stop)) for i in range(4)]
        for worker in workers:
            worker.start()
        time.sleep(rng.uniform(0.005, 0.3))
        stop.set()
        os.kill(process.pid, signal.SIGKILL)
        for worker in workers:
            worker.join()
        process.wait()
        process.stderr.close()
        total[0] += len(have.blobs) if number % 20 == 19 else 0
        total[1] += len(have.records) if number % 20 == 19 else 0
    process, address, token = start(options.mybuild, root)
    check(address, token, have, wrong)
    process.terminate()
    if process.wait() != 0:
        wrong.append(f"SIGTERM gave {process.returncode}")
    print("\n".join(wrong[:20]))
    print(f"cache server crashes, seed {options.seed}: {options.rounds} kills, {total[0] + len(have.blobs)} blobs and {total[1] + len(have.records)} "
          f"records acknowledged, slowest start {max(starts):.2f} s, {len(wrong)} wrong")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
