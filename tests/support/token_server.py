#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A token server as registries have one: "token_server.py CERTIFICATE KEY LIFE" hands out tokens (JWT, RS256) that live for
LIFE seconds. Anybody may pull from public/…; me with the password secret, or with the identity token that a login gets, may
do everything. Prints its address; each request is a line on standard error: method, user, scope."""
import base64
import http.server
import json
import subprocess
import sys
import time
import urllib.parse

certificate, key, life = sys.argv[1], sys.argv[2], int(sys.argv[3])
LEEWAY = 60  # the registry takes tokens that much longer
REFRESH_TOKEN = "identity-of-me"


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(access):
    lines = open(certificate).read().split("-----")[2]
    now = int(time.time())
    head = {"typ": "JWT", "alg": "RS256", "x5c": ["".join(lines.split())]}
    body = {"iss": "test", "aud": "test", "sub": "", "jti": str(time.time()), "access": access,
            "nbf": now - 120, "iat": now - 120, "exp": now + life - LEEWAY}
    text = encoded(json.dumps(head).encode()) + "." + encoded(json.dumps(body).encode())
    signed = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=text.encode(), stdout=subprocess.PIPE, check=True)
    return text + "." + encoded(signed.stdout)


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        login = self.headers.get("Authorization", "")
        known = login == "Basic " + base64.b64encode(b"me:secret").decode()
        if login and not known:
            self.answer(401, {"errors": [{"code": "UNAUTHORIZED", "message": "incorrect username or password"}]}, "wrong", query)
        else:
            more = {"refresh_token": REFRESH_TOKEN} if known and query.get("offline_token") else {}
            self.give("me" if known else "anybody", query, more)

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if form.get("refresh_token") == [REFRESH_TOKEN] and form.get("grant_type") == ["refresh_token"]:
            self.give("token", form, {})
        else:
            self.answer(400, {"error": "invalid_grant"}, "wrong", form)

    def give(self, user, query, more):
        access = []
        for scope in " ".join(query.get("scope", [])).split():
            kind, name, actions = scope.split(":")
            allowed = actions.split(",") if user != "anybody" else [a for a in actions.split(",") if a == "pull" and name.startswith("public/")]
            access.append({"type": kind, "name": name, "actions": allowed})
        # Said to live longer than it does: only the registry's 401 shows the end.
        self.answer(200, {"token": token(access), "expires_in": 300, **more}, user, query)

    def answer(self, status, document, user, query):
        print(self.command, user, " ".join(query.get("scope", [])), file=sys.stderr, flush=True)
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
print(f"http://127.0.0.1:{server.server_port}/token", flush=True)
server.serve_forever()
