# SPDX-License-Identifier: Apache-2.0
"""What an OCI layout holds, as values that can be compared: per layer what each entry is, and the config; no times."""
import hashlib
import json
import os
import tarfile

_layers = {}  # digest → entries; base layers are read once


def read(layout):
    manifest = _json(layout, _index(layout)["manifests"][0]["digest"])
    config = _json(layout, manifest["config"]["digest"])
    config.pop("created", None)
    config.get("rootfs", {}).pop("diff_ids", None)
    for line in config.get("history", []):
        line.pop("created", None)
    return {"config": config, "layers": [_layer(layout, layer["digest"]) for layer in manifest["layers"]]}


def _index(layout):
    with open(os.path.join(layout, "index.json"), encoding="utf-8") as text:
        return json.load(text)


def _blob(layout, digest):
    return os.path.join(layout, "blobs", *digest.split(":"))


def _json(layout, digest):
    with open(_blob(layout, digest), encoding="utf-8") as text:
        return json.load(text)


def _layer(layout, digest):
    if digest not in _layers:
        if len(_layers) > 2000:
            _layers.clear()
        with tarfile.open(_blob(layout, digest)) as archive:
            _layers[digest] = {member.name: _entry(archive, member) for member in archive}
    return _layers[digest]


def _entry(archive, member):
    xattrs = sorted(item for item in member.pax_headers.items() if item[0].startswith("SCHILY.xattr."))
    content = hashlib.sha256(archive.extractfile(member).read()).hexdigest()[:16] if member.isreg() else ""
    return (member.type.decode(), oct(member.mode), member.uid, member.gid, member.size, member.linkname,
            member.devmajor, member.devminor, tuple(xattrs), content)


def difference(got, wanted):
    """Readable lines about what is not the same; none if all is."""
    lines = []
    if got["config"] != wanted["config"]:
        for key in sorted(set(got["config"]) | set(wanted["config"])):
            if got["config"].get(key) != wanted["config"].get(key):
                lines.append(f"config {key}: {got['config'].get(key)} instead of {wanted['config'].get(key)}")
    if len(got["layers"]) != len(wanted["layers"]):
        lines.append(f"{len(got['layers'])} layers instead of {len(wanted['layers'])}")
    for number, (one, other) in enumerate(zip(got["layers"], wanted["layers"])):
        for name in sorted(set(one) | set(other)):
            if one.get(name) != other.get(name):
                lines.append(f"layer {number} {name}: {one.get(name)} instead of {other.get(name)}")
    return lines
