#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A proxy of a cache server that says of every step that another machine runs it, and lets builds wait.

    holding_proxy.py HOST:PORT        prints the address that it listens on, and each request to its stderr"""
import http.client
import http.server
import json
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "/cache/v1/claim/" in self.path:
            held = {"result": "held", "owner": "nobody", "time_ms": 500000}
            return self.reply(200, [], json.dumps({"results": [held] * len(json.loads(body)["steps"])}).encode())
        if "/cache/v1/wait/" in self.path:
            return self.reply(200, [], b'{"over":[],"records":[]}')
        server = http.client.HTTPConnection(sys.argv[1])
        server.request(self.command, self.path, body, {k: v for k, v in self.headers.items() if k.lower() != "transfer-encoding"})
        response = server.getresponse()
        data = response.read()
        self.reply(response.status, response.getheaders(), data)

    def reply(self, status, headers, data):
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = answer


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print("127.0.0.1:%d" % server.server_port, flush=True)
server.serve_forever()
