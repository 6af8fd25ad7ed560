# SPDX-License-Identifier: Apache-2.0
"""kaniko's executor. It builds in its own root file system, so it gets a throw-away one, in a mount and pid namespace of its own."""
import os
import shlex
import shutil

from peers.place import Cannot, Peer

ENTER = """
mount --bind {root} {root}
cd {root}
mkdir -p kaniko/context kaniko/out
mount --bind {context} kaniko/context
mount --bind {out} kaniko/out
mount -t proc proc proc
mount --rbind /dev dev
mkdir -p .old
pivot_root . .old
exec /kaniko/executor --force --insecure --insecure-pull --context dir:///kaniko/context \\
  --dockerfile /kaniko/context/Dockerfile {options}
"""


class Kaniko(Peer):
    name = "kaniko"

    def __init__(self, place):
        self.place = place
        self.environment = place.environment()
        self.binary = place.program("kaniko-executor")
        self.missing = None if self.binary else "no kaniko-executor"

    def version(self):
        return "kaniko (its executor does not say)"

    def reset(self):
        self.place.empty()
        root = self.place.state / "template"
        for name in ("kaniko/.docker", "dev", "proc", "sys", "etc", "tmp"):
            (root / name).mkdir(parents=True)
        shutil.copy2(self.binary, root / "kaniko/executor")
        shutil.copy2("/etc/hosts", root / "etc/hosts")
        (root / "kaniko/.docker/config.json").write_text("{}")
        (root / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\n")

    def stop(self):
        pass

    def build(self, job):
        kind, where = job.output.kind, job.output.where
        if kind == "oci-zstd":
            raise Cannot("writes no zstd archive")
        out, options = self.place.state, ["--no-push"]
        if kind == "oci":
            out, name = os.path.split(where)
            options += ["--tar-path", f"/kaniko/out/{name}", "--destination", job.tag]
        elif kind == "push":
            options = ["--destination", where]
        for ref in filter(None, (job.cache_to, job.cache_from)):
            options += ["--cache=true", "--cache-copy-layers", "--cache-repo", ref.rsplit(":", 1)[0]]
        root, template, context, out = (shlex.quote(str(path)) for path in (
            self.place.state / "root", self.place.state / "template", job.context, out))
        copy = f"rm -rf {root} && cp -al {template} {root}"
        enter = ENTER.format(root=root, context=context, out=out, options=shlex.join(options))
        return [["sh", "-c", f"{copy} && exec unshare -m -p -f --propagation private sh -ec {shlex.quote(enter)}"]]

    def push(self, job):
        raise Cannot("pushes only what it builds in the same call")

    def run(self, tag, argv):
        raise Cannot("runs no images")
