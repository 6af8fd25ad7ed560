#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A registry on a free loopback port that lies: the repository of the image that is asked for says how. Prints its own address; what was asked goes to stderr,
one line each. Repositories without a name of their own below are honest, so that a store can be shown to be unharmed."""
import gzip
import hashlib
import io
import json
import socketserver
import sys
import tarfile
import threading
import time

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
lock = threading.Lock()
counts = {}


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def count(what):
    with lock:
        counts[what] = counts.get(what, 0) + 1
        return counts[what]


def layer_tar(*members):
    """Members: (name, bytes or a dictionary of TarInfo fields)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, what in members:
            info = tarfile.TarInfo(name)
            if isinstance(what, dict):
                for field, value in what.items():
                    setattr(info, field, value)
                tar.addfile(info)
            else:
                info.size = len(what)
                tar.addfile(info, io.BytesIO(what))
    return out.getvalue()


class Image:
    """Blobs by digest, and the manifest."""

    def __init__(self, *tars, compress=None, config_extra=None, diff_ids=None):
        self.blobs = {}
        layers = []
        for tar in tars:
            blob = compress(tar) if compress else tar
            layers.append(self.put(LAYER + ("+gzip" if compress else ""), blob))
        config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids or [digest(tar) for tar in tars]}, **(config_extra or {})}
        self.config = self.put(CONFIG, json.dumps(config).encode())
        self.layers = layers
        self.manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": self.config, "layers": layers}).encode()

    def put(self, media_type, data):
        self.blobs[digest(data)] = data
        return {"mediaType": media_type, "digest": digest(data), "size": len(data)}


