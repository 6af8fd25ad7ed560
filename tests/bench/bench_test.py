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

import against
import data
import loop_app
import report
import strain
import svg
import targets
import trees
from bench import parse
from phases import change_first, restore_first, touch_first
from workloads import ALL, BY_NAME


def sample(wall, other=0.0, memory=1):
    return {"wall_s": wall, "cpu_s": wall, "other_cpu_s": other, "sync_s": 0, "peak_rss_mb": memory, "state_mb": 1, "output_mb": None}


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


    def test_a_ci_job_that_ran_everything_is_no_result(self):
        for said in ("#6 CACHED\n", "--> Using cache 0123\n"):
            strain.verify_cached(said, 1)
        with self.assertRaises(ValueError):
            strain.verify_cached("#6 DONE 1.0s\n", 1)


class Workloads(unittest.TestCase):
    def test_each_begins_from_nothing(self):
        self.assertEqual([workload.name for workload in ALL], [f"w{number}" for number in range(1, len(ALL) + 1)])
        for workload in ALL:
            self.assertTrue(workload.phases[0].fresh, workload.name)
            self.assertRegex(workload.dockerfile.format(busybox="b", debian="d", layered="l", deep="e", far_pieces="f"), "^FROM [bdlef]")

    def test_long_ones_run_only_when_named(self):
        given = ["--mybuild", "m", "--dir", "d"]
        self.assertNotIn("w17", parse(given).workloads)
        self.assertEqual(parse(["W17", *given]).workloads, ["w17"])

    def test_scaling_is_ours_on_one_core_and_on_all(self):
        options = parse(["scaling", "--mybuild", "m", "--dir", "d"])
        self.assertEqual(options.peers, ["mybuild", "mybuild-1core"])
        self.assertNotIn("mybuild-1core", parse(["--mybuild", "m", "--dir", "d"]).peers)

    def test_every_phase_with_a_target_is_there(self):
        known = {f"{workload.name}/{phase.name}" for workload in ALL for phase in workload.phases}
        self.assertLessEqual(set(targets.TARGETS["phases"]) | set(targets.TARGETS["compressing"]), known)

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


    def test_speed_up_is_one_core_over_all(self):
        both = document(row("w3", "cold", "mybuild", [1.0]), row("w3", "cold", "mybuild-1core", [1.8]))
        self.assertRegex("\n".join(report.scaling(both)), "W3 cold +1.80x")
        self.assertEqual(report.scaling(HELLO), [])


def with_tools(doc, **versions):
    for name, version in versions.items():
        doc["tools"][name] = {"version": version}
    return doc


