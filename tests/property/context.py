# SPDX-License-Identifier: Apache-2.0
"""The files of a context as data: made at random, edited at random, written to a directory in one of several ways."""
import io
import os
import shutil
import tarfile
from dataclasses import dataclass, field, replace

WORDS = ("alpha", "beta", "gamma", "delta", "x", "yy", "", "alpha\nbeta", "1\n2\n3", "same", "SAME")
NAMES = ("a.txt", "b.txt", "c.md", "d", "e.sh", ".hidden", "f g", "ü")
FOLDERS = ("", "src", "src/sub", "src/sub/deep", "lib", "other")


@dataclass(frozen=True)
class Node:
    kind: str  # file, dir, link, hard, fifo
    data: str = ""  # content; target of a link; path of the other name of a hard link
    mode: int = 0o644
    owner: int = 0
    xattr: tuple = ()


@dataclass
class Context:
    nodes: dict = field(default_factory=dict)  # path → Node, parents first when sorted

    def copy(self):
        return Context(dict(self.nodes))

    def paths(self, *kinds):
        return [path for path in sorted(self.nodes) if self.nodes[path].kind in kinds]

    def remove(self, path):
        gone = [other for other in self.nodes if other == path or other.startswith(path + "/")]
        for other in gone:
            del self.nodes[other]
        self._settle()

    def put(self, path, node):
        """With its parents; what is in the way goes."""
        parts = path.split("/")
        for end in range(1, len(parts)):
            parent = "/".join(parts[:end])
            if self.nodes.get(parent, Node("none")).kind != "dir":
                self.remove(parent)
                self.nodes[parent] = Node("dir", mode=0o755)
        if node.kind != "dir" or self.nodes.get(path, node).kind != "dir":
            self.remove(path)
        self.nodes[path] = node
        self._settle()

    def _settle(self):
        """A hard link whose other name is gone is a file."""
        for path, node in list(self.nodes.items()):
            if node.kind == "hard" and self.nodes.get(node.data, Node("none")).kind != "file":
                self.nodes[path] = Node("file", "was a link")


def random_file(rng):
    text = "".join(rng.choice(WORDS) + rng.choice(("\n", " ", "\n")) for _ in range(rng.randrange(4)))
    return Node("file", text, rng.choice((0o644, 0o644, 0o755, 0o600, 0o640, 0o4755)))


