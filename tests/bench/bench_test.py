#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The parts of the bench that need no builder: generators, trees, reports, drawings."""
import io
import json
import os
import subprocess
import tarfile
import tempfile
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path

import data
import loop_app
import report
import svg
import trees
from workloads import ALL, BY_NAME, restore_first, touch_first, change_first


def sample(wall, other=0.0):
    return {"wall_s": wall, "cpu_s": wall, "other_cpu_s": other, "sync_s": 0, "peak_rss_mb": 1, "state_mb": 1, "output_mb": None}


def row(workload, phase, peer, walls, reason="", failed=False, other=0.0):
    return {"workload": workload, "title": BY_NAME[workload].title, "phase": phase, "peer": peer, "reason": reason, "failed": failed,
            "samples": [sample(wall, other) for wall in walls]}


def document(*rows, differences=()):
    return {"format": 1, "date": "2024-01-02T03:04:05Z", "commit": "abc", "runs": 3,
            "machine": {"processor": "P <1>", "cores": 2, "memory_gb": 4, "kernel": "6.1", "system": "Debian", "disk": "ext4"},
            "tools": {"mybuild": {"version": "mybuild 1"}, "docker": {"version": "docker 2"}, "kaniko": {"missing": "not installed"}},
            "rows": list(rows), "trees": [{"workload": "w1", "left": "mybuild", "right": "docker", "paths": 3,
                                           "differences": list(differences)}]}


HELLO = document(row("w1", "cold", "mybuild", [0.010, 0.012, 0.500]), row("w1", "cold", "docker", [0.120]),
                 row("w1", "cold-none", "mybuild", [0.005]), row("w1", "cold-none", "docker", [], "always stores the image"))


class Folder(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)


