# SPDX-License-Identifier: Apache-2.0
"""What a hostile client of `mybuild serve` does, on raw sockets. Each attack is a method of Attacker whose name begins with `attack_`; it draws
what it does from its own random numbers, and says by `expect` what must never come of it."""
import json
import random
import socket
import sys
import time
import os
from urllib.parse import quote

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from cache_server_client import record, sha  # noqa: E402

SECRET = b"nobody outside of the namespace may see this"
BRANCH = "team/pr-1"
TRICKS = ["", ".", "..", "../..", "%2e%2e", "%2e%2e%2f%2e%2e", "%2f", "%2F%2Fetc", "a%00b", "%00", "\\..\\x", "main/../../cache.db", "/etc/passwd",
          "x" * 255, "x" * 300, "y/" * 120 + "y", "z" * 20_000, "A", "é", "%c3%a9", "%ff", "%zz", "%", "a b", "a%20b", "-", "--", "*", "main%2fsub", "uploads",
          "sha256:" + "0" * 63, "sha256:" + "g" * 64, "sha512:" + "0" * 128, "sha256:..%2f..", "sha256:" + "A" * 64, ":", "@", "main", "secret", "team", "%0d%0aX:%20y", "'; --"]
ODD = [None, True, False, 0, -1, 1, 2**31, 2**63 - 1, 2**63, 2**64, -2**63, -2**70, 1e308, 0.5, "", "x", "\x00", "\ud800", "é" * 400, "x" * 70_000, [], {}, [[]],
       [None] * 2000, {"x": {}}, "sha256:" + "0" * 64, "sha256:" + "a" * 64, "../..", "9999-99-99T99:99:99Z", "-0001-01-01T00:00:00Z", "main"]
NO_HTTP = [b"\r\n" * 2000, b"GET", b"GET / HTTP/9.9\r\n\r\n", b"GET http://a:b:c/ HTTP/1.1\r\n\r\n", b"* * *\r\n\r\n",
           b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /v2/ HTTP/1.1\r\n folded: x\r\n\r\n",
           b"GET /v2/ HTTP/1.1\r\nA\x00: b\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xaa" * 300]
LENGTHS = ["-1", "18446744073709551615", "18446744073709551616", "9223372036854775808", "1e3", "0x10", "", "5, 5", "5\r\nContent-Length: 6", "33554433",
           "3\r\nTransfer-Encoding: chunked", "0\r\nTransfer-Encoding: gzip, chunked", "1099511627776"]
CHUNKS = [b"3\r\nabc\r\n0\r\n\r\n", b"ffffffffffffffff\r\nabc", b"fffffffffffffffff\r\nabc", b"-3\r\nabc", b"3;" + b"e" * 50_000 + b"\r\nabc\r\n0\r\n\r\n", b"zz\r\n",
          b"3\r\nabcdef\r\n0\r\n\r\n", b"0\r\nTrailer: x\r\n\r\n", b"0\r\n" + b"T: x\r\n" * 9000 + b"\r\n", b"1\r\nx\r\n" * 5000 + b"0\r\n\r\n", b"40000\r\n" + b"x" * 0x1000]
RANGES = ["", "", "Range: bytes=0-\r\n", "Range: bytes=-99999999999999999999\r\n", "Range: bytes=9-1\r\n", "Range: bytes=0-0,1-1\r\n", "Content-Range: 5-2\r\n",
          "Content-Range: bytes 0-9/x\r\n", "If-Range: x\r\nRange: bytes=1-\r\n"]
METHODS = ["GET", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "M" * 40]
LAYER = "application/vnd.oci.image.layer.v1.tar"
CONFIG = "application/vnd.oci.image.config.v1+json"
IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def mutated(rng, value):
    """`value` with one place of it changed."""
    if isinstance(value, dict) and value and rng.random() < 0.85:
        key = rng.choice(list(value))
        changed = dict(value)
        if rng.random() < 0.15:
            del changed[key]
        elif rng.random() < 0.1:
            changed[key + rng.choice(["", "\x00", "x" * 2000])] = rng.choice(ODD)
        else:
            changed[key] = mutated(rng, value[key])
        return changed
    if isinstance(value, list) and value and rng.random() < 0.85:
        changed = list(value)
        at = rng.randrange(len(changed))
        return changed * rng.choice([2, 50, 1100]) if rng.random() < 0.1 else changed[:at] + [mutated(rng, changed[at])] + changed[at + 1:]
    return rng.choice(ODD)


