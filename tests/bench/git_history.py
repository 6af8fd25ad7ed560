#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a build pays for a repository with much history: tests/bench/git_history.py BIN_DIR WORK_DIR [MEGABYTES].
Makes a repository of about that size (1024) whose newest commit has 20 MB, serves it with git daemon on loopback, and times
mybuild-git (fetch and checkout, as a build asks for it) with and without the git program, beside git clone. Prints a table."""
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time

FILE = 4 << 20  # bytes of a file; five of them at a time
BIN, WORK, SIZE = sys.argv[1], os.path.abspath(sys.argv[2]), int((sys.argv[3:] or ["1024"])[0]) << 20
REPOSITORY = os.path.join(WORK, "served", "history")


def git(*args, cwd=None):
    subprocess.run(["git", *args], cwd=cwd, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def add_commits(first, count):
    """Each replaces one of five files by bytes that nothing compresses."""
    importer = subprocess.Popen(["git", "fast-import", "--quiet", "--force"], cwd=REPOSITORY, stdin=subprocess.PIPE)
    for number in range(first, first + count):
        data = random.Random(number).randbytes(FILE)
        parent = b"from refs/heads/main^0\n" if number == first and first > 0 else b""
        importer.stdin.write(b"commit refs/heads/main\ncommitter b <b@example> %d +0000\ndata 2\nx\n%s" %
                             (1600000000 + number, parent) +
                             b"M 100644 inline file%d\ndata %d\n" % (number % 5, len(data)) + data + b"\n")
    importer.stdin.close()
    assert importer.wait() == 0


def make():
    if not os.path.isdir(REPOSITORY):
        git("init", "-q", "--bare", "-b", "main", REPOSITORY)
        add_commits(0, SIZE // FILE)


def serve():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    daemon = subprocess.Popen(["git", "-c", "safe.directory=*", "daemon", "--export-all", "--listen=127.0.0.1", f"--port={port}",
                               "--base-path=" + os.path.dirname(REPOSITORY)], stderr=subprocess.DEVNULL, start_new_session=True)
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.05)
    return daemon, f"git://127.0.0.1:{port}/history"


def ask(**request):
    """One request to mybuild-git; its result."""
    scratch = tempfile.mkdtemp(dir=WORK)
    read, write = os.pipe()
    memory = os.memfd_create("request")
    os.write(memory, json.dumps({"scratch": scratch, **request}).encode())
    os.lseek(memory, 0, os.SEEK_SET)

    def place():
        os.dup2(memory, 103), os.dup2(write, 104), os.dup2(103, 3), os.dup2(104, 4)

    child = subprocess.Popen([os.path.join(BIN, "mybuild-git"), "serve"], preexec_fn=place, close_fds=False,
                             env={"PATH": os.environ["PATH"], "HOME": scratch, "LC_ALL": "C"})
    os.close(write), os.close(memory)
    with os.fdopen(read) as answers:
        last = [json.loads(line) for line in answers][-1]
    child.wait()
    shutil.rmtree(scratch)
    assert "result" in last, last
    return last


def build(url, with_git, seen):
    """What a build does: the name is asked for; a commit that was checked out before lies in the store."""
    found = ask(op="resolve", remote=url, ref="", useGitProgram=with_git)
    if found["object"] not in seen:
        target = tempfile.mkdtemp(dir=WORK)
        ask(op="provide", remote=url, object=found["object"], refName=found["refName"], destination=target,
            mirrors=os.path.join(WORK, "mirrors" + str(with_git)), submodules=True, useGitProgram=with_git)
        shutil.rmtree(target)
        seen.add(found["object"])


def timed(what, action):
    start = time.monotonic()
    action()
    print(f"{what:58} {time.monotonic() - start:8.2f} s", flush=True)


def size(path):
    return int(subprocess.run(["du", "-sm", path], capture_output=True, text=True, check=True).stdout.split()[0])


def clone(url, *args):
    target = os.path.join(WORK, "clone")
    shutil.rmtree(target, ignore_errors=True)
    git("clone", "-q", *args, url, target)


os.makedirs(WORK, exist_ok=True)
make()
daemon, url = serve()
try:
    print(f"history {size(REPOSITORY)} MB")
    timed("git clone", lambda: clone(url))
    timed("git clone --depth 1", lambda: clone(url, "--depth=1"))
    for with_git in (True, False):
        shutil.rmtree(os.path.join(WORK, "mirrors" + str(with_git)), ignore_errors=True)
        seen, how = set(), "with the git program" if with_git else "with libgit2 alone"
        timed(f"mybuild, first build, {how}", lambda: build(url, with_git, seen))
        timed(f"mybuild, nothing changed, {how}", lambda: build(url, with_git, seen))
        add_commits(10000 + with_git, 1)
        timed(f"mybuild, one new commit of 4 MB, {how}", lambda: build(url, with_git, seen))
        print(f"  mirror {size(os.path.join(WORK, 'mirrors' + str(with_git)))} MB")
finally:
    os.killpg(daemon.pid, 15)
