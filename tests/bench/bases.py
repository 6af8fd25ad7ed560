# SPDX-License-Identifier: Apache-2.0
"""Inputs that are made once and kept: base images in a registry, contexts of workloads. A stamp beside each says it is complete."""
import shutil
import subprocess
from pathlib import Path

import data

SUPPORT = Path(__file__).resolve().parent.parent / "support"
NAMES = ("busybox", "debian", "layered", "pieces", "deep")
FAR = "far_"  # before a name: the same image over the far line
VERSION = "1"  # raised when a generator changes what it makes


class Inputs:
    def __init__(self, folder, registry, line=None):
        self.folder, self.registry, self.line = Path(folder), registry, line
        self.folder.mkdir(parents=True, exist_ok=True)

    def once(self, name, make):
        """Calls make(path) unless the path was made completely before."""
        path, stamp = self.folder / name, self.folder / f".{name}.complete"
        if not stamp.exists() or stamp.read_text() != VERSION:
            print(f"bench: making {name}", flush=True)
            remove(path)
            make(path)
            data.prose.cache_clear()
            stamp.write_text(VERSION)
        return path

    def busybox_tar(self):
        def make(path):
            rootfs = path.with_suffix(".rootfs")
            subprocess.run([SUPPORT / "busybox_rootfs.sh", rootfs], check=True)
            data.pack(rootfs, path)
            shutil.rmtree(rootfs)
        return self.once("busybox.tar", make)

    def debian_tar(self):
        def make(path):
            rootfs = path.with_suffix(".rootfs")
            subprocess.run([SUPPORT / "debian_rootfs.sh", rootfs], check=True)
            data.pack(rootfs, path, keep_owners=True)
            shutil.rmtree(rootfs)
        return self.once("debian.tar", make)

    def layered_tars(self):
        """Nine layers of 1,500 small files and a big one each; with the base below they are ten and about 1 GiB."""
        def fill(folder, number):
            data.tree(folder / f"data/l{number}/small", 1500, 20_000_000, 80 + number)
            data.big_file(folder / f"data/l{number}/big.dat", 99_000_000, 180 + number, prose_size=16 << 20)
        return self.tars(9, fill)

    def pieces_tars(self):
        """Nineteen layers of 200 files, 4 MB each."""
        return self.tars(19, lambda folder, number: data.tree(folder / f"data/p{number}", 200, 4_000_000, 200 + number))

    def deep_tars(self):
        """With the base 127 layers, each of which adds a file and replaces one."""
        def fill(folder, number):
            data.put(folder / f"f{number + 1}", f"{number + 1}\n")
            data.put(folder / "top", f"{number}\n")
            data.settle(folder)
        return self.tars(126, fill)

    def tars(self, count, fill):
        folder = self.folder / "layer"
        for number in range(1, count + 1):
            remove(folder)
            folder.mkdir()
            fill(folder, number)
            data.pack(folder, self.folder / f"layer{number}.tar")
            remove(folder)
        return [self.folder / f"layer{number}.tar" for number in range(1, count + 1)]

    def base(self, name):
        """The reference of the base image, which is in the registry from now on."""
        if not self.registry.has(name, VERSION):
            print(f"bench: making the base image {name}", flush=True)
            tars = [self.debian_tar()] if name == "debian" else [self.busybox_tar()]
            added = {"layered": self.layered_tars, "pieces": self.pieces_tars, "deep": self.deep_tars}.get(name, list)()
            layout = self.folder / f"{name}.layout"
            remove(layout)
            data.layout(layout, VERSION, tars + added)
            self.registry.take(layout, VERSION, f"{name}:{VERSION}")
            for path in [layout, *added]:
                remove(path)
        return f"{self.registry.address}/{name}:{VERSION}"

    def far_base(self, name):
        return self.base(name).replace(self.registry.address, self.line.address)

    def compressed_size(self, name):
        """Bytes of the layers of a base image that is in the registry."""
        return sum(layer["size"] for layer in self.registry.manifest(name, VERSION)["layers"])

    def context(self, workload):
        """The workload's folder, with the Dockerfile for the registry of this run."""
        def make(path):
            path.mkdir()
            workload.fill(path)
        context = self.once(workload.name, make)
        workload.restore(context)
        bases = {name: self.base(name) for name in NAMES if f"{{{name}}}" in workload.dockerfile}
        bases |= {FAR + name: self.far_base(name) for name in NAMES if f"{{{FAR}{name}}}" in workload.dockerfile}
        data.put(context / "Dockerfile", workload.dockerfile.format(**bases))
        return context


def remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def read_all(folder):
    """Brings a folder into the page cache, where every cold phase expects its input."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with open(path, "rb", buffering=0) as file:
                while file.read(1 << 22):
                    pass
