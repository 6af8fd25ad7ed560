# SPDX-License-Identifier: Apache-2.0
"""What was aimed at beside what a run has measured. targets.json has, by workload and phase, how many times faster than the best other
tool (or within how many seconds) ours shall be, and before whom it shall be at all (`ahead_of`: tools without a sandbox, bare runtimes),
and who does not do the same (`not`: docker's archive is not compressed).
A tool that a run has not got counts with the figures stored there, times what buildah takes in this run over what it took then."""
import json
import re
from dataclasses import dataclass
from pathlib import Path

from report import by_phase, duration, figure, is_disturbed, is_ours, times, wall

TARGETS = json.loads((Path(__file__).resolve().parent / "targets.json").read_text())
COARSE = 0.3  # seconds below which a stored figure of CPU time, of one decimal, says nothing
FIELDS = ("wall_s", "cpu_s", "peak_rss_mb", "state_mb")


@dataclass(frozen=True)
class Rival:
    name: str
    figures: dict        # by field name; None where unknown
    mark: str = ""       # ~: stored and scaled, ~1: stored as it is, *: disturbed

    @property
    def wall(self):
        return self.figures["wall_s"]


def measured(row):
    return Rival(row["peer"], {field: wall(row) if field == "wall_s" else figure(row, field) for field in FIELDS},
                 "*" if is_disturbed(row) else "")


def scale(document, key, rows):
    """What buildah takes now over what that release took when the baseline was measured, or None."""
    release = re.search(r"\d+\.\d+", document["tools"].get("buildah", {}).get("version", ""))
    then = TARGETS["baseline_scale"].get(f"buildah {release[0]}", {}).get(key) if release else None
    now = wall(rows["buildah"]) if "buildah" in rows else None
    return now / then if now and then else None


def stored(document, key, rows):
    """Tools that this run has not got, as the baseline knows them."""
    factor = scale(document, key, rows)
    for name, phases in TARGETS["baseline"].items():
        if key in phases and "version" not in document["tools"].get(name, {}):
            figures = {field: phases[key].get(field) for field in FIELDS}
            for field in ("wall_s", "cpu_s"):
                figures[field] = figures[field] and figures[field] * (factor or 1)
            if (phases[key].get("cpu_s") or 0) < COARSE:
                figures["cpu_s"] = None
            yield Rival(name, figures, "~" if factor else "~1")


def rivals(document, key, rows):
    """Every other tool with a figure, fastest first."""
    found = [measured(row) for name, row in rows.items() if not is_ours(name) and row["samples"]]
    left_out = TARGETS["phases"].get(key, {}).get("not", ())
    return sorted((rival for rival in [*found, *stored(document, key, rows)] if rival.name not in left_out), key=lambda rival: rival.wall)


def time_met(target, ours, others):
    """Whether the target is met, None if there is nothing to say it by."""
    ahead_of = target.get("ahead_of", ())
    best = next((rival for rival in others if rival.name not in ahead_of), None)
    checks = [ours < rival.wall for rival in others if rival.name in ahead_of]
    if "times" in target:
        checks += [ours * target["times"] <= best.wall] if best else []
    if "within_s" in target:
        checks.append(ours <= target["within_s"])
    return all(checks) if checks else None


def memory_limit(key):
    return TARGETS["memory_compressing_mb" if key in TARGETS["compressing"] else "memory_mb"]


def wanted(target):
    if not target:
        return ""
    parts = [f"{target['times']:g}x"] if "times" in target else [f"in {duration(target['within_s'])}"]
    return " ".join([*parts, *(["ahead " + "+".join(target["ahead_of"])] if "ahead_of" in target else [])])


class Count:
    """How many targets of one kind are met."""

    def __init__(self, kind):
        self.kind, self.met, self.known = kind, 0, 0

    def mark(self, met):
        self.met += bool(met)
        self.known += met is not None
        return {None: "", True: "yes", False: "NO"}[met]

    def __str__(self):
        return f"{self.kind} {self.met} of {self.known}"


def pair(ours, theirs):
    def show(value):
        return "-" if value is None else f"{value:.{2 if value < 9.995 else 0}f}"
    return f"{show(ours)} / {show(theirs)}"


def line(document, key, rows, counts):
    ours, others = measured(rows["mybuild"]), rivals(document, key, rows)
    target = TARGETS["phases"].get(key, {})
    best = next((rival for rival in others if rival.name not in target.get("ahead_of", ())), others[0] if others else None)
    figures = best.figures if best else dict.fromkeys(FIELDS)
    marks = [count.mark(met) for count, met in zip(counts, (
        time_met(target, ours.wall, others),
        ours.figures["cpu_s"] <= figures["cpu_s"] if ours.figures["cpu_s"] and figures["cpu_s"] else None,
        ours.figures["peak_rss_mb"] <= memory_limit(key) if ours.figures["peak_rss_mb"] else None))]
    rival = f"{duration(best.wall)} {best.name}{best.mark}" if best else "-"
    ratio = times(best.wall / ours.wall) if best else ""
    pairs = [pair(ours.figures[field], figures[field]) for field in FIELDS[1:]]
    return (f"    {key.split('/')[1]:<14}{duration(ours.wall):>10}{ours.mark:<1}{rival:>24}{ratio:>8}  {wanted(target):<27}{marks[0]:<4}"
            f"{pairs[0]:>14} {marks[1]:<4}{pairs[1]:>12} {marks[2]:<4}{pairs[2]:>13}").rstrip()


def report(document):
    """Lines: a table of the phases that ours has, then how many targets are met."""
    out, counts = [], [Count("time"), Count("CPU"), Count("memory")]
    for (workload, title), phases in by_phase(document).items():
        known = {phase: rows for phase, rows in phases.items() if rows.get("mybuild", {}).get("samples")}
        out += [f"{workload.upper():<4}{title}"] if known else []
        out += [line(document, f"{workload}/{phase}", rows, counts) for phase, rows in known.items()]
    if not out:
        return []
    head = (f"    {'':<14}{'ours':>10} {'best other':>24}{'ratio':>8}  {'target':<27}{'met':<4}{'CPU s':>14} {'met':<4}{'memory MB':>12} "
            f"{'met':<4}{'state MB':>13}")
    met, known = sum(count.met for count in counts), sum(count.known for count in counts)
    return ["", head, *out, "", f"{met} of {known} targets met: " + ", ".join(map(str, counts)),
            "Pairs are ours / the best other's; memory: at most "
            f"{TARGETS['memory_mb']} MB, {TARGETS['memory_compressing_mb']} MB where layers are compressed on all cores",
            *notes(document, out)]


def notes(document, out):
    text = "\n".join(out)
    found = []
    if re.search(r"~(?!1)", text):
        found.append("~ a stored figure, times what buildah took here over what it took then")
    if "~1" in text:
        found.append("~1 a stored figure as it is: buildah was not measured in this phase, or not that release of it")
    return found
