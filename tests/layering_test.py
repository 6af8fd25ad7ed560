#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails on an #include against the arrows of layering_edges.py, on an unknown top-level entry, and on TRY inside a braced
initialiser (where g++ and clang leak the members already built when it returns early)."""
import os
import re
import unittest

from layering_edges import EDGES, TEST_BOX, THIRD_PARTY, TOP_LEVEL
from source_text import ROOT, SOURCE_FOLDERS, blank, line_of, read, source_files

GENERATED = re.compile(r"\w+\.inc")  # made in the build tree, beside the file that includes it
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.M)
# What may stand before the "{" of a block; anything else before a "{" makes it an initialiser.
BLOCK_OPENERS = re.compile(
    r"(?:\)|\)\s*(?:const\s*)?&&?|\belse|\bdo|\btry|\bconst|\bnoexcept|\boverride|\bfinal|\bmutable|[;{}:]|\bnamespace(?:\s+[\w:]+)?"
    r"|\b(?:class|struct|union|enum)\b[^;={}()]*|->\s*[\w:<>,*&\s]+|\])\s*$")


def box_of(path):
    """The folder of EDGES that `path` belongs to; None when there is none."""
    folder = os.path.dirname(path)
    while folder and folder not in EDGES and folder != TEST_BOX:
        folder = os.path.dirname(folder)
    return folder or None


def may_include(box, header):
    target = box_of(header)
    if box == TEST_BOX:
        return target is not None
    return target == box or target in EDGES[box] or header in EDGES[box]


def include_faults(path, text):
    box = box_of(path)
    if box is None:
        yield f"{path}:1: no box of layering_edges.py holds this folder"
        return
    for match in INCLUDE.finditer(text):
        ours, theirs = match.groups()
        where = f"{path}:{line_of(text, match.start(1) if ours else match.start(2))}"
        if ours and not GENERATED.fullmatch(ours) and not may_include(box, ours):
            yield f"{where}: {box} may not include {ours}"
        for pattern, boxes in THIRD_PARTY.items():
            if theirs and re.fullmatch(pattern + ".*", theirs) and box not in boxes + (TEST_BOX,):
                yield f"{where}: <{theirs}> is for {', '.join(boxes)} only"


def brace_kinds(code):
    """For each offset of TRY( in `code`: is the innermost open brace around it an initialiser?"""
    stack = []
    for match in re.finditer(r"[{}]|\bTRY\s*\(", code):
        token = match.group()
        if token == "{":
            before = code[max(0, match.start() - 200):match.start()]
            nested = stack and before.rstrip().endswith("{")
            stack.append(stack[-1] if nested else not BLOCK_OPENERS.search(before))
        elif token == "}":
            if stack:
                stack.pop()
        else:
            yield match.start(), bool(stack and stack[-1])


def try_faults(path, text):
    for offset, in_initialiser in brace_kinds(blank(text)):
        if in_initialiser:
            yield f"{path}:{line_of(text, offset)}: TRY inside a braced initialiser; give the value a name first"


class Layering(unittest.TestCase):
    def assert_none(self, faults):
        self.assertFalse(faults, "\n" + "\n".join(faults))

    def test_includes_follow_the_arrows(self):
        self.assert_none([fault for path in source_files() for fault in include_faults(path, read(path))])

    def test_includes_name_files_from_the_root(self):
        missing = [f"{path}: {ours}" for path in source_files() for ours, _ in INCLUDE.findall(read(path))
                   if ours and not GENERATED.fullmatch(ours) and not os.path.exists(os.path.join(ROOT, ours))]
        self.assert_none(missing)

    def test_arrows_never_run_in_a_circle_between_top_level_folders(self):
        above = {"snapshotter": {"snapshotter"}, "solver": {"solver", "snapshotter"},
                 "frontend": {"frontend", "solver", "snapshotter"},
                 "builder": {"builder", "frontend", "solver", "snapshotter"},
                 "cmd": {"builder", "frontend", "solver", "snapshotter"}}
        self.assert_none([f"{box} -> {target}" for box, targets in EDGES.items() for target in targets
                          if target.split("/")[0] not in above[box.split("/")[0]]])

    def test_top_level_is_fixed(self):
        self.assert_none([name for name in sorted(os.listdir(ROOT))
                          if name not in TOP_LEVEL and not name.startswith((".", "build"))
                          or name == "build" and not os.path.isdir(os.path.join(ROOT, name))])

    def test_try_is_never_inside_a_braced_initialiser(self):
        self.assert_none([fault for path in source_files() for fault in try_faults(path, read(path))])


class TheTestItself(unittest.TestCase):
    def test_forbidden_includes_are_seen(self):
        for path, header in (("solver/x.cc", '"snapshotter/layer_store.h"'), ("frontend/x.h", '"solver/op.h"'),
                             ("snapshotter/x.h", '"solver/graph/graph.h"'), ("builder/run/x.cc", '"builder/engine.h"'),
                             ("builder/ops/x.cc", '"cmd/mybuild/verbs.h"'), ("solver/x.cc", "<curl/curl.h>")):
            self.assertTrue(list(include_faults(path, f"#include {header}\n")), (path, header))

    def test_allowed_includes_pass(self):
        for path, header in (("frontend/x.h", '"solver/progress.h"'), ("builder/x.cc", '"builder/ops/ops.h"'),
                             ("snapshotter/overlay/x.cc", '"snapshotter/snapshotter.h"'), ("solver/x.cc", "<vector>")):
            self.assertEqual(list(include_faults(path, f"#include {header}\n")), [], (path, header))

    def test_try_in_initialisers_is_seen(self):
        for text in ("auto f() { return Pair{TRY(a()), 1}; }", "auto f() { Pair p = {1, TRY(a())}; }",
                     "auto f() { g({.x = TRY(a())}); }", "auto f() { std::vector<int> v{TRY(a())}; }",
                     "auto f() { return std::vector<Pair>{{TRY(a()), 1}}; }"):
            self.assertTrue(list(try_faults("x.cc", text)), text)

    def test_try_in_blocks_passes(self):
        for text in ("auto f() { auto x = TRY(a()); }", "Status f() const { if (b) { TRY(a()); } else { TRY(c()); } }",
                     "auto g = [&](int x) -> Result<int> { TRY(a()); return x; };", "// return {TRY(a())};",
                     "auto g = [] { TRY(a()); };", "Status F::f() && { TRY(a()); }", "void f() { { TRY(a()); } }", 'Status f() { for (auto& x : TRY(list())) { log("{TRY("); } }',
                     "switch (x) { case K::A: { TRY(a()); } }"):
            self.assertEqual(list(try_faults("x.cc", text)), [], text)


if __name__ == "__main__":
    unittest.main()
