#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builders side by side on the workloads W1 to W21: a table, a JSON file, a drawing. README.md says how to read them."""
import argparse
import fcntl
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import against
import bases
import machine
import peers
import report
import svg
import targets
import trees
from disk import Disk, remove, wipe
from line import Line
from measure import Failed, Groups
from peers.place import Cannot, Place
from peers.rootfs import RootFs
from registry import Registry
from series import Cell, Scene, Series
from workloads import ALL, BY_NAME


FROM_ROOT = ("docker", "docker-igzip", "podman", "buildah", "runc")
RTT_MS, MBIT = 50, 100  # of the far lines
SCALING = (["w3", "w4", "w5", "w7", "w8"], ["mybuild", "mybuild-1core"])


def parse(arguments):
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("workloads", nargs="*", metavar="W",
                        help="w1 … w21 (default: all but " + " ".join(name for name in BY_NAME if BY_NAME[name].by_name)
                             + "), or scaling: ours alone, on one core and on all")
    parser.add_argument("--runs", type=int, default=3, help="how often each workload is gone through (default 3)")
    parser.add_argument("--peers", help="comma-separated, of: " + " ".join(peers.NAMES))
    parser.add_argument("--mybuild", required=True, type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--dir", required=True, type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--search", type=Path, action="append", default=[], metavar="DIR",
                        help="look for the peers' programs in this folder first (repeatable)")
    parser.add_argument("--peers-root", type=Path, metavar="DIR",
                        help="measure the docker, podman, buildah and runc in this root file system, say of a newer Debian")
    parser.add_argument("--fallback", type=Path, action="append", default=[], help=argparse.SUPPRESS)
    parser.add_argument("--timeout", type=float, default=900, metavar="S", help="of one command (default 900)")
    parser.add_argument("--quiet", type=float, default=10, metavar="S", help="wait so long for a quiet machine (default 10)")
    parser.add_argument("--state-size", type=int, metavar="GB",
                        help="of the tools' file system (default 24, or three fifths of what is free)")
    options = parser.parse_args(arguments)
    options.workloads = [name.lower() for name in options.workloads] or [name for name in BY_NAME if not BY_NAME[name].by_name]
    options.peers = options.peers.split(",") if options.peers else [peer.name for peer in peers.ALL if not peer.by_name]
    if options.workloads == ["scaling"]:
        options.workloads, options.peers = SCALING
    for given, known in ((options.workloads, BY_NAME), (options.peers, peers.NAMES)):
        for name in given:
            if name not in known:
                parser.error(f"there is no {name}; there are {' '.join(known)}")
    if options.runs < 1:
        parser.error("--runs must be at least 1")
    return options


