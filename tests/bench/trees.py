# SPDX-License-Identifier: Apache-2.0
"""What an image is to the programs in it: the tree that its layers make. Read from an OCI archive or a docker archive, with nothing
but types, modes, owners, contents, links, devices and extended attributes left, so that two tools' results can be compared."""
import gzip
import hashlib
import json
import posixpath
import subprocess
import sys
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread

KINDS = {tarfile.REGTYPE: "file", tarfile.AREGTYPE: "file", tarfile.CONTTYPE: "file", tarfile.DIRTYPE: "folder",
         tarfile.SYMTYPE: "symlink", tarfile.CHRTYPE: "character device", tarfile.BLKTYPE: "block device", tarfile.FIFOTYPE: "fifo"}
XATTR = "SCHILY.xattr."
MOUNT_POINTS = ("/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/run/.containerenv")
EMPTY = hashlib.sha256().hexdigest()
WHITEOUT, OPAQUE = ".wh.", ".wh..wh..opq"


@dataclass(eq=False)  # compared by identity: hard links of one file are one Inode
class Inode:
    kind: str
    mode: int = 0o755
    owner: str = "0:0"
    content: str = ""  # digest, link target or device number
    attributes: dict = field(default_factory=dict)

    def __str__(self):
        attributes = "".join(f" {name}={value!r}" for name, value in sorted(self.attributes.items()))
        return f"{self.kind} {self.mode:o} {self.owner} {self.content}{attributes}".rstrip()


def manifest(archive):
    """path -> description, of the flattened layers of the archive's only image."""
    inodes = {"/": Inode("folder")}
    with tarfile.open(archive) as outer:
        for name in layers_of(outer):
            with open_layer(outer.extractfile(name)) as layer:
                apply_layer(inodes, layer)
    return described(inodes)


def layers_of(outer):
    """Names of the layers in the archive, lowest first. Archives that are both kinds at once are read as docker's."""
    names = {member.name.removeprefix("./"): member.name for member in outer.getmembers()}
    if "manifest.json" in names:
        return [names[layer] for layer in read_json(outer, names["manifest.json"])[0]["Layers"]]
    document = read_json(outer, names["index.json"])
    while "layers" not in document:
        document = read_json(outer, names[blob(document["manifests"][0]["digest"])])
    return [names[blob(layer["digest"])] for layer in document["layers"]]


def blob(digest):
    return "blobs/" + digest.replace(":", "/")


def read_json(outer, name):
    return json.load(outer.extractfile(name))


@contextmanager
def open_layer(stream):
    magic = stream.read(4)
    stream.seek(0)
    if magic == b"\x28\xb5\x2f\xfd":
        with open_zstd(stream) as plain:
            yield plain
    else:
        plain = gzip.GzipFile(fileobj=stream) if magic[:2] == b"\x1f\x8b" else stream
        with tarfile.open(fileobj=plain, mode="r|") as layer:
            yield layer


@contextmanager
def open_zstd(stream):
    """Python 3.11 cannot read it; the program can."""
    with subprocess.Popen(["zstd", "-dcq"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as zstd:
        feeder = Thread(target=feed, args=(stream, zstd.stdin))
        feeder.start()
        with tarfile.open(fileobj=zstd.stdout, mode="r|") as layer:
            yield layer
        while zstd.stdout.read(1 << 20):
            pass
        feeder.join()


def feed(source, sink):
    with sink:
        while piece := source.read(1 << 20):
            sink.write(piece)


def apply_layer(inodes, layer):
    """Whiteouts hide what lower layers have, never what this one brings, wherever they stand in it."""
    added, links = {}, []
    for member in layer:
        path = absolute(member.name)
        folder, _, name = path.rpartition("/")
        if name == OPAQUE:
            remove_below(inodes, folder or "/")
        elif name.startswith(WHITEOUT):
            remove_below(inodes, f"{folder}/{name[len(WHITEOUT):]}", itself=True)
        elif member.islnk():
            links.append((path, absolute(member.linkname)))
        else:
            added[path] = inode_of(layer, member)
    for path, inode in added.items():
        place(inodes, path, inode)
    for path, target in links:
        place(inodes, path, added.get(target) or inodes[target])


def absolute(name):
    return posixpath.normpath("/" + name.lstrip("/"))


def place(inodes, path, inode):
    if path in inodes and inodes[path].kind == "folder" != inode.kind:
        remove_below(inodes, path)
    parent = path.rpartition("/")[0]
    if parent and parent not in inodes:
        place(inodes, parent, Inode("folder"))
    inodes[path] = inode


def remove_below(inodes, folder, itself=False):
    prefix = folder.rstrip("/") + "/"
    for path in [path for path in inodes if path.startswith(prefix) and path != "/"]:
        del inodes[path]
    if itself:
        inodes.pop(folder, None)


def inode_of(layer, member):
    kind = KINDS.get(member.type, f"type {member.type!r}")
    content = ""
    if kind == "file":
        content = f"{member.size} {digest_of(layer.extractfile(member))}"
    elif kind == "symlink":
        content = "-> " + member.linkname
    elif "device" in kind:
        content = f"{member.devmajor}:{member.devminor}"
    attributes = {name[len(XATTR):]: value for name, value in member.pax_headers.items() if name.startswith(XATTR)}
    mode = 0o777 if kind == "symlink" else member.mode & 0o7777
    return Inode(kind, mode, f"{member.uid}:{member.gid}", content, attributes)


def digest_of(stream):
    digest = hashlib.sha256()
    while piece := stream.read(1 << 20):
        digest.update(piece)
    return digest.hexdigest()


def described(inodes):
    first, result = {}, {}
    for path in sorted(inodes):
        inode = inodes[path]
        if inode in first and inode.kind == "file":
            result[path] = "hard link to " + first[inode]
        else:
            first[inode] = path
            result[path] = str(inode)
    return result


def differences(left, right):
    """One line per path that is not the same in both. Empty files that a tool made to mount something on are not counted."""
    return [f"{path}: {left.get(path, 'missing')} | {right.get(path, 'missing')}"
            for path in sorted(left.keys() | right.keys())
            if left.get(path) != right.get(path) and not is_mount_point(path, left.get(path), right.get(path))]


def is_mount_point(path, *texts):
    return path in MOUNT_POINTS and None in texts and any(text and text.split()[0] == "file" and EMPTY in text for text in texts)


if __name__ == "__main__":
    trees = [manifest(path) for path in sys.argv[1:]]
    if len(trees) == 2:
        print(*differences(*trees), sep="\n")
    else:
        print(*(f"{path}: {text}" for path, text in trees[0].items()), sep="\n")
