#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""count.py NAME COMMAND…: runs the command under callgrind and compares what it took with the budget of NAME in
budget.json. Exit codes: 0 within it, 1 not, 77 the budget is not for this machine (the reason is printed).
With UPDATE_BUDGET=1 the budget is written instead. Called by tests/e2e/instruction_counts.sh.

Two numbers, for they change for different reasons: `loading` is what the dynamic linker does, `working` all the rest. Both
are the same from run to run, whatever else the machine does: one CPU is used, so that there are as many threads everywhere,
and valgrind shows each program the same processor, but for AVX2, which decides the kind of memcpy and SHA-256."""
import collections
import json
import os
import re
import subprocess
import sys
from pathlib import Path

BUDGETS = Path(__file__).with_name("budget.json")
MORE, LESS = 1.03, 0.95     # a budget is kept between these
TRIES = 3                   # valgrind is slow, and what a build does after it waited for long only adds: the least counts
KEPT, SHOWN = 40, 10        # functions: kept for comparison, shown
LINKER = re.compile(r"/ld-linux[^/]*$")


class Profile:
    """What a callgrind file says: instructions by part, and inclusive ones by function of ours."""

    def __init__(self, path):
        self.parts, self.functions, self.names = collections.Counter(), collections.Counter(), {}
        thing, function, is_call = "", "", False
        for line in open(path):
            key, _, value = line.rstrip("\n").partition("=")
            if key in ("ob", "cob", "fn", "cfn"):
                name = self.name(key[-2:], value)
                thing = name if key == "ob" else thing
                function = name if key == "fn" else function
            elif key == "calls":
                is_call = True      # the next line has the cost of what was called
            elif line[0].isdigit() or line[0] in "+-*":
                cost = int(line.split()[-1])
                if not is_call:
                    self.parts["loading" if LINKER.search(thing) else "working"] += cost
                self.functions[function] += cost
                is_call = False
        ours = [(short(function), cost) for function, cost in self.functions.items() if function.startswith("mybuild::")]
        self.functions = collections.Counter(dict(sorted(ours, key=lambda of: of[1])))

    def name(self, kind, text):
        number, _, name = text.partition(" ")
        if name:
            self.names[kind, number] = name
        return self.names[kind, number]


def short(function):
    """Without arguments. Lambdas, clones and deeper recursion have their function's name; the largest one counts."""
    function = function.replace("(anonymous namespace)::", "")
    return re.split(r"[(\['<]", function, maxsplit=1)[0]


def measure(command):
    out = Path("callgrind.out")
    cpu = {min(os.sched_getaffinity(0))}
    result = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", *command], text=True,
                            stdin=subprocess.DEVNULL, capture_output=True, preexec_fn=lambda: os.sched_setaffinity(0, cpu))
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {result.returncode}\n{result.stderr}")
    return Profile(out)


def machine(binary):
    """What the counts depend on."""
    comment = subprocess.run(["readelf", "-p", ".comment", binary], capture_output=True, text=True).stdout
    cache = Path(binary).parent.parent / "CMakeCache.txt"
    build = re.search(r"^CMAKE_BUILD_TYPE:\w+=(.*)$", cache.read_text(), re.M) if cache.exists() else None
    release = Path("/etc/debian_version")
    valgrind = subprocess.run(["valgrind", "--version"], capture_output=True, text=True).stdout.strip()
    return {
        "compiler": (re.findall(r"GCC: \(.*?\) (\S+)", comment) or ["unknown"])[0],
        "build": build[1] if build else "unknown",
        "debian": release.read_text().split(".")[0].strip() if release.exists() else "none",
        "valgrind": valgrind.removeprefix("valgrind-"),
        "processor": f"{os.uname().machine}{', AVX2' if ' avx2 ' in Path('/proc/cpuinfo').read_text() else ''}",
    }


def growth(profile, budget):
    known = budget.get("functions", {})
    least = min(known.values(), default=0)  # what is not known had less
    grown = sorted(((cost - known.get(name, least), cost, name) for name, cost in profile.functions.items()), reverse=True)
    lines = [f"  {more:+12,} {cost:12,}  {name}" for more, cost, name in grown[:SHOWN] if more > 0]
    return "\n".join(["functions that grew (more, all of it with what it calls):", *(lines or ["  none of ours"])])


def least(command, is_enough):
    best = measure(command)
    for _ in range(TRIES - 1):
        if is_enough(best):
            break
        best = min(best, measure(command), key=lambda profile: profile.parts.total())
    return best


def is_within(profile, budget):
    return all(profile.parts[part] <= budget[part] * MORE for part in ("loading", "working"))


def judge(name, profile, budget):
    """Lines that say what is wrong."""
    faults = []
    for part in ("loading", "working"):
        took, may = profile.parts[part], budget[part]
        print(f"{name}: {part} {took:,}, budget {may:,} ({took / may - 1:+.1%})")
        if took > may * MORE:
            faults.append(f"{name} takes {took - may:,} more instructions for {part} than its budget of {may:,}")
        if took < may * LESS:
            faults.append(f"{name} takes {may - took:,} fewer instructions for {part} than its budget of {may:,}: well done, and so "
                          "that it stays so, UPDATE_BUDGET=1 tests/e2e/instruction_counts.sh and commit the file")
    if any("more" in fault for fault in faults):
        faults.append(growth(profile, budget))
    return faults


def main(name, command):
    here = machine(command[0])
    document = json.loads(BUDGETS.read_text()) if BUDGETS.exists() else {}
    update = os.environ.get("UPDATE_BUDGET") == "1"
    if not update and document.get("for") != here:
        print(f"skipped: the budget is for {document.get('for')}, this is {here}")
        return 77
    if update:
        profile = least(command, lambda _: False)
        document = {"for": here, "builds": document.get("builds", {})}
        document["builds"][name] = {**profile.parts, "functions": dict(profile.functions.most_common(KEPT))}
        BUDGETS.write_text(json.dumps(document, indent=1) + "\n")
        return 0
    budget = document["builds"][name]
    faults = judge(name, least(command, lambda profile: is_within(profile, budget)), budget)
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
