# SPDX-License-Identifier: Apache-2.0
"""One tool's way through the phases of one workload, from an empty state."""
import os
from dataclasses import dataclass, field
from pathlib import Path

import measure
import trees
from line import Counters
from measure import Failed, Sample
from memory import Watch
from peers.place import Cannot, Job, Output


@dataclass
class Cell:
    """What is known of one tool in one phase: samples, or why there are none."""
    samples: list = field(default_factory=list)
    reason: str = ""
    failed: bool = False


@dataclass
class Scene:
    """What a phase's functions see."""
    peer: object
    workload: object
    context: Path
    target: object    # the registry that takes pushes
    inputs: object
    out: Path
    settings: object
    lines: tuple = ()  # far ones: to the bases, to the target

    @property
    def tag(self):
        return f"localhost/bench-{self.workload.name}:latest"

    @property
    def pushed(self):
        return f"{self.target.address}/{self.workload.name}:1"

    def job(self, kind="store", cache_to="", cache_from="", far=False):
        where = self.pushed if kind == "push" else str(self.out)
        if far:
            where = where.replace(self.target.address, self.lines[1].address)
        references = [ref and f"{self.target.address}/{ref}:{self.workload.name}" for ref in (cache_to, cache_from)]
        return Job(self.context, self.tag, Output(kind, where), *references)

    def make_runnable(self, argv):
        """The image is in the tool's store, whatever that costs; a bare runtime gets an unpacked tree."""
        if hasattr(self.peer, "unpack"):
            self.peer.unpack(self.inputs.busybox_tar(), argv)
        else:
            run_all(self, self.peer.build(self.job()), self.out.with_suffix(".log"))


def run_all(scene, commands, log):
    """Runs the commands one after the other in the tool's cgroup; (wall seconds, peak memory in MB, CPU seconds of watching that)."""
    scene.peer.place.state.joinpath("tmp").mkdir(exist_ok=True)
    total, peak, groups = 0.0, 0.0, scene.peer.place.groups
    with groups.inside("tool"), Watch(groups.top and groups.top / "tool") as watch:
        for command in commands:
            wall, rss = measure.run_command(command, log, scene.peer.environment, scene.settings.timeout)
            total, peak = total + wall, max(peak, rss)
    return total, max(peak, watch.peak_mb), watch.own_cpu_s


def check_traffic(carried, fewest_up, fewest_down):
    """In MB, or a ValueError if the tool went another way than over the lines."""
    if carried.up < fewest_up or carried.down < fewest_down:
        raise ValueError(f"only {carried.up} bytes went up the far line and {carried.down} down")
    return round((carried.up + carried.down) / 1e6, 2)


class Series:
    def __init__(self, scene, run, logs):
        self.scene, self.run, self.logs = scene, run, logs
        self.cells = {}

    def go(self):
        """Cells by phase name. A phase that follows from one without a result has none either."""
        blocked = ""
        for index, phase in enumerate(self.scene.workload.phases):
            blocked = "" if phase.fresh else blocked
            blocked = blocked or next((self.cells[name].reason for name in phase.needs if self.cells[name].reason), "")
            cell = self.cells[phase.name] = Cell()
            if blocked:
                cell.reason = blocked
                continue
            try:
                self.measure(phase, index, cell)
            except Cannot as error:
                cell.reason = blocked = str(error)
            except (Failed, ValueError, OSError) as error:
                cell.reason, cell.failed = str(error), True
                blocked = f"{phase.name} failed"
                self.scene.peer.stop()
                self.scene.peer.place.groups.kill("registry")  # what a command that was stopped had started
        return self.cells

    def measure(self, phase, index, cell):
        phase.commands(self.scene)  # says at once what cannot be
        if phase.fresh:
            self.scene.peer.reset()
        if phase.prepare:
            phase.prepare(self.scene)
        measure.sync(self.scene.out.parent)
        measure.wait_for_quiet(self.scene.settings.quiet)
        for repetition in range(phase.repeat):
            cell.samples.append(self.sample(phase, 1000 * self.run + 100 * index + repetition))

    def sample(self, phase, number):
        scene, groups = self.scene, self.scene.peer.place.groups
        log = self.logs / f"{scene.workload.name}-{scene.peer.name}-{phase.name}.log"
        log.unlink(missing_ok=True)
        if phase.edit:
            phase.edit(scene.context, number)
        commands = phase.commands(scene)
        daemon = scene.peer.daemon
        if daemon:
            Path(f"/proc/{daemon}/clear_refs").write_text("5")  # the peak counts from here
        ours, registry, everyone = groups.cpu_s(), groups.cpu_s("registry"), measure.busy_ticks()
        carried = self.carried()
        wall, peak, watching = run_all(scene, commands, log)
        peak = max(peak, measure.peak_rss_mb(daemon) if daemon else 0)
        sample = Sample(round(wall, 6), peak_rss_mb=round(peak, 1) or None)
        if ours is not None:
            ours, registry = groups.cpu_s() - ours, groups.cpu_s("registry") - registry
            sample.cpu_s = round(max(0.0, ours - registry - watching), 4)
            sample.other_cpu_s = round(max(0.0, (measure.busy_ticks() - everyone) / 100 - ours), 2)
        sample.sync_s = round(measure.sync(scene.out.parent), 4)
        if phase.repeat == 1:
            sample.state_mb = measure.megabytes(scene.peer.place.state)
        if scene.out.exists():
            sample.output_mb = round(scene.out.stat().st_size / 1e6, 1)
            scene.out.unlink()
        if phase.verify:
            phase.verify(log.read_text(errors="replace"), number)
        if phase.traffic:
            sample.wire_mb = check_traffic(self.carried() - carried, *phase.traffic(scene))
        return sample

    def carried(self):
        """By all far lines together."""
        return sum((line.counters() for line in self.scene.lines), Counters())

    def has_result(self):
        """Whether the tool has an image that can be compared."""
        cells = list(self.cells.values())
        return bool(cells[-1].samples if self.scene.workload.pushed else any(cell.samples for cell in cells))

    def tree(self):
        """What the image is made of: that of the unedited context, or that which the last phase left in the registry."""
        scene, log = self.scene, self.logs / f"{self.scene.workload.name}-{self.scene.peer.name}-tree.log"
        try:
            if scene.workload.pushed:
                copy = ["skopeo", "--insecure-policy", "copy", "-q", "--src-tls-verify=false", f"docker://{scene.pushed}",
                        f"oci-archive:{scene.out}"]
                measure.run(copy, log, dict(os.environ), scene.settings.timeout)
            else:
                scene.workload.restore(scene.context)
                run_all(scene, scene.peer.build(scene.job("oci")), log)
            return trees.manifest(scene.out)
        finally:
            scene.out.unlink(missing_ok=True)
