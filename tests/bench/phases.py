# SPDX-License-Identifier: Apache-2.0
"""What a workload is made of, and the phases that many have."""
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import data
from measure import AtOnce


@dataclass(frozen=True)
class Phase:
    name: str
    commands: Callable          # Scene -> commands, timed together
    fresh: bool = False         # empty the tool's state first; else it follows from the phase before
    edit: Callable | None = None    # (context, number) before each repetition, not timed
    prepare: Callable | None = None  # Scene, once before the phase, not timed
    repeat: int = 1
    verify: Callable | None = None  # (output of the commands, number): raises ValueError
    needs: tuple = ()           # phases of the same series without which this one says nothing
    traffic: Callable | None = None  # Scene -> (fewest bytes up, fewest bytes down) that the far lines must have carried


@dataclass(frozen=True)
class Workload:
    name: str
    title: str
    dockerfile: str
    phases: tuple
    fill: Callable = lambda context: None
    restore: Callable = lambda context: None  # undoes what edits did
    has_tree: bool = True       # the result is compared between tools
    pushed: bool = False        # … as the last phase left it in the registry
    by_name: bool = False       # too long for a run of everything
    disk_gb: int = 0            # free on the file system for states, or it is not begun


def build(kind="store", **more):
    return lambda scene: scene.peer.build(scene.job(kind, **more))


def build_at_once(count):
    """The same build so many times, each under a name of its own."""
    def commands(scene):
        job = scene.job()
        return [AtOnce([scene.peer.build(replace(job, tag=job.tag.replace(":", f"-{number}:"))) for number in range(count)])]
    return commands


def push(scene):
    return scene.peer.push(scene.job("push"))


def push_far(scene):
    return scene.peer.push(scene.job("push", far=True))


def empty_target(scene):
    scene.target.empty()


def cold(name="cold", kind="store", **more):
    return Phase(name, build(kind), fresh=True, **more)


COLD, COLD_OCI, COLD_NONE = cold(), cold("cold-oci", "oci"), cold("cold-none", "none")


def warm(name="warm", kind="store"):
    return Phase(name, build(kind), repeat=5)


def lines(*parts):
    return "\n".join(parts) + "\n"


# --- edits ---------------------------------------------------------------------------------------------------------------


CHANGE = "\n# changed by the bench: "


def first_source(context):
    return next(Path(context, "src/pkg00/mod00").glob("f00000.*"))


def touch_first(context, number):
    first_source(context).touch()


def change_first(context, number):
    with open(first_source(context), "a") as file:
        file.write(f"{CHANGE}{number}\n")


def restore_first(context):
    path = first_source(context)
    data.put(path, path.read_bytes().split(CHANGE.encode())[0])
    data.settle(context / "src")


def write_last(context, number):
    (context / "last.txt").write_text(f"v2-{number}\n")


def restore_last(context):
    data.put(context / "last.txt", "v1\n")
