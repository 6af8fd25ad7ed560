#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A web server on a free loopback port that does what web servers should not, one path for each kind of it; and the few
good answers that a client needs to be tested with. Prints its own address. What was asked: GET /asked, one line each."""
import gzip
import socketserver
import threading
import time

BODY = b"hello from afar\n" * 4096
OLD = "Sun, 06 Nov 1994 08:49:37 GMT"
asked = []
failures_left = {"/500-then-ok": 2, "/broken-then-rest": 1, "/429-then-ok": 1}
lock = threading.Lock()


def fails_once_more(path):
    with lock:
        failures_left[path] -= 1
        return failures_left[path] >= 0


class Visit(socketserver.StreamRequestHandler):
    def handle(self):
        self.connection.settimeout(60)
        while self.one_request():
            pass

    def one_request(self):
        line = self.rfile.readline(65536).decode("latin-1").split()
        if len(line) != 3:
            return False
        self.wanted = {}
        while (header := self.rfile.readline(65536).decode("latin-1").strip()) != "":
            name, _, value = header.partition(":")
            self.wanted[name.lower()] = value.strip()
        path = line[1].partition("?")[0]
        with lock:
            asked.append(f"{line[0]} {path} {self.wanted.get('authorization', '-')} {self.wanted.get('range', '-')}")
        answer = getattr(self, "do_" + path.strip("/").replace("-", "_"), self.do_missing)
        try:
            answer()
        except OSError:
            pass
        return False

    def send(self, status, headers=(), body=b"", length=None):
        head = [f"HTTP/1.1 {status}", "Connection: close", *headers]
        head.append(f"Content-Length: {len(body) if length is None else length}")
        self.wfile.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)

    def begin(self, *headers):
        self.wfile.write("\r\n".join(["HTTP/1.1 200 OK", "Connection: close", *headers]).encode() + b"\r\n")

    def do_missing(self):
        self.send("404 Not Found", ["Content-Type: text/plain"], b"there is nothing\n")

    def do_asked(self):
        with lock:
            self.send("200 OK", body="\n".join(asked).encode())

    def do_no_validators(self):
        self.send("200 OK", body=BODY)

    def do_etag(self):
        same = self.wanted.get("if-none-match") == '"1"'
        self.send("304 Not Modified" if same else "200 OK", ['ETag: "1"'], b"" if same else BODY, 0 if same else None)

    def do_etag_ignored(self):
        self.send("200 OK", ['ETag: "1"'], BODY)

    def do_last_modified(self):
        same = self.wanted.get("if-modified-since") == OLD
        self.send("304 Not Modified" if same else "200 OK", [f"Last-Modified: {OLD}"], b"" if same else BODY, 0 if same else None)

    def do_gzip(self):
        self.send("200 OK", ["Content-Encoding: gzip"], gzip.compress(BODY))

    def do_archive(self):
        self.send("200 OK", ["Content-Type: application/gzip"], gzip.compress(BODY, mtime=0))

    def do_bomb(self):
        self.send("200 OK", ["Content-Encoding: gzip"], gzip.compress(bytes(64 << 20)))

    def do_endless(self):
        self.begin("")
        while True:
            self.wfile.write(BODY)

    def do_headers_endless(self):
        self.begin()
        while True:
            self.wfile.write(b"X-More: and more\r\n")

    def do_stall(self):
        self.begin("Content-Length: 100", "")
        self.wfile.write(b"x")
        time.sleep(30)

    def do_silent(self):
        time.sleep(30)

    def do_slow(self):
        self.begin("Content-Length: 5", "")
        for byte in b"slow\n":
            time.sleep(0.3)
            self.wfile.write(bytes([byte]))

    def do_short(self):
        self.send("200 OK", body=b"0123456789", length=100)

    def do_chunks_cut(self):
        self.begin("Transfer-Encoding: chunked", "")
        self.wfile.write(b"5\r\nhello\r\n")

    def do_no_http(self):
        self.wfile.write(b"220 mail.example ESMTP\r\n")

    def do_loop(self):
        self.send("302 Found", ["Location: /loop"])

    def do_redirect(self):
        self.send("302 Found", ["Location: /no-validators"])

    def do_redirect_other_host(self):
        port = self.server.server_address[1]
        self.send("302 Found", [f"Location: http://localhost:{port}/no-validators"])

    def do_redirect_file(self):
        self.send("302 Found", ["Location: file:///etc/passwd"])

    def do_500_then_ok(self):
        self.send("500 Internal Server Error") if fails_once_more("/500-then-ok") else self.do_no_validators()

    def do_429_then_ok(self):
        if fails_once_more("/429-then-ok"):
            self.send("429 Too Many Requests", ["Retry-After: 1"])
        else:
            self.do_no_validators()

    def do_broken_then_rest(self):
        if fails_once_more("/broken-then-rest"):
            self.send("200 OK", ['ETag: "1"'], BODY[:1000], len(BODY))
        else:
            start = int(self.wanted["range"].removeprefix("bytes=").rstrip("-"))
            span = f"Content-Range: bytes {start}-{len(BODY) - 1}/{len(BODY)}"
            self.send("206 Partial Content", ['ETag: "1"', span], BODY[start:])

    def do_private(self):
        good = self.wanted.get("authorization") in ("Bearer t0ken", "Basic dTpw")
        self.send("200 OK", body=BODY) if good else self.send("401 Unauthorized")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request, client_address):
        pass  # clients that go away are what this is about


with Server(("127.0.0.1", 0), Visit) as server:
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()
