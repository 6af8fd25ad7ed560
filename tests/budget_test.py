#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sizes of ARCHITECTURE.md, "Size": fails on what is far beyond them and prints how the tree drifts.
Run with -v to see the longest files and functions."""
import os
import re
import sys
import unittest

from source_text import ROOT, SOURCE_FOLDERS, blank, line_of, read, source_files

FILE_STOP, FUNCTION_STOP, README_STOP, SCRIPT_STOP = 700, 120, 60, 30
FILE_MEDIAN, FILE_P95, FUNCTION_MEDIAN, FUNCTION_P95, FUNCTION_AIM = 150, 450, 10, 45, 80
SCOPE = re.compile(r"(?:\bnamespace(?:\s+[\w:]+)?|\bextern\s*|\b(?:class|struct|union|enum)\b[^;={}()]*)\s*$")


def functions(path):
    """(lines, first line) of every function body, lambdas counted with the function that holds them."""
    code = blank(read(path))
    scopes = []  # True for namespace and class bodies
    start = None
    for match in re.finditer(r"[{}]", code):
        if match.group() == "{":
            in_scope = all(scopes)
            is_scope = bool(SCOPE.search(code[max(0, match.start() - 200):match.start()]))
            if in_scope and not is_scope:
                start = match.start()
            scopes.append(is_scope)
        elif scopes:
            scopes.pop()
            if start is not None and all(scopes):
                first = line_of(code, start)
                lines = line_of(code, match.start()) - first + 1
                if code[:start].rstrip().endswith((")", "const", "override", "noexcept", "&&", "}", ">")):
                    yield lines, first
                start = None


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0


def line_count(path):
    return read(path).count("\n")


def readmes():
    for folder in SOURCE_FOLDERS + ("testdata", "."):
        for where, folders, names in os.walk(os.path.join(ROOT, folder)):
            if folder == ".":
                folders.clear()
            if "README.md" in names:
                yield os.path.relpath(os.path.join(where, "README.md"), ROOT)


class Budget(unittest.TestCase):
    def assert_none(self, faults):
        self.assertFalse(faults, "\n" + "\n".join(faults))

    def test_no_file_is_longer_than_the_stop(self):
        self.assert_none([f"{path}: {line_count(path)} lines, the stop is {FILE_STOP}" for path in source_files()
                          if line_count(path) > FILE_STOP])

    def test_no_function_is_longer_than_the_stop(self):
        self.assert_none([f"{path}:{first}: function of {lines} lines, the stop is {FUNCTION_STOP}"
                          for path in source_files() for lines, first in functions(path) if lines > FUNCTION_STOP])

    def test_readmes_are_one_page(self):
        self.assert_none([f"{path}: {line_count(path)} lines, the stop is {README_STOP}" for path in readmes()
                          if path != "README.md" and line_count(path) > README_STOP])

    def test_end_to_end_scripts_are_short(self):
        folder = os.path.join(ROOT, "tests/e2e")
        scripts = [f"tests/e2e/{name}" for name in sorted(os.listdir(folder)) if name.endswith(".sh") and name != "lib.sh"]
        self.assert_none([f"{path}: {line_count(path)} lines, the stop is {SCRIPT_STOP}" for path in scripts
                          if line_count(path) > SCRIPT_STOP])

    def test_every_source_folder_that_is_a_box_has_a_readme(self):
        self.assert_none([f"{folder}: no README.md" for folder in SOURCE_FOLDERS
                          if not os.path.exists(os.path.join(ROOT, folder, "README.md"))])

    def test_every_source_names_its_licence(self):
        self.assert_none([path for path in source_files()
                          if not read(path).startswith("// SPDX-License-Identifier: Apache-2.0\n")])


def report_drift():
    files = [(line_count(path), path) for path in source_files()]
    bodies = [(lines, f"{path}:{first}") for path in source_files() for lines, first in functions(path)]
    sizes, lengths = [lines for lines, _ in files], [lines for lines, _ in bodies]
    print(f"files: {len(files)}, {sum(sizes)} lines, median {percentile(sizes, .5)} (aim {FILE_MEDIAN}), "
          f"p95 {percentile(sizes, .95)} (aim {FILE_P95})")
    print(f"functions: {len(bodies)}, median {percentile(lengths, .5)} (aim {FUNCTION_MEDIAN}), "
          f"p95 {percentile(lengths, .95)} (aim {FUNCTION_P95}), {sum(n > FUNCTION_AIM for n in lengths)} over {FUNCTION_AIM}")
    for lines, where in sorted(files, reverse=True)[:5] + sorted(bodies, reverse=True)[:10 if "-v" in sys.argv else 5]:
        print(f"  {lines:5} {where}")
    sys.stdout.flush()


if __name__ == "__main__":
    report_drift()
    unittest.main()
