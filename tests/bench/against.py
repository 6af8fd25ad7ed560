# SPDX-License-Identifier: Apache-2.0
"""A run beside an earlier one: what became slower. Only our own builder, and only phases that both runs have."""
import json
from pathlib import Path

from report import by_phase, duration, is_disturbed, wall

SLOWER = 1.10  # beyond this a phase is warned of, if neither figure is disturbed


def last_of(folder, new):
    """The last stored run in a folder of results that has a phase of this one, or None."""
    for path in sorted(Path(folder).glob("[0-9]*.json"), reverse=True):  # named by their time
        old = json.loads(path.read_text())
        if ours(old).keys() & ours(new).keys():
            return old
    return None


def ours(document):
    """(workload, phase) -> row, of those with samples."""
    return {(workload, phase): rows["mybuild"] for (workload, _), phases in by_phase(document).items()
            for phase, rows in phases.items() if rows.get("mybuild", {}).get("samples")}


def cell(row):
    return duration(wall(row)) + ("*" if is_disturbed(row) else " ")


def report(new, old):
    now, then = ours(new), ours(old)
    shared = [key for key in now if key in then]
    if not shared:
        return ["", f"The run of {old['date']} has no phase of this one"]
    out, slower = ["", f"    {'':<20}{'now':>11}{'then':>11}{'change':>9}   then: {old['date']}, commit {old['commit'] or 'unknown'}"], []
    for key in shared:
        change = wall(now[key]) / wall(then[key])
        name = f"{key[0].upper()} {key[1]}"
        out.append(f"    {name:<20}{cell(now[key]):>11}{cell(then[key]):>11}{change - 1:>+9.0%}")
        if change > SLOWER and not is_disturbed(now[key]) and not is_disturbed(then[key]):
            slower.append(f"    {name}: {change - 1:+.0%}")
    if new["machine"] != old["machine"]:
        out.append("The machines are not the same")
    return out + ([f"SLOWER by more than {SLOWER - 1:.0%}:", *slower] if slower else ["Nothing became slower by more than "
                                                                                     f"{SLOWER - 1:.0%}"])
