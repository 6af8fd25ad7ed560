#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`mybuild serve` under load, beside Debian's docker-registry: lookups and small requests per second, MB/s up and down, and the CPU time of the
server for them. Needs root's docker-registry and wrk (apt-get install docker-registry wrk); load and server share the machine.

    cache_server_load.py --mybuild BINARY --work DIR [--seconds 5] [--connections 16] [--blob-mb 16] [--blobs 32] [--registry-only | --server-only]

Blobs go by sendfile(2) and come into one buffer, large ones from as many processes as there are cores, so that Python is no part of what is measured."""
import argparse
import atexit
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from multiprocessing import Pool

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from cache_server_client import Client, record, sha, start  # noqa: E402
from registry import free_port  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
KEYS = 50


class Link:
    """HTTP/1.1 on a socket, by hand."""

    def __init__(self, address, token):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=60)
        self.head = f"Host: {address}\r\n" + (f"Authorization: Bearer {token}\r\n" if token else "")
        self.buffer = bytearray(1 << 20)

    def ask(self, line, file=None, size=0):
        """(status, Location) of the answer, whose body is read and dropped."""
        kind = "Content-Type: application/octet-stream\r\n" if file else ""
        self.socket.sendall(f"{line} HTTP/1.1\r\n{self.head}{kind}Content-Length: {size}\r\n\r\n".encode())
        if file:
            self.socket.sendfile(file, 0, size)
        got = b""
        while b"\r\n\r\n" not in got:
            more = self.socket.recv(64 << 10)
            if not more:
                raise OSError(f"{line}: the server hung up")
            got += more
        head, rest = got.split(b"\r\n\r\n", 1)
        length = re.search(rb"(?i)\ncontent-length: (\d+)", head)
        left = int(length.group(1)) - len(rest) if length else 0
        while left > 0:
            left -= self.socket.recv_into(self.buffer, min(left, len(self.buffer)))
        location = re.search(rb"(?i)\nlocation: (\S+)", head)
        return int(head.split()[1]), location.group(1).decode() if location else ""


def push(job):
    address, token, blobs = job
    link = Link(address, token)
    for path, digest in blobs:
        size = os.path.getsize(path)
        status, location = link.ask("POST /v2/main/load/blobs/uploads/")
        assert status == 202, status
        location = location[location.index("/v2/"):]
        with open(path, "rb") as file:
            status, _ = link.ask(f"PUT {location}{'&' if '?' in location else '?'}digest={digest}", file, size)
        assert status == 201, status


def pull(job):
    address, token, blobs = job
    link = Link(address, token)
    for _, digest in blobs:
        status, _ = link.ask(f"GET /v2/main/load/blobs/{digest}")
        assert status == 200, status


class Measured:
    """One server: its process, and what it is asked."""

    def __init__(self, name, process, address, token):
        self.name, self.process, self.address, self.token = name, process, address, token
        atexit.register(process.kill)

    def cpu(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def bulk(self, what, work, blobs, processes):
        parts = [(self.address, self.token, blobs[i::processes]) for i in range(processes)]
        size = sum(os.path.getsize(path) for path, _ in blobs)
        os.sync()
        cpu, began = self.cpu(), time.time()
        with Pool(len(parts)) as pool:
            pool.map(work, parts)
        took = time.time() - began
        print(f"{self.name:16} {what:34} {size / took / 1e6:9.0f} MB/s     {(self.cpu() - cpu) / (size / 1e9):7.2f} s CPU a GB", flush=True)

    def wrk(self, what, options, path, script):
        name = os.path.join(options.work, "load.lua")
        with open(name, "w", encoding="ascii") as file:
            file.write(script + (f'\nwrk.headers["Authorization"] = "Bearer {self.token}"\n' if self.token else ""))
        cpu = self.cpu()
        out = subprocess.run(["wrk", "-t2", f"-c{options.connections}", f"-d{options.seconds}s", "--latency", "-s", name, f"http://{self.address}{path}"],
                             check=True, capture_output=True, text=True).stdout
        assert "Non-2xx" not in out, out
        rate = float(re.search(r"Requests/sec: +([\d.]+)", out).group(1))
        requests = int(re.search(r"(\d+) requests in", out).group(1))
        late = {int(each): value for each, value in re.findall(r"(50|99)% +(\S+)", out)}
        print(f"{self.name:16} {what:34} {rate:9.0f} a second  {(self.cpu() - cpu) / requests * 1e6:7.0f} us CPU each   50 % {late.get(50)}, 99 % {late.get(99)}", flush=True)


def start_server(options):
    root = os.path.join(options.work, "server")
    shutil.rmtree(root, ignore_errors=True)
    return Measured("mybuild serve", *start(options.mybuild, root))


def start_registry(options):
    folder, config = os.path.join(options.work, "registry"), os.path.join(options.work, "registry.json")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    address = f"127.0.0.1:{free_port(0)}"
    with open(config, "w", encoding="ascii") as file:  # YAML takes JSON
        json.dump({"version": "0.1", "log": {"level": "error", "accesslog": {"disabled": True}},
                   "storage": {"cache": {"blobdescriptor": "inmemory"}, "filesystem": {"rootdirectory": folder}}, "http": {"addr": address}}, file)
    process = subprocess.Popen(["docker-registry", "serve", config], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(200):
        try:
            urllib.request.urlopen(f"http://{address}/v2/", timeout=5)
            return Measured("docker-registry", process, address, "")
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise OSError("the registry does not answer")


def make_blobs(options, name, count, size):
    folder, blobs = os.path.join(options.work, name), []
    os.makedirs(folder, exist_ok=True)
    for number in range(count):
        path = os.path.join(folder, f"{number}-{size}")
        if not os.path.exists(path):
            with open(path, "wb") as file:
                file.write(os.urandom(size))
        with open(path, "rb") as file:
            blobs.append((path, "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()))
    return blobs


def lookups(server, options):
    client, names = Client(server.address, server.token), [f"load {number}" for number in range(1000)]
    client.put_blob(b"layer")
    client.publish(*[record(name, b"layer") for name in names])
    for what, keys in ((f"lookup of {KEYS} keys, all there", [sha("content " + name) for name in names[:KEYS]]),
                       (f"lookup of {KEYS} keys, none there", [sha("nothing " + name) for name in names[:KEYS]]),
                       ("lookup of 1 key", [sha("content " + names[0])])):
        server.wrk(what, options, "/cache/v1/lookup/main", f"wrk.method = 'POST'\nwrk.body = [[{json.dumps({'contents': keys})}]]")


def measure(server, options, large, small):
    server.bulk("up, blobs of %d MB" % options.blob_mb, push, large, os.cpu_count())
    server.bulk("down, blobs of %d MB" % options.blob_mb, pull, large, os.cpu_count())
    server.bulk("up, blobs of 64 kB", push, small, options.connections)
    path = f"/v2/main/load/blobs/{small[0][1]}"
    server.wrk("GET /v2/", options, "/v2/", "")
    server.wrk("GET of a blob of 64 kB", options, path, "")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mybuild", required=True)
    parser.add_argument("--work", required=True)
    for name, default in (("seconds", 5), ("connections", 16), ("blob-mb", 16), ("blobs", 32)):
        parser.add_argument("--" + name, type=int, default=default)
    parser.add_argument("--registry-only", action="store_true")
    parser.add_argument("--server-only", action="store_true")
    options = parser.parse_args()
    os.makedirs(options.work, exist_ok=True)
    large, small = make_blobs(options, "large", options.blobs, options.blob_mb * 1_000_000), make_blobs(options, "small", 400, 64_000)
    if not options.registry_only:
        server = start_server(options)
        lookups(server, options)
        measure(server, options, large, small)
        server.process.terminate()
        server.process.wait()
    if not options.server_only:
        measure(start_registry(options), options, large, small)


if __name__ == "__main__":
    main()
