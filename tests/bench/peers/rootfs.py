# SPDX-License-Identifier: Apache-2.0
"""A root file system of another Debian whose builders are measured instead of this one's: a mount namespace in which it is `/`,
held open by a sleeping process. The work folders are there under the same names."""
import os
import shlex
import subprocess
import time
from pathlib import Path

ENTER = """
mount --bind {root} {root}
cd {root}
mount -t tmpfs tmpfs tmp
mount -t tmpfs tmpfs run
mkdir -p .old {folders}
mount --rbind /proc proc
mount --rbind /sys sys
umount sys/fs/cgroup/unified 2>/dev/null || true
mount --rbind /dev dev
for folder in {sources}; do mount --rbind "$folder" ".$folder"; done
pivot_root . .old
umount -l .old
touch {ready}
exec sleep infinity
"""  # the unified hierarchy goes where there is an older one beside it: crun refuses the two together


class RootFs:
    def __init__(self, root, folders, scratch):
        self.root, ready = Path(root).resolve(), Path(scratch, "root-is-ready")
        names = [str(folder) for folder in folders]
        script = ENTER.format(root=shlex.quote(str(self.root)), folders=shlex.join("." + name for name in names),
                              sources=shlex.join(names), ready=shlex.quote(str(ready)))
        self.process = subprocess.Popen(["unshare", "--mount", "--propagation", "private", "sh", "-ec", script],
                                        stdin=subprocess.DEVNULL, process_group=0)
        while not ready.exists():
            if self.process.poll() is not None:
                raise OSError(f"{root} cannot be made the root of a mount namespace")
            time.sleep(0.02)
        self.prefix = ["nsenter", f"--mount=/proc/{self.process.pid}/ns/mnt", "--"]

    def holds(self, path):
        return os.access(self.root / path.lstrip("/"), os.X_OK)

    def close(self):
        self.process.kill()
        self.process.wait()
