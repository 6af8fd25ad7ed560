#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""oci_check.py LAYOUT [--break PATH]: checks every document that an OCI image layout reaches from index.json against the rules
of the image-spec: required fields, types, patterns of digests, media types, platforms and times; that each blob is its digest
and size; that each layer unpacks to its diff id. Prints one line per fault, exits with 1 if there is one. --break drops one
field (a dotted path, such as manifest.config.size) from each document of a kind first: a checker must be able to fail."""
import gzip
import hashlib
import json
import os
import re
import subprocess
import sys

DIGEST = re.compile(r"^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$")
SHA256 = re.compile(r"^sha256:[a-f0-9]{64}$")
MEDIA_TYPE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$")
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")
OCI = "application/vnd.oci.image."
LAYER_TYPES = {OCI + "layer.v1.tar" + suffix for suffix in ("", "+gzip", "+zstd")}
ENV = re.compile(r"^[^=]+=.*$", re.S)


def text(value):
    return isinstance(value, str)


def matching(pattern):
    return lambda value: text(value) and bool(pattern.match(value))


def integer(value):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def one_of(*values):
    return lambda value: value in values


def list_of(check, least=0):
    return lambda value: isinstance(value, list) and len(value) >= least and all(map(check, value))


def map_of(check):
    return lambda value: isinstance(value, dict) and all(text(key) and check(item) for key, item in value.items())


def empty_objects(value):
    return isinstance(value, dict) and all(item == {} for item in value.values())


def record(required, optional=None, strict=False):
    """A check of an object's fields: those of `required` must be there; others are allowed unless strict."""
    known = {**required, **(optional or {})}

    def check(value):
        return (isinstance(value, dict) and all(name in value for name in required)
                and all(known[name](item) for name, item in value.items() if name in known)
                and (not strict or all(name in known for name in value)))
    check.fields = known
    check.required = required
    return check


PLATFORM = record({"architecture": matching(re.compile("^[a-z0-9]+$")), "os": matching(re.compile("^[a-z]+$"))},
                  {"variant": text, "os.version": text, "os.features": list_of(text)})
DESCRIPTOR = record({"mediaType": matching(MEDIA_TYPE), "digest": matching(DIGEST), "size": integer},
                    {"urls": list_of(text), "annotations": map_of(text), "data": text,
                     "artifactType": matching(MEDIA_TYPE), "platform": PLATFORM})
LAYOUT = record({"imageLayoutVersion": one_of("1.0.0")})
INDEX = record({"schemaVersion": one_of(2), "manifests": list_of(DESCRIPTOR)},
               {"mediaType": one_of(OCI + "index.v1+json"), "annotations": map_of(text)})
MANIFEST = record({"schemaVersion": one_of(2), "config": DESCRIPTOR, "layers": list_of(DESCRIPTOR, 1)},
                  {"mediaType": one_of(OCI + "manifest.v1+json"), "annotations": map_of(text)})
EXECUTION = record({}, {"User": text, "Env": list_of(matching(ENV)), "Entrypoint": list_of(text), "Cmd": list_of(text),
                        "WorkingDir": text, "Labels": map_of(text), "ExposedPorts": empty_objects,
                        "Volumes": empty_objects, "StopSignal": text})
HISTORY = record({}, {"created": matching(TIME), "created_by": text, "author": text, "comment": text,
                      "empty_layer": lambda value: isinstance(value, bool)})
ROOTFS = record({"type": one_of("layers"), "diff_ids": list_of(matching(SHA256), 1)})
CONFIG = record({"architecture": text, "os": text, "rootfs": ROOTFS},
                {"created": matching(TIME), "author": text, "config": EXECUTION, "history": list_of(HISTORY)})


class Checker:
    def __init__(self, layout, broken):
        self.layout, self.broken, self.faults = layout, broken, []

    def fault(self, where, what):
        self.faults.append(f"{where}: {what}")

    def bytes_of(self, descriptor):
        path = os.path.join(self.layout, "blobs", *descriptor["digest"].split(":"))
        with open(path, "rb") as blob:
            data = blob.read()
        if "sha256:" + hashlib.sha256(data).hexdigest() != descriptor["digest"] or len(data) != descriptor["size"]:
            self.fault(descriptor["digest"], "the blob is not its digest and size")
        return data

    def document(self, kind, where, data, check):
        value = json.loads(data)
        parts = self.broken.split(".") if self.broken else [None]
        if parts[0] == kind:
            inner = value
            for part in parts[1:-1]:
                inner = inner[int(part) if isinstance(inner, list) else part]
            inner.pop(parts[-1], None)
        for name in check.required:
            if name not in value:
                self.fault(where, f"{kind} without {name}")
        for name, item in value.items():
            if name in check.fields and not check.fields[name](item):
                self.fault(where, f"{kind}.{name} is {json.dumps(item)[:200]}")
        return value

    def layer(self, descriptor, diff_id):
        data = self.bytes_of(descriptor)
        if descriptor["mediaType"] not in LAYER_TYPES:
            self.fault(descriptor["digest"], "layer of type " + descriptor["mediaType"])
        elif descriptor["mediaType"].endswith("+gzip"):
            data = gzip.decompress(data)
        elif descriptor["mediaType"].endswith("+zstd"):
            data = subprocess.run(["zstd", "-qdc"], input=data, stdout=subprocess.PIPE, check=True).stdout
        if "sha256:" + hashlib.sha256(data).hexdigest() != diff_id:
            self.fault(descriptor["digest"], "the layer does not unpack to " + diff_id)

    def image(self, descriptor):
        where = descriptor["digest"]
        manifest = self.document("manifest", where, self.bytes_of(descriptor), MANIFEST)
        if manifest.get("mediaType") != descriptor["mediaType"] or "config" not in manifest:
            return self.fault(where, "its mediaType is not the descriptor's")
        config = self.document("config", where, self.bytes_of(manifest["config"]), CONFIG)
        if manifest["config"].get("mediaType") != OCI + "config.v1+json":
            self.fault(where, "config of another type")
        diff_ids = config.get("rootfs", {}).get("diff_ids", [])
        layers = [entry for entry in config.get("history", []) if not entry.get("empty_layer")]
        if not len(diff_ids) == len(manifest["layers"]) == len(layers):
            self.fault(where, f"{len(manifest['layers'])} layers, {len(diff_ids)} diff ids, {len(layers)} lines of history")
        platform = descriptor.get("platform", config)
        if [platform.get(field) for field in ("os", "architecture")] != [config.get("os"), config.get("architecture")]:
            self.fault(where, "the platform is not the config's")
        for layer, diff_id in zip(manifest["layers"], diff_ids):
            self.layer(layer, diff_id)

    def index(self, where, data):
        for descriptor in self.document("index", where, data, INDEX).get("manifests", []):
            if descriptor.get("mediaType") == OCI + "index.v1+json":
                self.index(descriptor["digest"], self.bytes_of(descriptor))
            elif DESCRIPTOR(descriptor):
                self.image(descriptor)

    def run(self):
        def read(name):
            with open(os.path.join(self.layout, name), "rb") as file:
                return file.read()
        self.document("layout", "oci-layout", read("oci-layout"), LAYOUT)
        self.index("index.json", read("index.json"))
        return self.faults


if __name__ == "__main__":
    faults = Checker(sys.argv[1], sys.argv[3] if len(sys.argv) > 3 else "").run()
    print("\n".join(faults))
    sys.exit(1 if faults else 0)
