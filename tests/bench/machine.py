# SPDX-License-Identifier: Apache-2.0
"""What a reader of figures must know about where they come from."""
import hashlib
import os
import platform
import subprocess
from datetime import datetime, timezone
from pathlib import Path


def name_of(folder):
    """A short word that no other work folder has."""
    return hashlib.sha256(str(folder).encode()).hexdigest()[:8]


def description(disk):
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    return {"date": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"), "commit": commit(),
            "machine": {"processor": processor(), "cores": os.cpu_count(), "memory_gb": round(int(memory.split()[1]) / 1e6, 1),
                        "kernel": platform.release(), "system": system(), "disk": disk}}


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def system():
    return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")


def commit():
    """Of this checkout, with a + if it was changed since; empty outside of one."""
    git = ["git", "-c", "safe.directory=*", "-C", str(Path(__file__).parent)]
    try:
        head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
        changed = subprocess.run([*git, "status", "--porcelain", "-uno"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head + ("+" if changed else "")