def bomb(name, size):
    """gzip members in a row, of one file of zeros."""
    info = tarfile.TarInfo(name)
    info.size = size
    zeros, checksum = bytes(64 << 20), hashlib.sha256(info.tobuf(tarfile.GNU_FORMAT))
    for _ in range(size // len(zeros)):
        checksum.update(zeros)
    checksum.update(bytes(1024))
    members = [gzip.compress(info.tobuf(tarfile.GNU_FORMAT)), *[gzip.compress(zeros)] * (size // len(zeros)), gzip.compress(bytes(1024))]
    return b"".join(members), "sha256:" + checksum.hexdigest()


GOOD = Image(layer_tar(("file", b"honest\n")), compress=gzip.compress)
SPARSE = {"pax_headers": {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.name": "big", "GNU.sparse.size": str((8 << 60) - 1), "GNU.sparse.numblocks": "1", "GNU.sparse.map": "0,0"}}
IMAGES = {
    "sparse-8eb": lambda: Image(layer_tar(("big", SPARSE))),
    "up": lambda: Image(layer_tar(("../../../../tmp/mybuild-escaped", b"out\n"))),
    "absolute": lambda: Image(layer_tar(("/tmp/mybuild-escaped", b"out\n"))),
    "through-link": lambda: Image(layer_tar(("d", {"type": tarfile.SYMTYPE, "linkname": "/tmp"}), ("d/mybuild-escaped", b"out\n"))),
    "link-below": lambda: Image(layer_tar(("d", {"type": tarfile.SYMTYPE, "linkname": "../../../../../../tmp"})), layer_tar(("d/mybuild-escaped", b"out\n"))),
    "hard-link-out": lambda: Image(layer_tar(("link", {"type": tarfile.LNKTYPE, "linkname": "/etc/hostname"}))),
    "hard-link-up": lambda: Image(layer_tar(("link", {"type": tarfile.LNKTYPE, "linkname": "../../../../../../etc/hostname"}))),
    "whiteout-root": lambda: Image(layer_tar((".wh.", b""))),
    "whiteout-up": lambda: Image(layer_tar(("d/.wh...", b""))),
    "overlay-xattr": lambda: Image(layer_tar(("d", {"type": tarfile.DIRTYPE, "pax_headers": {"SCHILY.xattr.trusted.overlay.redirect": "/etc", "SCHILY.xattr.user.kept": "yes"}}), ("d/f", b"x\n"))),
    "others-diff-id": lambda: Image(layer_tar(("file", b"evil\n")), diff_ids=[digest(layer_tar(("file", b"honest\n")))]),
    "more-diff-ids": lambda: Image(layer_tar(("file", b"x\n")), diff_ids=[digest(b"1"), digest(b"2")]),
    "vanishes": lambda: Image(layer_tar(("gone", b"in the middle of it\n"))),
    "not-a-tar": lambda: Image(b"no tar at all, only a text that is long enough to be looked at" * 20),
    "not-gzip": lambda: Image(b"x" * 4096, compress=lambda tar: b"\x1f\x8b\x08\x00" + bytes(4096)),
}


class Visit(socketserver.StreamRequestHandler):
    def handle(self):
        self.connection.settimeout(60)
        try:
            while self.one_request():
                pass
        except OSError:
            pass

    def one_request(self):
        line = self.rfile.readline(65536).decode("latin-1").split()
        if len(line) != 3:
            return False
        self.method, self.path = line[0], line[1].partition("?")[0]
        self.wanted = {}
        while (header := self.rfile.readline(65536).decode("latin-1").strip()) != "":
            name, _, value = header.partition(":")
            self.wanted[name.lower()] = value.strip()
        print(self.method, self.path, self.wanted.get("range", ""), self.wanted.get("authorization", ""), file=sys.stderr, flush=True)
        parts = self.path.strip("/").split("/")
        if self.path == "/token":
            return self.send(200, json.dumps({"token": f"t{count('tokens')}", "expires_in": 60}).encode())
        if len(parts) != 4 or parts[0] != "v2":
            return self.send(200, b"{}")
        self.repository, kind, self.reference = parts[1:]
        self.image = image_of(self.repository)
        answer = getattr(self, f"{kind}_{self.repository.replace('-', '_')}", None)
        return (answer or getattr(self, kind, self.missing))()

    def head(self, status, headers=()):
        self.wfile.write("\r\n".join([f"HTTP/1.1 {status} Whatever", *headers]).encode() + b"\r\n\r\n")

    def send(self, status, body, *headers, length=None):
        self.head(status, [f"Content-Length: {len(body) if length is None else length}", *headers])
        if self.method != "HEAD":
            self.wfile.write(body)
        return length is None

    def missing(self):
        return self.send(404, b'{"errors": [{"code": "NAME_UNKNOWN", "message": "no such thing"}]}')

    # --- an honest registry ---

    def manifests(self):
        found = self.image.blobs.get(self.reference, self.image.manifest)
        kind = json.loads(found).get("mediaType", MANIFEST)
        return self.send(200, found, f"Content-Type: {kind}", f"Docker-Content-Digest: {digest(found)}")

    def blobs(self):
        blob = self.image.blobs.get(self.reference)
        return self.missing() if blob is None else self.send(200, blob)

    def is_layer(self):
        return any(self.reference == layer["digest"] for layer in self.image.layers)

    # --- manifests that lie ---

    def manifests_huge_manifest(self):
        self.head(200, [f"Content-Type: {MANIFEST}", f"Content-Length: {100 << 20}"])
        for _ in range(100):
            self.wfile.write(b" " * (1 << 20))
        return False

    def manifests_endless_manifest(self):
        self.head(200, [f"Content-Type: {MANIFEST}"])
        while True:
            self.wfile.write(b" " * (1 << 20))

    def manifests_many_layers(self, number=100000):
        layer = {"mediaType": LAYER, "digest": digest(b""), "size": 0}
        return self.send(200, json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": self.image.config, "layers": [layer] * number}).encode(), f"Content-Type: {MANIFEST}")

    def manifests_too_many_layers(self):
        return self.manifests_many_layers(20000)

    def manifests_deep_indexes(self):
        """Each index names the next one; the digests are right, and there is no end."""
        inner = {"mediaType": MANIFEST, "digest": digest(self.image.manifest), "size": len(self.image.manifest), "platform": {"os": "linux", "architecture": "amd64"}}
        documents = {}
        for _ in range(50):
            text = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [inner]}).encode()
            documents[digest(text)] = text
            inner = {"mediaType": INDEX, "digest": digest(text), "size": len(text)}
        found = documents.get(self.reference, text)
        return self.send(200, found, f"Content-Type: {INDEX}")

    def manifests_circle(self):
        """An index that names itself; its digest is a lie."""
        text = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [{"mediaType": INDEX, "digest": digest(b"circle"), "size": 200}]}).encode()
        return self.send(200, text, f"Content-Type: {INDEX}")

    def manifests_two_meanings(self):
        both = {**json.loads(self.image.manifest), "manifests": []}
        return self.send(200, json.dumps(both).encode(), f"Content-Type: {MANIFEST}")

    def manifests_schema1(self):
        return self.send(200, b'{"schemaVersion": 1, "name": "x", "tag": "1", "fsLayers": []}', "Content-Type: application/vnd.docker.distribution.manifest.v1+json")

    def manifests_login_page(self):
        return self.send(200, b"<html>please log in</html>", "Content-Type: text/html")

    def manifests_lying_header(self):
        return self.send(200, self.image.manifest, f"Content-Type: {MANIFEST}", f"Docker-Content-Digest: {digest(b'another')}")

    def manifests_redirect_loop(self):
        return self.send(307, b"", f"Location: {self.path}")

    def manifests_broken(self):
        return self.send(500, b'{"errors": [{"code": "UNKNOWN", "message": "the disk is gone"}]}')

    def manifests_401_forever(self):
        address = self.wanted["host"]
        return self.send(401, b"", f'WWW-Authenticate: Bearer realm="http://{address}/token",service="x",scope="repository:401-forever:pull"')

    def manifests_realm_elsewhere(self):
        return self.send(401, b"", 'WWW-Authenticate: Bearer realm="http://192.0.2.1/token",service="x"')

    def manifests_wait(self):
        if count("waits") < 3:
            return self.send(429, b"", "Retry-After: 1")
        return self.manifests()

    def manifests_wait_forever(self):
        return self.send(429, b"", "Retry-After: 100000")

    # --- blobs that lie ---

    def blobs_other_bytes(self):
        return self.send(200, bytes(len(self.image.blobs[self.reference]))) if self.is_layer() else self.blobs()

    def blobs_short(self):
        return self.send(200, self.image.blobs[self.reference][:20], length=len(self.image.blobs[self.reference])) if self.is_layer() else self.blobs()

    def blobs_endless(self):
        if not self.is_layer():
            return self.blobs()
        self.head(200)
        while True:
            self.wfile.write(bytes(1 << 20))

    def blobs_other_length(self):
        return self.send(200, bytes(100), length=1 << 40) if self.is_layer() else self.blobs()

    def blobs_redirect_loop_blob(self):
        return self.send(307, b"", f"Location: {self.path}") if self.is_layer() else self.blobs()

    def blobs_redirect_401(self):
        """Elsewhere, which wants to know who asks."""
        port = self.wanted["host"].split(":")[1]
        if self.wanted["host"].startswith("localhost"):
            return self.send(401, b"", 'WWW-Authenticate: Basic realm="elsewhere"')
        return self.send(307, b"", f"Location: http://localhost:{port}{self.path}")

    def blobs_other_range(self):
        """Half of it, and then the wrong half."""
        blob = self.image.blobs[self.reference]
        if not self.is_layer():
            return self.blobs()
        if "range" in self.wanted:
            return self.send(206, blob[:20], f"Content-Range: bytes 0-19/{len(blob)}")
        return self.send(200, blob[:20], length=len(blob))

    def blobs_vanishes(self):
        if self.is_layer():
            self.send(200, self.image.blobs[self.reference][:20], length=len(self.image.blobs[self.reference]))
            self.server.socket.close()
            return False
        return self.blobs()

    def manifests_new_token_each_time(self):
        return self.once_per_token(self.manifests)

    def blobs_new_token_each_time(self):
        return self.once_per_token(self.blobs)

    def once_per_token(self, answer):
        token = self.wanted.get("authorization", "")
        if token.startswith("Bearer t") and count(token) == 1:
            return answer()
        return self.send(401, b"", f'WWW-Authenticate: Bearer realm="http://{self.wanted["host"]}/token",service="x",scope="repository:x:pull"')


made = {}


def image_of(repository):
    with lock:
        if repository == "gzip-bomb" and repository not in made:
            blob, diff_id = bomb("zeros", 1 << 30)
            made[repository] = Image(b"", compress=lambda _: blob, diff_ids=[diff_id])
        return made.setdefault(repository, IMAGES.get(repository, lambda: GOOD)())


class Registry(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


if __name__ == "__main__":
    with Registry(("127.0.0.1", 0), Visit) as registry:
        print(f"127.0.0.1:{registry.server_address[1]}", flush=True)
        try:
            registry.serve_forever()
        except (OSError, ValueError):
            pass
