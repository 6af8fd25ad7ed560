#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""image_diff.py A B [BUT…]: in what the images of two OCI layouts differ: files (type, mode, owner, content, attributes, hard
links) after all layers are applied, and the config's part about running. Times are left out, and the paths BUT.
Prints nothing and ends with 0 when they are equal."""
import hashlib
import json
import os
import subprocess
import sys
import tarfile

DECOMPRESSORS = {"gzip": ["gzip", "-dc"], "zstd": ["zstd", "-qdc"]}
RUNNING = ("User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "StopSignal")


class Layout:
    def __init__(self, folder):
        self.folder = folder
        with open(f"{folder}/index.json", encoding="utf-8") as index:
            self.manifest = self.document(json.load(index)["manifests"][0])

    def path(self, descriptor):
        return os.path.join(self.folder, "blobs", *descriptor["digest"].split(":"))

    def document(self, descriptor):
        with open(self.path(descriptor), encoding="utf-8") as file:
            return json.load(file)

    def running(self):
        config = self.document(self.manifest["config"]).get("config", {})
        env = dict(variable.split("=", 1) for variable in config.get("Env") or [])
        return {key: config.get(key) or None for key in RUNNING} | {"Env": env}

    def files(self):
        """What is at each path: a list, so that hard links are the same object."""
        files = {}
        for layer in self.manifest["layers"]:
            apply_layer(files, self.entries(layer))
        return files

    def entries(self, layer):
        command = next((c for name, c in DECOMPRESSORS.items() if name in layer["mediaType"]), ["cat"])
        with subprocess.Popen([*command, self.path(layer)], stdout=subprocess.PIPE) as unpacker:
            with tarfile.open(fileobj=unpacker.stdout, mode="r|") as archive:
                for entry in archive:
                    yield clean(entry.name), entry, description(archive, entry)
        assert unpacker.returncode == 0, f"{self.path(layer)} cannot be unpacked"


def clean(name):
    return os.path.normpath("/" + name.lstrip("/"))


def description(archive, entry):
    attributes = {k: v for k, v in entry.pax_headers.items() if k.startswith("SCHILY.xattr.")}
    content = entry.linkname
    if entry.isreg():
        content = hashlib.sha256(archive.extractfile(entry).read()).hexdigest()
    kind = "0" if entry.isreg() else entry.type.decode()
    return [kind, oct(entry.mode & 0o7777), entry.uid, entry.gid, content, attributes]


def remove(files, path, below_only=False):
    for victim in [p for p in files if p.startswith(path.rstrip("/") + "/") or (p == path and not below_only)]:
        del files[victim]


def apply_layer(files, entries):
    """Deletions of a layer concern what is below it only."""
    added = {}
    for path, entry, what in entries:
        folder, name = os.path.split(path)
        if name == ".wh..wh..opq":
            remove(files, folder, below_only=True)
        elif name.startswith(".wh."):
            remove(files, os.path.join(folder, name[4:]))
        else:
            target = clean(entry.linkname)
            added[path] = (added.get(target) or files[target]) if entry.islnk() else what
    for path, what in added.items():
        if files.get(path, what)[0] == "5" != what[0]:
            remove(files, path)
        files[path] = what


def linked(files):
    """The paths that share an object with others, by the first of them."""
    first = {}
    return {path: first.setdefault(id(what), path) for path, what in sorted(files.items())}


def differences(a, b, ignored):
    files_a, files_b = a.files(), b.files()
    links_a, links_b = linked(files_a), linked(files_b)
    for path in sorted((files_a.keys() | files_b.keys()) - ignored):
        one = files_a.get(path), links_a.get(path)
        other = files_b.get(path), links_b.get(path)
        if one != other:
            yield f"{path}: {one} {other}"
    for key, one in a.running().items():
        other = b.running()[key]
        if one != other:
            yield f"config {key}: {one} {other}"


found = list(differences(Layout(sys.argv[1]), Layout(sys.argv[2]), set(sys.argv[3:])))
print("\n".join(found), end="\n" if found else "")
sys.exit(1 if found else 0)
