#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws a run's document: a group of bars per phase, one bar per tool, all on one logarithmic scale of seconds.
svg.py FILE.json prints the drawing of a stored run."""
import json
import math
import sys
from html import escape
from pathlib import Path

from report import by_phase, duration, is_disturbed, measured_peers, times, wall

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 960, 150, 150, 92, 44
BAR, GAP, GROUP_GAP, TITLE = 11, 3, 9, 30
COLOURS = {"mybuild": "#0f766e", "buildkit": "#2563eb", "docker": "#7c9ff0", "podman": "#be185d", "buildah": "#ec8fb9",
           "kaniko": "#d97706", "runc": "#94a3b8", "mybuild-1core": "#5eead4", "buildkit-igzip": "#1e3a8a", "docker-igzip": "#4f6fc4"}
STYLE = """
text { font: 12px "Helvetica Neue", Helvetica, Arial, "DejaVu Sans", sans-serif; fill: #1f2937 }
.title { font-size: 18px; font-weight: 600 } .head { font-weight: 600 } .soft { fill: #6b7280; font-size: 11px }
.value { font-size: 10px } .ours { font-weight: 700 } .paper { fill: #ffffff } .grid { stroke: #e5e7eb } .rule { stroke: #cbd5e1 }
@media (prefers-color-scheme: dark) {
  text { fill: #e5e7eb } .soft { fill: #9ca3af } .paper { fill: #111827 } .grid { stroke: #273449 } .rule { stroke: #3b4a63 }
}
"""


def text(x, y, content, kind="", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(content)}</text>'


class Scale:
    """Seconds to pixels, in whole decades."""

    def __init__(self, values):
        self.low = math.floor(math.log10(min(values, default=0.001)))
        self.high = max(math.ceil(math.log10(max(values, default=1))), self.low + 1)

    def __call__(self, seconds):
        share = (math.log10(seconds) - self.low) / (self.high - self.low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def ticks(self):
        return [10.0 ** power for power in range(self.low, self.high + 1)]


def tick_label(seconds):
    return f"{seconds:g} s" if seconds >= 1 else f"{seconds * 1000:g} ms"


def bar(scale, y, row, ours):
    """One tool's bar, with its time and how many times ours it is."""
    seconds, peer = wall(row), row["peer"]
    end = scale(seconds)
    label = duration(seconds) + ("*" if is_disturbed(row) else "")
    if peer != "mybuild" and ours:
        label += f"  ({times(seconds / ours)})"
    kind = "value ours" if peer == "mybuild" else "value"
    return [f'<rect x="{LEFT}" y="{y}" width="{max(1.5, end - LEFT):.1f}" height="{BAR}" rx="1.5" fill="{COLOURS[peer]}">'
            f"<title>{escape(peer)}: {escape(duration(seconds))}</title></rect>",
            text(max(end, LEFT) + 5, y + BAR - 2, label, kind)]


def body(document, scale):
    """(shapes, height) of all groups, from the top of the plot."""
    shapes, y = [], TOP
    for (workload, title), phases in by_phase(document).items():
        groups = {phase: [row for row in rows.values() if row["samples"]] for phase, rows in phases.items()}
        groups = {phase: rows for phase, rows in groups.items() if rows}
        if not groups:
            continue
        shapes += [f'<line x1="20" x2="{WIDTH - 20}" y1="{y + 4}" y2="{y + 4}" class="rule"/>',
                   text(20, y + 22, workload.upper(), "head"), text(60, y + 22, title)]
        y += TITLE
        for phase, rows in groups.items():
            height = len(rows) * (BAR + GAP)
            shapes.append(text(LEFT - 10, y + height / 2 + 3, phase, "soft", "end"))
            ours = next((wall(row) for row in rows if row["peer"] == "mybuild"), None)
            for index, row in enumerate(rows):
                shapes += bar(scale, y + index * (BAR + GAP), row, ours)
            y += height + GROUP_GAP
        y += 4
    return shapes, y


def grid(scale, bottom):
    return [shape for tick in scale.ticks() for shape in (
        f'<line x1="{scale(tick):.1f}" x2="{scale(tick):.1f}" y1="{TOP}" y2="{bottom}" class="grid"/>',
        text(scale(tick), TOP - 8, tick_label(tick), "soft", "middle"),
        text(scale(tick), bottom + 16, tick_label(tick), "soft", "middle"))]


def key(names):
    shapes, x = [], 20
    for name in names:
        shapes += [f'<rect x="{x}" y="48" width="12" height="12" rx="2" fill="{COLOURS[name]}"/>', text(x + 17, 58, name)]
        x += 34 + 7.5 * len(name)
    return shapes


def draw(document):
    drawn = {row["peer"] for row in document["rows"] if row["samples"]}
    scale = Scale([wall(row) for row in document["rows"] if row["samples"]])
    shapes, bottom = body(document, scale)
    height, machine = bottom + BOTTOM, document["machine"]
    about = (f"median wall time, runs: {document['runs']}; logarithmic; * disturbed by others; {machine['processor']}, {machine['cores']} cores, "
             f"Linux {machine['kernel']}; {document['date'][:10]}, {document['commit'] or 'no commit'}")
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">',
             f"<title>Builders side by side</title><style>{STYLE}</style>",
             f'<rect width="{WIDTH}" height="{height}" class="paper"/>', text(20, 32, "Builders side by side", "title"),
             *key([name for name in measured_peers(document) if name in drawn]), *grid(scale, bottom), *shapes,
             text(20, bottom + 34, about, "soft"), "</svg>"]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    print(draw(json.loads(Path(sys.argv[1]).read_text())), end="")
