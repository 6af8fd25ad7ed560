# SPDX-License-Identifier: Apache-2.0
"""A docker-registry on loopback: one holds the base images, one takes what is pushed and is emptied before it."""
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

ACCEPT = "application/vnd.oci.image.manifest.v1+json"


def free_port(wanted):
    """The wanted port if nobody has it, else any other."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return probe.getsockname()[1]
            except OSError:
                continue
    raise OSError("no free port on loopback")


class Registry:
    def __init__(self, folder, port, groups, scratch):
        self.folder, self.groups = Path(folder), groups
        self.address = f"127.0.0.1:{free_port(port)}"
        self.config, self.log = Path(scratch, f"registry-{port}.json"), Path(scratch, f"registry-{port}.log")
        self.process = None

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(json.dumps({  # YAML takes JSON
            "version": "0.1", "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {"cache": {"blobdescriptor": "inmemory"}, "filesystem": {"rootdirectory": str(self.folder)}},
            "http": {"addr": self.address}}))
        with self.groups.inside("registry"), open(self.log, "ab") as log:
            self.process = subprocess.Popen(["docker-registry", "serve", self.config], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, cwd="/", process_group=0)
        for _ in range(200):
            if self.answers("/v2/"):
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise OSError(f"the registry does not answer: {self.log.read_text()[-300:]}")

    def answers(self, path):
        request = urllib.request.Request(f"http://{self.address}{path}", headers={"Accept": ACCEPT}, method="HEAD")
        try:
            return urllib.request.urlopen(request, timeout=5).status == 200
        except (urllib.error.URLError, OSError):
            return False

    def has(self, name, tag):
        return self.answers(f"/v2/{name}/manifests/{tag}")

    def manifest(self, name, tag):
        request = urllib.request.Request(f"http://{self.address}/v2/{name}/manifests/{tag}", headers={"Accept": ACCEPT})
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    def take(self, layout, tag, name):
        subprocess.run(["skopeo", "--insecure-policy", "copy", "-q", "--dest-tls-verify=false", f"oci:{layout}:{tag}",
                        f"docker://{self.address}/{name}"], check=True)

    def stop(self):
        if self.process:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def empty(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.start()
