# SPDX-License-Identifier: Apache-2.0
"""Input data, the same bytes from the same seed on every machine: prose that deflate halves, noise that nothing shrinks,
trees of files mixed from both, and OCI layouts of such trees."""
import hashlib
import json
import os
import random
import tarfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

MTIME = 1_700_000_000
STAMP = "2023-11-14T22:13:20Z"
OCI = "application/vnd.oci.image"
CHUNK = 64 << 10
VOCABULARY = 12_000
TEXT_SHARE = 0.7


@lru_cache(maxsize=2)
def prose(seed, size):
    """Lines of made-up words whose frequencies fall like those of a language."""
    dice = random.Random(f"prose {seed}")
    letters, weights = "eationsrhldcumfpgwybvkxjqz", list(range(27, 1, -1))
    words = ["".join(dice.choices(letters, weights, k=dice.randint(2, 10))) for _ in range(VOCABULARY)]
    ranks = list(accumulate(1 / (rank + 5) for rank in range(VOCABULARY)))
    text = bytearray()
    while len(text) < size:
        picked = dice.choices(words, cum_weights=ranks, k=120_000)
        lines = (" ".join(picked[start:start + 12]) for start in range(0, len(picked), 12))
        text += "\n".join(lines).encode() + b"\n"
    return bytes(text[:size])


def excerpt(dice, text, size):
    start = dice.randrange(max(1, len(text) - size))
    piece = text[start:start + size]
    return piece if len(piece) == size else (text * (size // len(text) + 1))[:size]


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    os.utime(path, (MTIME, MTIME))


def settle(folder):
    """Gives every folder the fixed time, after its entries were made."""
    for where, _, _ in os.walk(folder, topdown=False):
        os.utime(where, (MTIME, MTIME))


def tree(folder, count, total, seed, prose_size=16 << 20):
    """`count` files of `total` bytes, sizes log-normal as in a source tree, 40 packages of 10 modules."""
    dice = random.Random(f"tree {seed}")
    text = prose(seed, prose_size)
    sizes = [min(max(int(dice.lognormvariate(8.3, 1.2)), 16), 400_000) for _ in range(count)]
    scale = total / sum(sizes)
    for index, size in enumerate(max(1, int(size * scale)) for size in sizes):
        is_text = dice.random() < TEXT_SHARE
        name = f"pkg{index % 40:02}/mod{index // 40 % 10:02}/f{index:05}.{'txt' if is_text else 'bin'}"
        put(Path(folder, name), excerpt(dice, text, size) if is_text else dice.randbytes(size))
    settle(folder)


def big_file(path, size, seed, prose_size=64 << 20):
    """One file, prose and noise in turns of 64 KiB."""
    dice = random.Random(f"big {seed}")
    text = prose(seed, prose_size)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        for index, start in enumerate(range(0, size, CHUNK)):
            length = min(CHUNK, size - start)
            file.write(dice.randbytes(length) if index % 2 else excerpt(dice, text, length))
    os.utime(path, (MTIME, MTIME))


def pack(folder, out, keep_owners=False):
    """The folder as a tar whose bytes depend on nothing but names, modes and contents (and owners if asked)."""
    def normalised(info):
        info.mtime, info.uname, info.gname = MTIME, "", ""
        if not keep_owners:
            info.uid = info.gid = 0
        return info
    with tarfile.open(out, "w", format=tarfile.PAX_FORMAT) as archive:
        archive.add(folder, arcname=".", filter=normalised)  # add() goes through names in sorted order


def layout(out, tag, tars):
    """An OCI image layout with one gzip layer per tar."""
    blobs = Path(out, "blobs/sha256")
    blobs.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # zlib and sha256 let go of the interpreter lock
        layers = list(pool.map(lambda numbered: add_layer(blobs, *numbered), enumerate(tars)))
    config = {"architecture": machine_architecture(), "os": "linux", "created": STAMP,
              "config": {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], "Cmd": ["sh"]},
              "rootfs": {"type": "layers", "diff_ids": [diff_id for diff_id, _ in layers]},
              "history": [{"created": STAMP, "created_by": f"layer {index}"} for index in range(len(layers))]}
    manifest = {"schemaVersion": 2, "mediaType": f"{OCI}.manifest.v1+json",
                "config": add_json(blobs, f"{OCI}.config.v1+json", config), "layers": [layer for _, layer in layers]}
    descriptor = add_json(blobs, manifest["mediaType"], manifest)
    descriptor["annotations"] = {"org.opencontainers.image.ref.name": tag}
    Path(out, "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [descriptor]}))
    Path(out, "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')


def add_layer(blobs, index, tar):
    draft = blobs / f"draft-{index}"
    plain, packed, size = hashlib.sha256(), hashlib.sha256(), 0
    deflate = zlib.compressobj(6, zlib.DEFLATED, 31)
    with open(tar, "rb") as source, open(draft, "wb") as sink:
        while True:
            piece = source.read(1 << 20)
            plain.update(piece)
            out = deflate.compress(piece) if piece else deflate.flush()
            size += sink.write(out)
            packed.update(out)
            if not piece:
                break
    draft.rename(blobs / packed.hexdigest())
    return "sha256:" + plain.hexdigest(), {"mediaType": f"{OCI}.layer.v1.tar+gzip", "size": size,
                                           "digest": "sha256:" + packed.hexdigest()}


def add_json(blobs, media_type, document):
    content = json.dumps(document, sort_keys=True).encode()
    digest = hashlib.sha256(content).hexdigest()
    (blobs / digest).write_bytes(content)
    return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(content)}


def machine_architecture():
    machine = os.uname().machine
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
