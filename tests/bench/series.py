# SPDX-License-Identifier: Apache-2.0
"""One tool's way through the phases of one workload, from an empty state."""
from dataclasses import dataclass, field
from pathlib import Path

import measure
import trees
from measure import Failed, Sample
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

    @property
    def tag(self):
        return f"localhost/bench-{self.workload.name}:latest"

    def job(self, kind="store", cache_to="", cache_from=""):
        where = {"push": f"{self.target.address}/{self.workload.name}:1"}.get(kind, str(self.out))
        references = [ref and f"{self.target.address}/{ref}:{self.workload.name}" for ref in (cache_to, cache_from)]
        return Job(self.context, self.tag, Output(kind, where), *references)

    def make_runnable(self, argv):
        """The image is in the tool's store, whatever that costs; a bare runtime gets an unpacked tree."""
        if hasattr(self.peer, "unpack"):
            self.peer.unpack(self.inputs.busybox_tar(), argv)
        else:
            run_all(self, self.peer.build(self.job()), self.out.with_suffix(".log"))


def run_all(scene, commands, log):
    """Runs the commands one after the other in the tool's cgroup; (wall seconds, peak RSS in MB)."""
    scene.peer.place.state.joinpath("tmp").mkdir(exist_ok=True)
    total, peak = 0.0, 0.0
    with scene.peer.place.groups.inside("tool"):
        for command in commands:
            wall, rss = measure.run(command, log, scene.peer.environment, scene.settings.timeout)
            total, peak = total + wall, max(peak, rss)
    return total, peak


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
        wall, rss = run_all(scene, commands, log)
        sample = Sample(round(wall, 6), peak_rss_mb=round(measure.peak_rss_mb(daemon) if daemon else rss, 1) or None)
        if ours is not None:
            ours, registry = groups.cpu_s() - ours, groups.cpu_s("registry") - registry
            sample.cpu_s = round(ours - registry, 4)
            sample.other_cpu_s = round(max(0.0, (measure.busy_ticks() - everyone) / 100 - ours), 2)
        sample.sync_s = round(measure.sync(scene.out.parent), 4)
        if phase.repeat == 1:
            sample.state_mb = measure.megabytes(scene.peer.place.state)
        if scene.out.exists():
            sample.output_mb = round(scene.out.stat().st_size / 1e6, 1)
            scene.out.unlink()
        if phase.verify:
            phase.verify(log.read_text(errors="replace"), number)
        return sample

    def tree(self):
        """What the image of the unedited context is made of."""
        scene = self.scene
        scene.workload.restore(scene.context)
        try:
            run_all(scene, scene.peer.build(scene.job("oci")), self.logs / f"{scene.workload.name}-{scene.peer.name}-tree.log")
            return trees.manifest(scene.out)
        finally:
            scene.out.unlink(missing_ok=True)
