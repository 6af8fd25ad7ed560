#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A run's document as a table, as JSON and as a verdict. Everything here is a pure function of the document.
report.py FILE.json [--against OLD.json] prints what ./dev bench says of a stored run."""
import argparse
import json
import string
import sys
from pathlib import Path
from statistics import median

NOISE = 0.3  # cores that others may use during a sample before it counts as disturbed
COLUMN = 20


def to_json(document):
    return json.dumps(document, indent=1) + "\n"


def figure(row, field):
    """The median of a figure of the samples; of the undisturbed ones if there are any. None if it was not taken."""
    calm = [sample for sample in row["samples"] if not is_noisy(sample)]
    values = [sample[field] for sample in calm or row["samples"] if sample.get(field) is not None]
    return median(values) if values else None


def wall(row):
    return figure(row, "wall_s")


def is_ours(peer):
    return peer.split("-")[0] == "mybuild"


def is_noisy(sample):
    return (sample["other_cpu_s"] or 0) > NOISE * sample["wall_s"] + 0.02  # two ticks are the grain of the clock


def is_disturbed(row):
    return all(map(is_noisy, row["samples"]))


def duration(seconds):
    """Three figures, in the unit that suits."""
    if seconds < 0.9995:
        value, unit = seconds * 1000, "ms"
    else:
        value, unit = seconds, "s"
    return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f} {unit}"


def times(factor):
    return f"{factor:.{2 if factor < 9.995 else 1 if factor < 99.95 else 0}f}x"


class Notes:
    """Reasons, each once, under a letter."""

    def __init__(self):
        self.reasons = []

    def mark(self, reason):
        if reason not in self.reasons:
            self.reasons.append(reason)
        index = self.reasons.index(reason)
        return string.ascii_lowercase[index % 26] * (index // 26 + 1)

    def lines(self):
        return [f"  {self.mark(reason)}  {reason}" for reason in self.reasons]


def by_phase(document):
    """(workload, title) -> phase -> peer -> row, in the order of the document."""
    tree = {}
    for row in document["rows"]:
        tree.setdefault((row["workload"], row["title"]), {}).setdefault(row["phase"], {})[row["peer"]] = row
    return tree


def measured_peers(document):
    return [name for name, tool in document["tools"].items() if "version" in tool]


def cell(row, ours, notes):
    if row is None:
        return ""
    time = wall(row)
    if time is None:
        return ("failed " if row["failed"] else "- ") + notes.mark(row["reason"])
    noise = "*" if is_disturbed(row) else " "
    ratio = times(time / ours) if ours and row["peer"] != "mybuild" else ""
    return f"{duration(time)}{noise}{ratio:>8}"


def table(document):
    names, notes = measured_peers(document), Notes()
    head = " " * 18 + "".join(f"{name:>{COLUMN}}" for name in names)
    out = [head]
    for (workload, title), phases in by_phase(document).items():
        out.append(f"{workload.upper():<4}{title}")
        for phase, rows in phases.items():
            ours = wall(rows["mybuild"]) if "mybuild" in rows else None
            cells = (cell(rows.get(name), ours, notes) for name in names)
            out.append((f"    {phase:<14}" + "".join(f"{text:>{COLUMN}}" for text in cells)).rstrip())
    return "\n".join([*out, "", *notes.lines(), *legend(document)])


def legend(document):
    machine = document["machine"]
    out = [f"Medians, runs: {document['runs']}; x = time of the tool / time of mybuild; * = others used the machine meanwhile"]
    for tree in document["trees"]:
        verdict = f"{len(tree['differences'])} DIFFER" if tree["differences"] else "equal"
        out.append(f"Trees of {tree['workload'].upper()}, {tree['left']} and {tree['right']}: {tree['paths']} paths, {verdict}")
    out += [f"{name}: {tool.get('version') or 'not measured, ' + tool['missing']}" for name, tool in document["tools"].items()]
    out.append(f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}, Linux "
               f"{machine['kernel']}, state on {machine['disk']}; {document['date']}, commit {document['commit'] or 'unknown'}")
    return out


def scaling(document):
    """Lines: how many times faster all cores are than one, if both were measured."""
    out = []
    for (workload, _), phases in by_phase(document).items():
        for phase, rows in phases.items():
            one, all_cores = (wall(rows[name]) if name in rows else None for name in ("mybuild-1core", "mybuild"))
            if one and all_cores:
                out.append(f"    {workload.upper() + ' ' + phase:<20}{times(one / all_cores):>8}")
    return ["", f"Speed-up of {document['machine']['cores']} cores over one:", *out] if out else []


def verdict(document):
    """The exit code: 1 if a tree differs or our own builder failed anywhere."""
    failed = any(row["failed"] for row in document["rows"] if row["peer"] == "mybuild")
    return int(failed or any(tree["differences"] for tree in document["trees"]))


def main():
    import against  # they use this module
    import targets
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, metavar="FILE.json")
    parser.add_argument("--against", type=Path, metavar="OLD.json", help="say what became slower since that run")
    options = parser.parse_args()
    document = json.loads(options.run.read_text())
    print(table(document), *targets.report(document), *scaling(document), sep="\n")
    if options.against:
        print(*against.report(document, json.loads(options.against.read_text())), sep="\n")


if __name__ == "__main__":
    main()
