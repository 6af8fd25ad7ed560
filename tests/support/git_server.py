#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Git over HTTP on loopback, from the directory given: git http-backend behind a web server that can also behave badly.
Prints its port and serves until its stdin ends. The first component of a path says how a repository is served:

  /smart/R    as it should be              /dumb/R      as plain files (after git update-server-info)
  /old/R      protocol version 0           /auth/R      only with "Authorization: basic x-access-token:sesame"
  /moved/R    redirected to /smart/R       /away/R      redirected to /auth/R under another host name
  /abroad/R    redirected to /smart/R under another host name
  /stall/R    nothing is said              /garbage/R   an answer of random bytes
  /close/R    half a line, then the end    /endless/R   refs without end
  /chatty/R   progress text without end    /hostile/R   refs that lead out of refs/
  /log        one line per request so far: path, then " auth" when it had credentials"""
import base64
import http.server
import os
import random
import subprocess
import sys
import threading
import time

ROOT = os.path.abspath(sys.argv[1])
TOKEN = "basic " + base64.b64encode(b"x-access-token:sesame").decode()
SERVED = ("smart", "dumb", "old", "auth")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
log = []


def pkt(text):
    data = text if isinstance(text, bytes) else text.encode()
    return b"%04x" % (len(data) + 4) + data


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.handle_any()

    def do_POST(self):
        self.handle_any()

    def handle_any(self):
        path, _, query = self.path.partition("?")
        if path == "/log":
            return self.answer("\n".join(log).encode())
        log.append(path + (" auth" if self.headers.get("Authorization") else ""))
        how, _, rest = path.lstrip("/").partition("/")
        if how in SERVED:
            return self.serve(how, rest, query)
        suffix = "?" + query if query else ""
        if how == "moved":
            return self.answer(b"", 302, {"Location": f"/smart/{rest}{suffix}"})
        if how in ("away", "abroad"):
            where = "auth" if how == "away" else "smart"
            return self.answer(b"", 302, {"Location": f"http://localhost:{self.server.server_port}/{where}/{rest}{suffix}"})
        self.close_connection = True
        getattr(self, "be_" + how, self.be_missing)()

    def serve(self, how, rest, query):
        body = self.body()
        if how == "auth" and self.headers.get("Authorization") != TOKEN:
            return self.answer(b"", 401, {"WWW-Authenticate": 'Basic realm="git"'})
        if how == "dumb":
            return self.file(rest)
        env = {"PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": ROOT, "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": "/" + rest,
               "QUERY_STRING": query, "REQUEST_METHOD": self.command, "CONTENT_TYPE": self.headers.get("Content-Type", ""),
               "REMOTE_USER": "x", "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
               "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""), "CONTENT_LENGTH": str(len(body))}
        if how != "old" and self.headers.get("Git-Protocol"):
            env["GIT_PROTOCOL"] = self.headers["Git-Protocol"]
        done = subprocess.run(["git", "http-backend"], input=body, env=env, capture_output=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        self.answer(content, int(headers.pop("Status", "200").split()[0]), headers)

    def file(self, rest):
        path = os.path.realpath(os.path.join(ROOT, rest))
        if not path.startswith(ROOT) or not os.path.isfile(path):
            return self.answer(b"", 404)
        with open(path, "rb") as f:
            self.answer(f.read(), 200, {"Content-Type": "text/plain"})

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, content, status=200, headers={}):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def begin(self, kind="advertisement"):
        self.send_response(200)
        self.send_header("Content-Type", f"application/x-git-upload-pack-{kind}")
        self.end_headers()

    def advertise(self, refs):
        self.begin()
        self.wfile.write(pkt("# service=git-upload-pack\n") + b"0000")
        caps = "\0side-band-64k ofs-delta agent=git/x"
        for ref in refs:
            self.wfile.write(pkt(f"{COMMIT} {ref}{caps}\n"))
            caps = ""
        self.wfile.write(b"0000")

    def be_missing(self):
        self.answer(b"", 404)

    def be_stall(self):
        time.sleep(600)

    def be_garbage(self):
        self.begin()
        self.wfile.write(random.Random(1).randbytes(100000))

    def be_close(self):
        self.begin()
        self.wfile.write(pkt("# service=git-upload-pack\n") + b"00000041" + COMMIT.encode()[:10])

    def be_endless(self):
        self.begin()
        self.wfile.write(pkt("# service=git-upload-pack\n") + b"0000" + pkt(f"{COMMIT} HEAD\0agent=git/x\n"))
        number = 0
        while True:
            self.wfile.write(b"".join(pkt(f"{COMMIT} refs/heads/{number + i}{'x' * 900}\n") for i in range(1000)))
            number += 1000

    def be_chatty(self):
        if self.command == "GET":
            return self.advertise(["HEAD", "refs/heads/main"])
        self.body()
        self.begin("result")
        self.wfile.write(pkt("NAK\n"))
        while True:
            self.wfile.write(pkt(b"\x02" + b"still counting \r" * 4000))

    def be_hostile(self):
        self.advertise(["HEAD", "refs/heads/../../../../x", "refs/heads/a\x1b[2Jb", "refs/heads/ok", "../../y"])


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # clients leave bad servers


server = Server(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