def broken_text(rng, message):
    """The message as bytes; now and then no JSON any more."""
    for _ in range(rng.choice([0, 1, 1, 1, 2, 3])):
        message = mutated(rng, message)
    text = json.dumps(message).encode()
    kind = rng.random()
    if kind < 0.05:
        return text[:rng.randrange(len(text) + 1)]
    if kind < 0.1:
        at = rng.randrange(len(text) + 1)
        return text[:at] + rng.randbytes(rng.randrange(1, 9)) + text[at:]
    if kind < 0.12:
        return rng.choice([b"[", b'{"a":']) * rng.choice([100, 100_000])
    if kind < 0.14:
        return rng.choice([b"NaN", b"", b"\xff\xfe", b"null", b"1e999999", b'"\\ud800"', b"{}" * 1000, b'{"records":' + b"9" * 50_000 + b"}"])
    return text


class Attacker:
    """`world` has: address, tokens by name, digests of `secret` and `main` blobs, `fault(text)`, `count(status)`."""

    def __init__(self, world, seed):
        self.world, self.rng, self.slow, self.uploads, self.serial = world, random.Random(seed), [], [], 0
        self.attacks = [getattr(self, name) for name in sorted(dir(self)) if name.startswith("attack_")]

    def once(self):
        attack = self.rng.choice(self.attacks)
        try:
            attack()
        except TimeoutError:
            self.world.fault(f"no answer and no end to {attack.__name__}")
        except OSError:
            self.world.count("cut off")  # the server may hang up on anything; that it is alive is looked at by others

    # --- bytes ---

    def connect(self):
        host, port = self.world.address.rsplit(":", 1)
        return socket.create_connection((host, int(port)), timeout=15)

    def talk(self, request, cut=False, is_whole=True):
        """Sends, reads one answer: (status, headers, body), status 0 without one. `is_whole`: the server owes one."""
        with self.connect() as link:
            link.sendall(request)
            if cut:
                return 0, {}, b""
            if not is_whole or self.rng.random() < 0.1:
                link.shutdown(socket.SHUT_WR)
            return self.answer(link, request[:5] == b"HEAD ", request[:300])

    def answer(self, link, is_head, asked):
        got = b""
        while b"\r\n\r\n" not in got:
            more = link.recv(65536)
            if not more:
                return 0, {}, b""
            got += more
        head, _, body = got.partition(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 100"):
            head, _, body = body.partition(b"\r\n\r\n")
            if not head:
                return 0, {}, b""
        status = int(head.split(b" ", 2)[1]) if head.startswith(b"HTTP/1.1 ") else -1
        fields = {line.split(":", 1)[0].lower(): line.split(":", 1)[1].strip() for line in head.decode("latin-1").split("\r\n")[1:]}
        wanted = 0 if is_head or status == 204 else int(fields.get("content-length", 0))
        while len(body) < wanted and (more := link.recv(65536)):
            body += more
        self.judge(status, head, body, asked)
        return status, fields, body

    def judge(self, status, head, body, asked):
        self.world.count(status)
        if status in (-1, 500, 503) or not 100 <= status < 600:
            self.world.fault(f"{head[:200]!r} to {asked!r}: {body[:200]!r}")
        if SECRET in body:
            self.world.fault(f"the secret came out with {asked!r}")

    def head(self, method, path, token, fields=""):
        secret = self.world.tokens[token]
        allow = f"Authorization: Bearer {secret}\r\n" if secret else ""
        return f"{method} {path} HTTP/1.1\r\nHost: x\r\n{allow}{fields}\r\n".encode("utf-8", "surrogateescape")

    def ask(self, method, path, body=b"", token=None, headers="", **how):
        name = token or self.rng.choice(["branch"] * 3 + ["reader", "admin", "revoked", "expired", "nobody", "garbage"])
        return self.talk(self.head(method, path, name, f"{headers}Content-Length: {len(body)}\r\n") + body, **how)

    def expect(self, is_right, what):
        if not is_right:
            self.world.fault(what)

    def name(self):
        return self.rng.choice([BRANCH, BRANCH, "main", "secret", BRANCH + "/app", self.rng.choice(TRICKS), f"{self.rng.choice(TRICKS)}/{self.rng.choice(TRICKS)}"])

    def digest(self):
        return self.rng.choice([self.world.secret, self.world.shared, sha(b"none"), self.rng.choice(TRICKS)])

    # --- HTTP ---

    def attack_no_http(self):
        junk = self.rng.choice(NO_HTTP + [self.rng.randbytes(self.rng.choice([1, 100, 40_000]))])
        self.talk(junk, cut=self.rng.random() < 0.3, is_whole=False)

    def attack_long_head(self):
        size, end = self.rng.choice([8_000, 31_000, 33_000, 200_000]), b" HTTP/1.1\r\n\r\n"
        rest = self.rng.choice([b"x" * size + end, end[:-2] + b"X: " + b"y" * size + b"\r\n\r\n", end[:-2] + b"A: b\r\n" * (size // 6) + b"\r\n", b"?" + b"a=b&" * (size // 4) + end])
        self.talk(b"GET /v2/" + rest, is_whole=False)

    def body_place(self):
        return self.rng.choice([f"/v2/{BRANCH}/blobs/uploads/?digest={sha(b'abc')}", f"/cache/v1/lookup/{BRANCH}", f"/cache/v1/publish/{BRANCH}", "/healthz", "/v2/", f"/v2/{BRANCH}/manifests/x"])

    def attack_lengths(self):
        fields = self.rng.choice(["", "Expect: 100-continue\r\n", "Expect: magic\r\n"]) + f"Content-Length: {self.rng.choice(LENGTHS)}\r\n"
        self.talk(self.head("POST", self.body_place(), "branch", fields) + b"abc", cut=self.rng.random() < 0.3, is_whole=False)

    def attack_chunks(self):
        head = self.head("POST", self.body_place(), "branch", "Transfer-Encoding: chunked\r\n")
        self.talk(head + self.rng.choice(CHUNKS), cut=self.rng.random() < 0.3, is_whole=False)

    def attack_pipeline(self):
        one = self.head("GET", "/v2/", "reader")
        with self.connect() as link:
            link.sendall(one * self.rng.choice([2, 200]) + self.rng.choice([b"", one[:20], b"junk\r\n\r\n"]))
            self.answer(link, False, one)

    def attack_slowly(self):
        """Keeps up to 40 connections that send a byte now and then, at any place of a request."""
        if len(self.slow) < 40:
            link = self.connect()
            link.sendall(self.rng.choice([b"", b"G", b"GET /v2/ HT", self.head("POST", f"/v2/{BRANCH}/blobs/uploads/?digest={sha(b'x')}", "branch", "Content-Length: 1000000\r\n"),
                                          self.head("POST", f"/cache/v1/publish/{BRANCH}", "branch", "Transfer-Encoding: chunked\r\n") + b"1\r\n",
                                          self.head("POST", "/cache/v1/lookup/main", "reader", "Content-Length: 2000000\r\n")]))
            self.slow.append(link)
        link = self.rng.choice(self.slow)
        try:
            link.sendall(b"x")
            if self.rng.random() < 0.1:
                raise OSError
        except OSError:
            link.close()
            self.slow.remove(link)

    def attack_reads_nothing(self):
        with self.connect() as link:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            link.sendall(self.head("GET", f"/v2/main/blobs/{self.world.shared}", "reader") * 5)
            time.sleep(self.rng.choice([0, 0.01]))

    # --- names ---

    def trick_path(self):
        rng, trick, name, digest = self.rng, self.rng.choice(TRICKS), self.name(), self.digest()
        number = rng.choice(TRICKS + ["-1", "0", "99999999999999999999"])
        verb, folder = rng.choice(["lookup", "keys", "publish", "explain", "claim", "blobs", trick]), rng.choice(["tokens", "namespaces", "pins", "remove-records", trick])
        return rng.choice([f"/{trick}", f"/v2/{trick}", f"/v2/{name}/blobs/{digest}", f"/v2/{name}/manifests/{digest}", f"/v2/{name}/tags/list?n={number}&last={trick}",
                           f"/v2/{name}/referrers/{digest}?artifactType={trick}", f"/v2/{name}/blobs/uploads/{trick}", f"/v2/_catalog?n={number}&last={trick}", f"/cache/v1/{verb}/{name}",
                           f"/admin/v1/{folder}/{name}/{digest}", f"/v2/{name}/blobs/uploads/?mount={digest}&from={self.name()}", f"/v2/{name}/blobs/uploads/?digest={trick}",
                           f"/v2/?{trick}={trick}&%zz"])

    def attack_paths(self):
        path, method = self.trick_path(), self.rng.choice(METHODS)
        status, _, _ = self.ask(method, path, headers=self.rng.choice(RANGES))
        is_forbidden = method not in ("GET", "HEAD", "OPTIONS") and path.startswith(("/v2/main/", "/v2/secret/", "/cache/v1/publish/main", "/cache/v1/publish/secret"))
        self.expect(not (is_forbidden and 200 <= status < 300), f"{method} {path[:200]}: {status}")

    # --- uploads ---

    def data(self):
        self.serial += 1
        return f"{id(self)} {self.serial} ".encode() + self.rng.randbytes(self.rng.choice([0, 10, 1000, 100_000]))

    def begin(self, token="branch"):
        status, fields, _ = self.ask("POST", f"/v2/{BRANCH}/blobs/uploads/", token=token)
        return fields["location"] if status == 202 else None

    def attack_wrong_digest(self):
        data = self.data()
        wrong = self.rng.choice([sha(data + b"x"), self.world.shared, self.world.secret, self.digest()])
        status, _, _ = self.ask("POST", f"/v2/{BRANCH}/blobs/uploads/?digest={wrong}", data, token="branch")
        self.expect(status != 201, f"bytes with another digest were taken as {wrong}")

    def attack_truncated(self):
        data = self.data()
        head = self.head("POST", f"/v2/{BRANCH}/blobs/uploads/?digest={sha(data)}", "branch", f"Content-Length: {len(data)}\r\n")
        self.talk(head + data[:self.rng.randrange(len(data))], cut=True)
        self.expect(self.ask("HEAD", f"/v2/{BRANCH}/blobs/{sha(data)}", token="branch")[0] in (0, 404, 503), "half of a blob is there")

    def attack_upload_session(self):
        place = self.begin()
        if place is None:
            return
        data, rng = self.data(), self.rng
        for _ in range(rng.randrange(4)):
            start = rng.choice([0, 1, 5, 2**40, 2**64])
            fields = rng.choice(["", f"Content-Range: {start}-{start + len(data) - 1}\r\n", "Content-Range: 0-2\r\n"])
            self.ask("PATCH", place + rng.choice(["", "?x=y"]), data, token=rng.choice(["branch", "branch", "reader", "admin"]), headers=fields, cut=rng.random() < 0.2)
        self.expect(self.ask("GET", place, token=rng.choice(["reader", "admin", "nobody"]))[0] not in (202, 204), "another token sees the upload")
        self.ask("PATCH", place.replace(BRANCH, rng.choice(["main", "secret", BRANCH + "/x"])), data, token="branch")
        if rng.random() < 0.7:
            for method in rng.sample(["PUT", "DELETE", "PUT"], 3):
                status, _, _ = self.ask(method, f"{place}?digest={rng.choice([sha(data), sha(b'other'), self.world.secret])}", rng.choice([b"", data]), token="branch")
                if method == "PUT" and status == 201:
                    self.expect(self.ask("GET", place, token="branch")[0] == 404, "a finished upload goes on")
        self.ask("DELETE", place, token="branch")

    def attack_mount(self):
        source = self.rng.choice(["secret", "secret", "", "main", self.rng.choice(TRICKS), "team/pr-2"])
        where = f"&from={quote(source)}" if source else ""
        status, fields, _ = self.ask("POST", f"/v2/{BRANCH}/blobs/uploads/?mount={self.world.secret}{where}", token="branch")
        self.expect(status != 201, f"mounted a blob of another namespace from '{source}'")
        if status == 202:
            self.ask("DELETE", fields["location"], token="branch")
        self.expect(self.ask("GET", f"/v2/{BRANCH}/blobs/{self.world.secret}", token="branch")[0] in (404, 0, 503), "the secret is in the branch")

    def attack_manifest(self):
        rng = self.rng
        layer = rng.choice([self.world.shared, self.world.secret, sha(b"none")])
        part = {"mediaType": LAYER, "digest": layer, "size": rng.choice([1, 2**62])}
        image = {"schemaVersion": 2, "mediaType": IMAGE, "config": {**part, "mediaType": CONFIG}, "layers": [part], "annotations": {"a": "b"},
                 "subject": {**part, "mediaType": IMAGE}, "artifactType": "x/y"}
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [{**part, "mediaType": IMAGE, "platform": {"os": "linux", "architecture": "amd64"}}], "annotations": {}}
        text = broken_text(rng, rng.choice([image, index])) if rng.random() < 0.95 else b"{" + b" " * 5_000_000 + b"}"
        repository, reference = rng.choice([BRANCH, BRANCH, "main", "secret", self.name()]), rng.choice(["t", sha(text), sha(b"x"), rng.choice(TRICKS)])
        kind = rng.choice([IMAGE, INDEX, "application/json", "", "x/y; q=1"])
        status, _, _ = self.ask("PUT", f"/v2/{repository}/manifests/{reference}", text, headers=f"Content-Type: {kind}\r\n")
        self.expect(status != 201 or repository not in ("main", "secret"), f"a manifest in {repository}")
        if status == 201 and self.ask("GET", f"/v2/{BRANCH}/blobs/{self.world.secret}", token="branch")[0] == 200:
            self.world.fault(f"a manifest has let the secret in: {text[:300]!r}")

    # --- messages ---

    def messages(self):
        rng = self.rng
        forged = record("forged " + str(rng.randrange(50)), b"x" * 10)
        forged["blob"] = {**forged["blob"], "digest": rng.choice([self.world.secret, self.world.shared, sha(b"none")])}
        digests = [rng.choice([self.world.main_record, sha(b"none"), sha(b"x")]) for _ in range(rng.choice([1, 3, 50]))]
        signed = {**forged, "space": "main", "signature": "AAAA"}
        return {"lookup": {"definitions": digests, "contents": digests}, "blobs": {"blobs": [self.world.secret, self.world.shared]}, "keys": {},
                "publish": {"records": [{"record": rng.choice([forged, signed]), "facts": {"a": "b", "c": sha(b"d")}}]},
                "claim": {"owner": "me", "steps": [{"definition": each, "content": each} for each in digests]},
                "heartbeat": {"claims": ["x", "y"]}, "release": {"claims": ["x"]}, "wait": {"contents": digests, "timeout_ms": rng.choice([0, 1, 20])},
                "explain": {"step": "RUN x", "facts": {"a": "b"}}}

    def attack_message(self):
        verb, message = self.rng.choice(list(self.messages().items()))
        text = broken_text(self.rng, message)
        if verb == "wait" and b"timeout_ms" in text and self.rng.random() < 0.9:
            text = json.dumps({**message, "contents": mutated(self.rng, message["contents"])}).encode()
        space = self.rng.choice([BRANCH, BRANCH, BRANCH, "-", "main", "secret", self.name()])
        method = "GET" if verb == "keys" else "POST"
        status, _, body = self.ask(method, f"/cache/v1/{verb}/{space}", text, cut=self.rng.random() < 0.05, headers=self.rng.choice(["", "", "Content-Type: application/json\r\n"]))
        if verb == "publish":
            self.expect(not (status == 200 and space in ("main", "secret")), f"published to {space}")
            self.expect(not (b"accepted" in body and self.world.secret.encode() in text), f"a record of another namespace's blob was accepted: {text[:300]!r}")
        self.expect(not (status == 200 and space == "secret"), f"{verb} in the namespace secret")

    def attack_large_message(self):
        verb = self.rng.choice(["lookup", "publish", "claim"])
        size = self.rng.choice([1 << 20, (2 << 20) + 1, 3 << 20])
        self.ask("POST", f"/cache/v1/{verb}/{BRANCH}", b'{"definitions":["' + b"a" * size + b'"]}', token="branch", cut=self.rng.random() < 0.3)

    def attack_admin(self):
        rng, name = self.rng, self.name()
        place, message = rng.choice([("tokens", {"namespace": rng.choice(["main", "", "secret", "*"]), "scopes": ["read", "admin"], "note": "n", "expires_in": 5}),
                                     (f"namespaces/{name}", {"parent": rng.choice(["main", "secret", "", BRANCH])}), (f"pins/{name}/{self.world.main_record}", {}),
                                     (f"remove-records/{rng.choice(['main', 'secret', name])}", {"since": "2020-01-01T00:00:00Z"}), (f"tokens/{rng.choice(self.world.token_ids)}", {})])
        method = rng.choice(["POST", "PUT", "DELETE", "GET"])
        status, _, body = self.ask(method, f"/admin/v1/{place}", broken_text(rng, message), token=rng.choice(["admin", "admin", "branch", "reader", "nobody"]))
        is_others = any(place.startswith(f"{folder}/{space}") for folder in ("pins", "remove-records", "tokens") for space in ("main", "secret", *self.world.token_ids))
        self.expect(not (status in (200, 201) and method != "GET" and is_others), f"{method} {place[:100]}: {status} {body[:200]!r}")
        self.expect(not (status == 201 and b"mbt_" in body), f"a branch made a token: {message}")

    def attack_tokens(self):
        odd = self.rng.choice(["Basic", "Basic !!!", "Basic " + "QQ" * 10_000, "Bearer", "Bearer " + "x" * 20_000, "Bearer \x01", "Basic Og==", "Digest x", "Bearer mbt_", "bearer  " + self.world.tokens["branch"][:-1]])
        status, _, _ = self.talk(self.head("GET", f"/v2/secret/blobs/{self.world.secret}", "nobody", f"Authorization: {odd}\r\n"))
        self.expect(status not in (200, 206), f"let in with {odd[:60]}")
