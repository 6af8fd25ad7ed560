#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Thousands of connections to `mybuild serve` that have asked once and are idle now, or stand in the middle of a body: what each costs the
server, whether others are served at once, and how long a stop takes.

    cache_server_idle.py --mybuild BINARY --work DIR --connections N --most-bytes N [--certificate PEM --key PEM]"""
import argparse
import os
import resource
import socket
import ssl
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from cache_server_client import start  # noqa: E402

MOST_OF_A_BODY = 20 << 10  # bytes that one may cost that has begun a body, sent by anybody
LONGEST_ANSWER = 1.0  # seconds, on a machine that does other things, too


class Server:
    def __init__(self, options):
        words = ["--tls-cert", options.certificate, "--tls-key", options.key] if options.certificate else []
        self.process, self.address, self.token = start(options.mybuild, os.path.join(options.work, "idle-root"), "--max-connections", "15000", *words)
        self.context = ssl.create_default_context(cafile=options.certificate) if options.certificate else None

    def connect(self):
        host, port = self.address.rsplit(":", 1)
        link = socket.create_connection((host, int(port)), timeout=30)
        return self.context.wrap_socket(link, server_hostname=host) if self.context else link

    def ask(self, link, path="/v2/"):
        link.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.token}\r\n\r\n".encode())
        answer = link.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200 "), answer[:200]
        return answer

    def knock(self, count):
        """Connections that say nothing, and some that begin to."""
        host, port = self.address.rsplit(":", 1)
        links = [socket.create_connection((host, int(port))) for _ in range(count)]
        for link in links[::2]:
            link.sendall(b"\x16\x03\x01" if self.context else b"GET /v2/")
        return links

    def cost_of_bodies(self, count):
        """Bytes for each connection that has begun a body and does not go on."""
        before, links = self.memory(), []
        for number in range(count):
            links.append(self.connect())
            length = "Transfer-Encoding: chunked" if number % 2 else "Content-Length: 1000000000"
            links[-1].sendall(f"POST /healthz HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n1\r\nx\r\n".encode())
        time.sleep(0.5)
        cost = (self.memory() - before) / count
        for link in links:
            link.close()
        return cost

    def memory(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return 1024 * int(next(line for line in file if line.startswith("RssAnon")).split()[1])

    def seconds_to_serve_a_stranger(self):
        began = time.monotonic()
        with self.connect() as link:
            self.ask(link)
        return time.monotonic() - began


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mybuild", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--connections", type=int, default=5000)
    parser.add_argument("--most-bytes", type=int, required=True)
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server, wrong = Server(options), []
    for link in [server.connect() for _ in range(100)]:  # what the server makes once
        server.ask(link)
        link.close()
    time.sleep(0.3)
    before = server.memory()
    idle = []
    for _ in range(options.connections):
        idle.append(server.connect())
        server.ask(idle[-1])
    each = (server.memory() - before) / options.connections
    slowest = max(server.seconds_to_serve_a_stranger() for _ in range(20))
    server.ask(idle[0])  # the first is there still
    body = server.cost_of_bodies(500)
    slow = server.knock(100)
    time.sleep(0.2)
    began = time.monotonic()
    server.process.terminate()
    code, stop = server.process.wait(), time.monotonic() - began
    del slow
    for what, is_wrong in ((f"{each:.0f} bytes for each", each > options.most_bytes), (f"a stranger waited for {slowest:.2f} s", slowest > LONGEST_ANSWER),
                           (f"{body:.0f} bytes for a body", body > MOST_OF_A_BODY + options.most_bytes),
                           (f"a stop took {stop:.2f} s", stop > 1), (f"the stop gave {code}", code != 0)):
        wrong += [what] if is_wrong else []
    print("\n".join(wrong))
    print(f"cache server idle, {options.connections} connections{' under TLS' if options.certificate else ''}: {each / 1024:.1f} KiB for each, {body / 1024:.1f} KiB with half a body, "
          f"a stranger is served within {1000 * slowest:.0f} ms, stopped in {stop:.2f} s, {len(wrong)} wrong")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
