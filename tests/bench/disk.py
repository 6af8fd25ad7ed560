# SPDX-License-Identifier: Apache-2.0
"""Where tools keep their state: a journalled ext4 of its own in a loop device. On a file system without a journal the kernel
keeps off freshly deleted inodes, and emptying the state between two runs would make the next one many times slower."""
import os
import shutil
import subprocess
import sys
from pathlib import Path


def mounts_below(folder):
    """Mount points in the folder and below, innermost first."""
    prefix = str(folder)
    points = [line.split()[1].encode().decode("unicode_escape") for line in Path("/proc/self/mounts").read_text().splitlines()]
    return sorted((point for point in points if point == prefix or point.startswith(prefix + "/")), reverse=True)


def wipe(folder):
    """Leaves the folder there and empty, whatever a tool mounted in it."""
    remove(folder)
    os.makedirs(folder)


def remove(folder):
    for point in mounts_below(folder):
        subprocess.run(["umount", "-l", point], check=False, stderr=subprocess.DEVNULL)
    shutil.rmtree(folder, ignore_errors=True)
    if os.path.lexists(folder):  # immutable files, or a mount that came in between
        subprocess.run(["rm", "-rf", "--one-file-system", folder], check=True)


GB = 10**9


class Disk:
    """`path` is a folder on the file system for states; close() takes it away with all that is in it."""

    def __init__(self, work, gigabytes=None):
        self.image, self.path = Path(work, "state.img"), Path(work, "state")
        self.close()  # what a run that was killed left
        self.path.mkdir()
        self.description = self.mount(gigabytes) or f"{self.type_of(work)}, not on a loop device"

    def mount(self, gigabytes):
        free = shutil.disk_usage(self.image.parent).free
        size = min(gigabytes * GB, free) if gigabytes else min(24 * GB, free * 6 // 10)
        with open(self.image, "wb") as file:
            file.truncate(size)
        try:
            for command in (["mkfs.ext4", "-q", "-F", "-i", "32768", "-E", "lazy_itable_init=0,lazy_journal_init=0", self.image],
                            ["mount", "-o", "noatime,loop", self.image, self.path]):
                subprocess.run(command, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"bench: no loop device ({getattr(error, 'stderr', error)}".rstrip() + "); the state is on the file system "
                  "of the work folder", file=sys.stderr)
            self.image.unlink()
            return None
        self.read_directly()
        return "ext4 with a journal on a loop device"

    def must_have(self, gigabytes):
        free = shutil.disk_usage(self.path).free / GB
        if free < gigabytes:
            raise OSError(f"its states need {gigabytes} GB, and the file system for states has {free:.0f} (--state-size)")

    def read_directly(self):
        """Without this each byte would be in the page cache twice, once for the image file."""
        device = subprocess.run(["findmnt", "-no", "SOURCE", self.path], capture_output=True, text=True, check=False).stdout.strip()
        subprocess.run(["losetup", "--direct-io=on", device], capture_output=True, check=False)

    @staticmethod
    def type_of(folder):
        return subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True, check=True).stdout.strip()

    def close(self):
        for point in mounts_below(self.path):
            subprocess.run(["umount", point], check=False, capture_output=True)
        for point in mounts_below(self.path):
            subprocess.run(["umount", "-l", point], check=False)
        shutil.rmtree(self.path, ignore_errors=True)
        self.image.unlink(missing_ok=True)