def lock(folder):
    """Held until the process ends."""
    file = open(folder / "lock", "w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"bench: another run is under way in {folder}")
    return file


class Bench:
    """Owns everything that has to be taken away again; close() does so in the order opposite to its making."""

    def __init__(self, options):
        self.options, self.closing = options, ExitStack()
        self.work = options.dir.resolve()
        self.logs = self.work / "logs"
        self.logs.mkdir(exist_ok=True)
        self.cells = {}  # (workload, phase, peer) -> Cell
        self.trees = []

    def open(self):
        self.groups = Groups(f"bench-{machine.name_of(self.work)}")
        self.groups.kill()  # what a run that was killed left
        self.closing.callback(self.groups.remove)
        self.disk = Disk(self.work, self.options.state_size)
        self.closing.callback(self.disk.close)
        self.scratch = Path("/run", self.groups.name)
        wipe(self.scratch)
        self.closing.callback(remove, self.scratch)
        source = Registry(self.work / "data/registry", 5055, self.groups, self.scratch)
        self.target = Registry(self.disk.path / "pushed", 5056, self.groups, self.scratch)
        for registry in (source, self.target):
            self.closing.callback(registry.stop)
            registry.start()
        self.lines = self.open_lines(source) if self.needs_lines() else ()
        self.inputs = bases.Inputs(self.work / "data", source, *self.lines[:1])
        self.root = self.open_root() if self.options.peers_root else None
        self.peers = [self.make_peer(peer) for peer in peers.ALL if peer.name in self.options.peers]
        for peer in self.peers:
            self.closing.callback(peer.stop)

    def needs_lines(self):
        return any("{" + bases.FAR in BY_NAME[name].dockerfile for name in self.options.workloads)

    def open_lines(self, source):
        lines = [Line(registry.address, RTT_MS, MBIT, self.scratch / f"line-{name}")
                 for name, registry in (("source", source), ("target", self.target))]
        with self.groups.inside("registry"):
            for line in lines:
                self.closing.callback(line.stop)
                line.start()
        return tuple(lines)

    def open_root(self):
        root = RootFs(self.options.peers_root, (self.work, self.scratch), self.scratch)
        self.closing.callback(root.close)
        return root

    def make_peer(self, kind):
        folders = [*self.options.search, "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin",
                   *self.options.fallback]
        servers = tuple(server.address for server in (self.inputs.registry, self.target, *self.lines))
        place = Place(self.disk.path / kind.name, self.scratch, self.logs / f"{kind.name}.log", self.groups, servers,
                      os.pathsep.join(map(str, folders)), self.root if kind.name in FROM_ROOT else None)
        return kind(place, str(self.options.mybuild.resolve())) if issubclass(kind, peers.Mybuild) else kind(place)

    def close(self):
        self.closing.close()

    def run(self):
        for name in self.options.workloads:
            workload = BY_NAME[name]
            print(f"bench: {name.upper()} {workload.title}", flush=True)
            try:
                self.disk.must_have(workload.disk_gb)
                context = self.inputs.context(workload)
            except (OSError, subprocess.SubprocessError) as error:
                self.give_up(workload, f"its input cannot be made: {error}")
                continue
            bases.read_all(context)
            for run in range(1, self.options.runs + 1):
                self.run_once(workload, context, run)
            workload.restore(context)

    def run_once(self, workload, context, run):
        results = {}
        for peer in self.peers:
            if peer.missing or workload.name not in (peer.only or BY_NAME):
                continue
            workload.restore(context)
            scene = Scene(peer, workload, context, self.target, self.inputs, self.disk.path / "result.tar", self.options, self.lines)
            series = Series(scene, run, self.logs)
            for phase, cell in series.go().items():
                self.add(workload, phase, peer, cell)
            if run == 1 and workload.has_tree:
                self.take_tree(series, results)
            peer.stop()
            peer.place.empty()
        self.compare(workload, results)

    def add(self, workload, phase, peer, cell):
        known = self.cells.setdefault((workload.name, phase, peer.name), Cell())
        known.samples += cell.samples
        if cell.samples:
            times = " ".join(report.duration(sample.wall_s).replace(" ", "") for sample in cell.samples)
            print(f"bench:   {phase:<14} {peer.name:<9} {times}", flush=True)
        if cell.reason:
            known.reason, known.failed = cell.reason, known.failed or cell.failed
            if cell.failed:
                print(f"bench: {workload.name.upper()} {phase}: {peer.name} failed: {cell.reason}", file=sys.stderr, flush=True)

    def take_tree(self, series, results):
        """Of mybuild, and of the first other tool that has one."""
        name = series.scene.peer.name
        others = any(not peer.missing and peer.name not in ("mybuild", "runc") for peer in self.peers)
        wanted = others if name == "mybuild" else "mybuild" in results
        if not wanted or len(results) == 2 or not series.has_result():
            return
        try:
            results[name] = series.tree()
        except Cannot:
            pass
        except (Failed, OSError, KeyError) as error:
            print(f"bench: the tree of {name} cannot be read: {error}", file=sys.stderr)

    def compare(self, workload, results):
        if len(results) < 2:
            return
        (left, ours), (right, theirs) = results.items()
        found = trees.differences(ours, theirs)
        self.trees.append({"workload": workload.name, "left": left, "right": right, "paths": len(ours), "differences": found[:100]})
        if found:
            print(f"bench: {workload.name.upper()}: {len(found)} paths differ between {left} and {right}:", *found[:10], sep="\n  ",
                  file=sys.stderr, flush=True)

    def give_up(self, workload, reason):
        for phase in workload.phases:
            for peer in self.peers:
                self.add(workload, phase.name, peer, Cell(reason=reason))

    def document(self):
        tools = {peer.name: {"missing": peer.missing} if peer.missing else {"version": peer.version()} for peer in self.peers}
        rows = [{"workload": workload.name, "title": workload.title, "phase": phase.name, "peer": peer.name, "reason": cell.reason,
                 "failed": cell.failed, "samples": [vars(sample) for sample in cell.samples]}
                for workload in ALL for phase in workload.phases for peer in self.peers
                if (cell := self.cells.get((workload.name, phase.name, peer.name)))]
        return {"format": 1, **machine.description(self.disk.description), "runs": self.options.runs, "tools": tools,
                "rows": rows, "trees": self.trees}


def write_results(document, folder):
    """The JSON file and the drawing, under the time of the run and as `latest`."""
    folder.mkdir(exist_ok=True)
    name = document["date"].replace(":", "").replace("-", "")
    files = {f"{name}.json": report.to_json(document), f"{name}.svg": svg.draw(document)}
    for file, content in files.items():
        (folder / file).write_text(content)
        link = folder / f"latest{Path(file).suffix}"
        link.unlink(missing_ok=True)
        link.symlink_to(file)
    return [folder / file for file in files]


def print_reports(document, last):
    print(report.table(document))
    for part in (targets.report(document), report.scaling(document), against.report(document, last) if last else []):
        print(*part, sep="\n", end="\n" if part else "")


def interrupted(number, frame):
    raise KeyboardInterrupt


def main(arguments):
    options = parse(arguments)
    if os.geteuid() != 0:
        sys.exit("bench: needs root, as the tools that it measures do")
    os.umask(0o022)
    options.dir.mkdir(parents=True, exist_ok=True)
    held = lock(options.dir)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    bench = Bench(options)
    status = 0
    try:
        bench.open()
        bench.run()
    except KeyboardInterrupt:
        print("bench: interrupted; here is what was measured", file=sys.stderr)
        status = 130
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the clean-up is short and must be whole
        document = bench.document() if bench.cells else None
        bench.close()
    if document:
        print_reports(document, against.last_of(bench.work / "results", document))
        print(*write_results(document, bench.work / "results"), sep="\n")
        status = status or report.verdict(document)
    held.close()
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
