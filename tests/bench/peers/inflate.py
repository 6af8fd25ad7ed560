# SPDX-License-Identifier: Apache-2.0
"""Programs that BuildKit and docker use to decompress layers if they are on their PATH. Whether they are there must not depend on the
machine, so the plain peers are told not to use them. containerd's code prefers `igzip`, docker's knows `unpigz` alone, which an
igzip of that name serves as well."""
import re
import shutil
import subprocess

OWN = {"MOBY_DISABLE_PIGZ": "1", "CONTAINERD_DISABLE_PIGZ": "1", "CONTAINERD_DISABLE_IGZIP": "1"}
WORKLOADS = ("w8",)  # where inflating is most of the work


def prefer(environment, place):
    """Puts a folder with both names first on the PATH of the environment; says what is missing, or None. The folder has the library
    too, for a root file system of another Debian has neither."""
    igzip = shutil.which("igzip")
    if not igzip:
        return "no igzip (package isal)"
    folder = place.scratch / "inflate"
    folder.mkdir(exist_ok=True)
    listed = subprocess.run(["ldd", igzip], capture_output=True, text=True, check=False).stdout
    for path in [igzip, *re.findall(r"=> (\S*libisal\S*) ", listed)]:
        shutil.copy(path, folder)
    shutil.copy(igzip, folder / "unpigz")
    environment["PATH"] = f"{folder}:{environment['PATH']}"
    environment["LD_LIBRARY_PATH"] = str(folder)
    return None