class Targets(unittest.TestCase):
    """W1 cold: 4 times as fast as the best other tool, and ahead of kaniko. The baseline has BuildKit at 0.25 s, kaniko at 0.1 s."""

    def text(self, doc):
        return "\n".join(targets.report(doc))

    def test_the_best_other_tool_decides(self):
        rows = [row("w1", "cold", name, [wall]) for name, wall in (("mybuild", 0.03), ("docker", 0.4), ("podman", 0.13))]
        tools = {"podman": "5", "buildkit": "1", "kaniko": "1"}
        self.assertRegex(self.text(with_tools(document(*rows), **tools)), r"cold +30\.0 ms +130 ms podman +4\.33x +4x ahead kaniko +yes")
        rows[0] = row("w1", "cold", "mybuild", [0.04])
        self.assertRegex(self.text(with_tools(document(*rows), **tools)), r"4x ahead kaniko +NO")

    def test_a_tool_that_is_not_there_counts_with_what_it_once_took(self):
        doc = document(row("w1", "cold", "mybuild", [0.0625]), row("w1", "cold", "docker", [9.0]))
        self.assertRegex(self.text(doc), r"250 ms buildkit~1 +4\.00x +4x ahead kaniko +yes")
        slow_machine = document(*doc["rows"], row("w1", "cold", "buildah", [6.59]))
        text = self.text(with_tools(slow_machine, buildah="buildah version 1.28.2"))
        self.assertRegex(text, r"2\.50 s buildkit~ +40\.0x")
        self.assertRegex(self.text(with_tools(slow_machine, buildah="buildah version 7.1")), "buildkit~1 ")

    def test_a_tool_without_a_sandbox_is_only_to_be_beaten(self):
        others = [targets.Rival("kaniko", {"wall_s": 0.1}), targets.Rival("buildkit", {"wall_s": 1.0})]
        target = {"times": 4, "ahead_of": ["kaniko"]}
        self.assertTrue(targets.time_met(target, 0.09, others))
        self.assertFalse(targets.time_met(target, 0.11, others))
        self.assertFalse(targets.time_met(target, 0.26, others[1:]))

    def test_who_does_less_is_no_rival(self):
        rows = [row("w4", "cold-oci-gzip", name, [wall]) for name, wall in (("mybuild", 5.0), ("docker", 10.0), ("buildah", 16.0))]
        doc = with_tools(document(*rows), buildah="buildah version 1.43.2", docker="28", buildkit="1")
        self.assertRegex(self.text(doc), r"16\.0 s buildah +3\.20x +3x +yes", "docker's archive is not compressed")

    def test_seconds_may_be_a_target_too(self):
        self.assertTrue(targets.time_met({"within_s": 0.015}, 0.015, []))
        self.assertFalse(targets.time_met({"within_s": 0.015}, 0.016, []))
        self.assertIsNone(targets.time_met({"times": 4}, 0.016, []))

    def test_memory_and_cpu_are_counted(self):
        big = document(row("w5", "cold", "mybuild", [1.0]), row("w5", "cold", "docker", [0.9]))
        big["rows"][0]["samples"] = [sample(1.0, memory=101)]
        self.assertIn("0 of 3 targets met: time 0 of 1, CPU 0 of 1, memory 0 of 1", self.text(with_tools(big, buildkit="1")))
        self.assertEqual(targets.memory_limit("w4/cold-oci-gzip"), 200)

    def test_one_core_of_ours_is_no_rival(self):
        doc = document(row("w13", "cold", "mybuild", [1.0]), row("w13", "cold", "mybuild-1core", [1.1]))
        self.assertRegex(self.text(doc), r"cold +1\.00 s +- ")


class Against(unittest.TestCase):
    def compared(self, now, then):
        return "\n".join(against.report(document(*now), document(*then)))

    def test_what_became_slower_is_said(self):
        text = self.compared([row("w1", "cold", "mybuild", [1.2]), row("w1", "warm", "mybuild", [1.05])],
                             [row("w1", "cold", "mybuild", [1.0]), row("w1", "warm", "mybuild", [1.0])])
        self.assertRegex(text, r"W1 cold +1\.20 s +1\.00 s +\+20%")
        self.assertEqual(text.split("SLOWER by more than 10%:\n")[1], "    W1 cold: +20%")

    def test_disturbed_figures_warn_of_nothing(self):
        for now, then in ((9.0, 0.0), (0.0, 9.0)):
            text = self.compared([row("w1", "cold", "mybuild", [2.0], other=now)], [row("w1", "cold", "mybuild", [1.0], other=then)])
            self.assertIn("+100%", text)
            self.assertNotIn("SLOWER", text)

    def test_only_what_both_have_is_compared(self):
        text = self.compared([row("w1", "cold", "mybuild", [2.0]), row("w2", "cold", "mybuild", [1.0])],
                             [row("w2", "cold", "mybuild", [1.0]), row("w1", "cold", "docker", [1.0])])
        self.assertNotIn("W1", text)
        self.assertIn("W2 cold", text)

    def test_the_last_run_with_a_phase_of_this_one_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertIsNone(against.last_of(folder, HELLO))
            other = document(row("w2", "cold", "mybuild", [1.0]))
            for name, stored in (("20240101T0Z", document()), ("20240102T0Z", HELLO), ("20240103T0Z", other)):
                Path(folder, f"{name}.json").write_text(report.to_json(stored))
            self.assertEqual(against.last_of(folder, HELLO), HELLO)
            self.assertEqual(against.last_of(folder, other), other)


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