class Generators(Folder):
    def digest_of(self, make):
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder, "it"))
            data.pack(Path(folder), self.folder / "tar")
            with open(self.folder / "tar", "rb") as tar:
                return trees.digest_of(tar)

    def test_the_same_seed_makes_the_same_tree(self):
        def make(seed):
            return self.digest_of(lambda path: data.tree(path, 50, 100_000, seed, prose_size=1 << 16))
        self.assertEqual(make(1), make(1))
        self.assertNotEqual(make(1), make(2))

    def test_the_same_seed_makes_the_same_file(self):
        def make(seed):
            return self.digest_of(lambda path: data.big_file(path, 200_000, seed, prose_size=1 << 17))
        self.assertEqual(make(1), make(1))
        self.assertNotEqual(make(1), make(2))

    def test_a_tree_has_the_size_that_was_asked_for(self):
        data.tree(self.folder / "tree", 100, 1_000_000, 1, prose_size=1 << 16)
        sizes = [path.stat().st_size for path in (self.folder / "tree").rglob("*") if path.is_file()]
        self.assertEqual(len(sizes), 100)
        self.assertAlmostEqual(sum(sizes), 1_000_000, delta=1000)

    def test_an_edit_is_undone(self):
        data.put(self.folder / "src/pkg00/mod00/f00000.txt", "text\n")
        data.settle(self.folder)
        before = self.state()
        for number in (1, 2):
            touch_first(self.folder, number)
            change_first(self.folder, number)
            self.assertNotEqual(self.state(), before)
        restore_first(self.folder)
        self.assertEqual(self.state(), before)

    def state(self):
        return [(path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(self.folder.rglob("*"))]

    def test_a_packed_folder_becomes_a_layout(self):
        data.put(self.folder / "root/etc/passwd", "root\n")
        data.pack(self.folder / "root", self.folder / "one.tar")
        data.layout(self.folder / "layout", "latest", [self.folder / "one.tar"])
        with tarfile.open(self.folder / "image.tar", "w") as archive:
            archive.add(self.folder / "layout", arcname=".")
        self.assertIn("file 644 0:0 5", trees.manifest(self.folder / "image.tar")["/etc/passwd"])

    def test_the_application_says_which_edit_it_is(self):
        loop_app.verify(f"edit=7 parts={loop_app.SOURCES} sum=1 vendor={loop_app.VENDORED}\n", 7)
        with self.assertRaises(ValueError):
            loop_app.verify(f"edit=6 parts={loop_app.SOURCES} sum=1 vendor={loop_app.VENDORED}\n", 7)


class Workloads(unittest.TestCase):
    def test_thirteen_with_a_cold_phase_each(self):
        self.assertEqual([workload.name for workload in ALL], [f"w{number}" for number in range(1, 14)])
        for workload in ALL:
            self.assertTrue(workload.phases[0].fresh, workload.name)
            self.assertRegex(workload.dockerfile.format(busybox="b", debian="d", layered="l"), "^FROM [bdl]")

    def test_a_phase_needs_only_what_comes_before_it(self):
        for workload in ALL:
            seen = []
            for phase in workload.phases:
                self.assertLessEqual(set(phase.needs), set(seen))
                self.assertNotIn(phase.name, seen)
                seen.append(phase.name)


def entry(name, content=None, kind=tarfile.REGTYPE, mode=0o644, **more):
    info = tarfile.TarInfo(name)
    info.type, info.mode = (tarfile.DIRTYPE, 0o755) if name.endswith("/") else (kind, mode)
    for key, value in more.items():
        setattr(info, key, value)
    return info, (content or "").encode()


class Trees(Folder):
    def layer(self, name, *entries):
        with tarfile.open(self.folder / name, "w", format=tarfile.PAX_FORMAT) as layer:
            for info, content in entries:
                info.size = len(content)
                layer.addfile(info, io.BytesIO(content))
        return self.folder / name

    def image(self, *layers):
        """A docker archive, the simplest one there is."""
        with tarfile.open(self.folder / "image.tar", "w") as archive:
            for path in layers:
                archive.add(path, arcname=path.name)
            content = json.dumps([{"Layers": [path.name for path in layers]}]).encode()
            info = tarfile.TarInfo("manifest.json")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        return trees.manifest(self.folder / "image.tar")

    def paths(self, *layers):
        return sorted(self.image(*layers))

    def test_whiteouts_hide_what_lies_below_only(self):
        low = self.layer("low", entry("a/"), entry("a/one", "1"), entry("a/two", "2"), entry("b/"), entry("b/deep/"), entry("b/deep/x"))
        high = self.layer("high", entry("a/new", "n"), entry("a/.wh..wh..opq"), entry(".wh.b"))
        self.assertEqual(self.paths(low, high), ["/", "/a", "/a/new"])

    def test_a_file_in_place_of_a_folder_takes_its_entries_along(self):
        low = self.layer("low", entry("a/"), entry("a/one", "1"))
        self.assertEqual(self.paths(low, self.layer("high", entry("a", "file"))), ["/", "/a"])

    def test_names_do_not_depend_on_how_they_are_written(self):
        plain = self.image(self.layer("one", entry("a/"), entry("a/x", "1")))
        self.assertEqual(trees.differences(plain, self.image(self.layer("two", entry("./"), entry("./a/"), entry("./a/x", "1")))), [])

    def test_what_a_program_can_see_is_compared(self):
        left = self.image(self.layer("left", entry("mode", "1", mode=0o755), entry("owner", "1", uid=5), entry("text", "1"),
                                     entry("link", kind=tarfile.SYMTYPE, linkname="x"), entry("same", "1", mtime=1)))
        right = self.image(self.layer("right", entry("mode", "1"), entry("owner", "1"), entry("text", "2"),
                                      entry("link", kind=tarfile.SYMTYPE, linkname="y"), entry("same", "1", mtime=2)))
        found = [line.split(":")[0] for line in trees.differences(left, right)]
        self.assertEqual(found, ["/link", "/mode", "/owner", "/text"])

    def test_hard_links_are_not_copies(self):
        linked = self.image(self.layer("l", entry("a", "1"), entry("b", kind=tarfile.LNKTYPE, linkname="a")))
        copied = self.image(self.layer("c", entry("a", "1"), entry("b", "1")))
        self.assertEqual(linked["/b"], "hard link to /a")
        self.assertEqual(len(trees.differences(linked, copied)), 1)
        self.assertEqual(self.image(self.layer("l", entry("a", "1"), entry("b", kind=tarfile.LNKTYPE, linkname="a")),
                                    self.layer("h", entry("a", "1")))["/b"], copied["/b"])

    def test_empty_mount_points_are_forgiven_but_not_others(self):
        plain = self.image(self.layer("p", entry("etc/")))
        self.assertEqual(trees.differences(plain, self.image(self.layer("m", entry("etc/"), entry("etc/hosts")))), [])
        self.assertEqual(len(trees.differences(plain, self.image(self.layer("h", entry("etc/"), entry("etc/hosts", "full"))))), 1)
        self.assertEqual(len(trees.differences(plain, self.image(self.layer("o", entry("etc/"), entry("etc/other"))))), 1)

    def test_zstd_layers_are_read(self):
        layer = self.layer("plain", entry("a", "1"))
        packed = self.folder / "packed"
        packed.write_bytes(subprocess.run(["zstd", "-qc", layer], capture_output=True, check=True).stdout)
        self.assertEqual(self.image(packed), self.image(layer))


class Reports(unittest.TestCase):
    def test_the_table_has_medians_and_ratios(self):
        text = report.table(HELLO)
        self.assertRegex(text, r"cold +12\.0 ms +120 ms +10\.0x")
        self.assertRegex(text, r"cold-none +5\.00 ms +- a")
        self.assertIn("a  always stores the image", text)
        self.assertIn("kaniko: not measured, not installed", text)
        self.assertIn("3 paths, equal", text)

    def test_disturbed_samples_count_only_when_there_are_no_others(self):
        mixed = row("w1", "cold", "mybuild", [9.0], other=9.0)
        self.assertEqual(report.wall(mixed), 9.0)
        self.assertIn("9.00 s*", report.table(document(mixed)))
        mixed["samples"].append(sample(1.0))
        self.assertEqual(report.wall(mixed), 1.0)

    def test_the_verdict_fails_on_a_difference_or_a_failure_of_ours(self):
        self.assertEqual(report.verdict(HELLO), 0)
        self.assertEqual(report.verdict(document(differences=["/a: 1 | 2"])), 1)
        self.assertEqual(report.verdict(document(row("w1", "cold", "mybuild", [], "exit code 1", failed=True))), 1)
        self.assertEqual(report.verdict(document(row("w1", "cold", "docker", [], "exit code 1", failed=True))), 0)

    def test_durations_have_three_figures(self):
        given = [0.00123, 0.0123, 0.123, 0.9994, 0.9996, 1.23, 12.3, 123.4]
        self.assertEqual([report.duration(value) for value in given],
                         ["1.23 ms", "12.3 ms", "123 ms", "999 ms", "1.00 s", "1.23 s", "12.3 s", "123 s"])

    def test_the_document_survives_json(self):
        self.assertEqual(json.loads(report.to_json(HELLO)), HELLO)


class Drawing(unittest.TestCase):
    def bars(self, drawing):
        root = xml.fromstring(drawing)
        return [shape for shape in root.iter("{http://www.w3.org/2000/svg}rect") if shape.get("x") == str(svg.LEFT)]

    def test_one_bar_per_result_longer_for_longer(self):
        bars = self.bars(svg.draw(HELLO))
        self.assertEqual(len(bars), 3)
        ours, docker, none = (float(shape.get("width")) for shape in bars)
        self.assertLess(none, ours)
        self.assertLess(ours, docker)

    def test_text_is_escaped(self):
        self.assertIn("P &lt;1&gt;", svg.draw(HELLO))

    def test_nothing_measured_is_drawn_too(self):
        self.assertEqual(self.bars(svg.draw(document())), [])


if __name__ == "__main__":
    os.umask(0o022)
    unittest.main()