def random_archive(rng):
    """A tar archive is a text without other bytes than ASCII here, since names and contents are."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in sorted(rng.sample(("in.txt", "sub", "sub/x", "e.sh"), rng.randrange(1, 4))):
            member = tarfile.TarInfo(name)
            data = rng.choice(WORDS).encode()
            member.size, member.mode = len(data), rng.choice((0o644, 0o755))
            if name == "sub":
                member.type, member.size = tarfile.DIRTYPE, 0
            archive.addfile(member, io.BytesIO(data))
    return Node("file", out.getvalue().decode("ascii"))


def random_path(rng):
    return "/".join(filter(None, (rng.choice(FOLDERS), rng.choice(NAMES))))


def random_context(rng):
    context = Context()
    for folder in FOLDERS[1:]:
        context.put(folder, Node("dir", mode=0o755))
    for _ in range(rng.randrange(6, 16)):
        context.put(random_path(rng), random_file(rng))
    edit_link(context, rng)
    context.put("src/a.txt", random_file(rng))  # what Dockerfiles name without a wildcard
    context.put("lib/keep", random_file(rng))
    context.put("src/x.tar", random_archive(rng))
    return context


# --- edits ---------------------------------------------------------------------------------------------------------------


def edit_content(context, rng):
    path = rng.choice(context.paths("file"))
    context.nodes[path] = replace(random_file(rng), mode=context.nodes[path].mode)


def edit_same_size(context, rng):
    path = rng.choice(context.paths("file"))
    old = context.nodes[path].data
    if old:
        at = rng.randrange(len(old))
        context.nodes[path] = replace(context.nodes[path], data=old[:at] + rng.choice("qwz\n") + old[at + 1:])


def edit_mode(context, rng):
    path = rng.choice(context.paths("file", "dir"))
    mode = rng.choice((0o644, 0o755, 0o600, 0o1777, 0o2755) if context.nodes[path].kind == "file" else (0o755, 0o700, 0o1777, 0o2755))
    context.nodes[path] = replace(context.nodes[path], mode=mode)


def edit_owner(context, rng):
    path = rng.choice(context.paths("file", "dir"))
    context.nodes[path] = replace(context.nodes[path], owner=rng.choice((0, 7, 1000)))


def edit_xattr(context, rng):
    path = rng.choice(context.paths("file"))
    context.nodes[path] = replace(context.nodes[path], xattr=rng.choice(((), (("user.k", "v"),), (("user.k", "w"),))))


def edit_add(context, rng):
    context.put(random_path(rng), random_file(rng))


def edit_delete(context, rng):
    context.remove(rng.choice(list(context.nodes)))
    if not context.paths("file"):
        edit_add(context, rng)


def edit_rename(context, rng):
    path = rng.choice(context.paths("file"))
    node = context.nodes[path]
    context.remove(path)
    context.put(random_path(rng), node)


def edit_directory(context, rng):
    context.put(rng.choice(("src/empty", "src/sub/empty", "lib/empty", random_path(rng))), Node("dir", mode=rng.choice((0o755, 0o750))))


def edit_link(context, rng):
    target = rng.choice(("a.txt", "../lib/keep", "sub", "/nowhere", "../../..", "b.txt"))
    context.put(rng.choice(("src/link", "src/sub/link", "lib/link")), Node("link", target))


def edit_hard_link(context, rng):
    first = rng.choice(context.paths("file"))
    second = rng.choice(("src/hard", "src/sub/hard", "lib/hard"))
    if second != first and not first.startswith(second):
        context.put(second, Node("hard", first))


def edit_replace_by_copy(context, rng):
    """A hard link becomes a file of the same bytes: nothing else differs."""
    for path in context.paths("hard"):
        context.nodes[path] = context.nodes[context.nodes[path].data]


def edit_archive(context, rng):
    context.put("src/x.tar", random_archive(rng))


def edit_kind(context, rng):
    """A file becomes a directory, or the reverse."""
    path = rng.choice(list(context.nodes))
    was = context.nodes[path].kind
    context.remove(path)
    context.put(path, random_file(rng) if was == "dir" else Node("dir", mode=0o755))
    if not context.paths("file"):
        edit_add(context, rng)


EDITS = (edit_content, edit_content, edit_content, edit_same_size, edit_same_size, edit_same_size, edit_mode, edit_owner, edit_xattr,
         edit_add, edit_delete, edit_rename, edit_directory, edit_link, edit_hard_link, edit_replace_by_copy, edit_archive, edit_kind)


# --- writing -------------------------------------------------------------------------------------------------------------

STYLES = ("in place", "in place, mtime as before", "renamed over", "touched", "all anew")


def write(root, old, new, style):
    """Brings the directory from one state to the other; how files are written must not matter."""
    if style == "all anew":
        shutil.rmtree(root, ignore_errors=True)
        old = Context()
    os.makedirs(root, exist_ok=True)
    changed = {path for path in set(old.nodes) | set(new.nodes) if old.nodes.get(path) != new.nodes.get(path)}
    # Names of one file are written anew together: writing through one would change the other.
    for context in (old, new):
        for path in context.paths("hard"):
            if path in changed or context.nodes[path].data in changed:
                changed |= {path, context.nodes[path].data}
    for path in sorted(changed, reverse=True):
        if path in old.nodes and not keeps_its_place(path, old, new):
            remove(os.path.join(root, path))
    for path in sorted(path for path in changed if path in new.nodes and new.nodes[path].kind != "hard"):
        write_node(os.path.join(root, path), new.nodes[path], style)
    for path in sorted(path for path in changed if path in new.nodes and new.nodes[path].kind == "hard"):
        remove(os.path.join(root, path))
        os.link(os.path.join(root, new.nodes[path].data), os.path.join(root, path))
    if style == "touched":
        for path in new.paths("file", "dir"):
            os.utime(os.path.join(root, path), (1_000_000_000 + len(path), 1_000_000_000))


def keeps_its_place(path, old, new):
    linked = any(node.kind == "hard" and path in (name, node.data) for name, node in old.nodes.items())
    same = path in new.nodes and old.nodes[path].kind == new.nodes[path].kind
    return same and old.nodes[path].kind in ("file", "dir") and not linked


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def write_node(path, node, style):
    if node.kind == "dir":
        os.makedirs(path, exist_ok=True)
    elif node.kind == "link":
        os.symlink(node.data, path)
        return
    else:
        write_file(path, node.data.encode(), style)
        for name in os.listxattr(path):
            os.removexattr(path, name)
        for name, value in node.xattr:
            os.setxattr(path, name, value.encode())
    os.chown(path, node.owner, node.owner)
    os.chmod(path, node.mode)


def write_file(path, data, style):
    if not os.path.lexists(path):
        with open(path, "wb") as out:
            out.write(data)
        return
    before = os.stat(path)
    if style == "renamed over":
        with open(path + ".new", "wb") as out:
            out.write(data)
        os.rename(path + ".new", path)
        return
    with open(path, "r+b") as out:
        out.write(data)
        out.truncate()
    if style == "in place, mtime as before":
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
