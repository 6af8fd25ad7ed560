# SPDX-License-Identifier: Apache-2.0
"""A client of `mybuild serve` that shares no code with it: blobs by the distribution spec, records by PROTOCOL.md."""
import hashlib
import http.client
import json
import os
import subprocess


def sha(data):
    return "sha256:" + hashlib.sha256(data if isinstance(data, bytes) else data.encode()).hexdigest()


def record(name, blob, outcome="", inputs=(), cost_ms=1000):
    """A step record that is right in form: its digests are of texts made of `name` (and `outcome`, where they are what it gave)."""
    return {"definition": sha("definition " + name), "content": sha("content " + name), "inputs": list(inputs),
            "output": sha("output " + name + outcome), "diff_id": sha("diff " + name + outcome), "changes": sha("changes " + name + outcome),
            "size": len(blob), "created": "2026-01-02T03:04:05Z", "cost_ms": cost_ms, "step": "RUN " + name,
            "blob": {"mediaType": "application/vnd.oci.image.layer.v1.tar+zstd", "digest": sha(blob), "size": len(blob)}}


class Client:
    def __init__(self, address, token, space="main", timeout=30):
        host, port = address.rsplit(":", 1)
        self.connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
        self.space, self.headers = space, {"Authorization": "Bearer " + token} if token else {}

    def ask(self, method, path, body=None, headers=None):
        """(status, headers, body)"""
        self.connection.request(method, path, body=body, headers={**self.headers, **(headers or {})})
        answer = self.connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()

    def say(self, what, message, space=None):
        """A message of /cache/v1; the answer as JSON."""
        status, _, body = self.ask("POST", f"/cache/v1/{what}/{space or self.space}", json.dumps(message))
        if status != 200:
            raise ValueError(f"{what}: {status} {body[:300]!r}")
        return json.loads(body)

    def put_blob(self, data, repository=None):
        status, _, body = self.ask("POST", f"/v2/{repository or self.space}/blobs/uploads/?digest={sha(data)}", data,
                                   {"Content-Type": "application/octet-stream"})
        if status != 201:
            raise ValueError(f"upload: {status} {body[:300]!r}")
        return sha(data)

    def get_blob(self, digest, repository=None):
        status, _, body = self.ask("GET", f"/v2/{repository or self.space}/blobs/{digest}")
        return body if status == 200 else None

    def publish(self, *records, space=None, facts=None):
        answer = self.say("publish", {"records": [{"record": each, "facts": facts or {}} for each in records]}, space)
        return [each["result"] for each in answer["results"]]

    def lookup(self, definitions=(), contents=(), space=None):
        return self.say("lookup", {"definitions": list(definitions), "contents": list(contents)}, space)


def start(binary, root, *options):
    """(process, address, token) of a new server over `root`."""
    process = subprocess.Popen([binary, "serve", "--root", root, "--listen", "127.0.0.1:0", *options], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith("listening on http"):
            address = line.split("://")[1].split()[0]
            with open(os.path.join(root, "local-token"), encoding="ascii") as file:
                return process, address, file.read().strip()
    raise RuntimeError("the server did not start: " + "".join(said))
