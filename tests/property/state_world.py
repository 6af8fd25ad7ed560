# SPDX-License-Identifier: Apache-2.0
"""What the tests that break a state directory share: a few builds whose results are known, and questions to a state directory.

A variant is a context of its own for one Dockerfile with a base, a COPY, an archive, commands, stages, a cache mount and a
deletion. What it leads to (both archives, byte by byte, and the files a container sees) is noted once, from an empty state directory."""
import hashlib
import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import tarfile
import time
import zlib

EPOCH = 1700000000
DOCKERFILE = """FROM busybox AS one
ARG V
WORKDIR /app/one
COPY data /app/data
ADD files.tar.gz /app/added/
RUN --mount=type=cache,target=/cache echo $V >>/cache/log; for i in 1 2 3; do cp -r /app/data /app/copy$i; done; echo "$V" >/app/v
FROM busybox
WORKDIR /app
COPY --from=one /app/copy2 /app/copy
RUN find /app/copy -type f | sort | xargs cat | sha256sum >/app/sum
COPY --from=one /app/added /app/added
ARG END=end
RUN echo $END >/app/end && chmod 700 /app/added && rm /bin/vi && ln -s end /app/link && mkdir -m 1777 /app/empty
"""
LOOK = 'find /bin /app | sort | xargs stat -c "%n %a %u %g %F %N"; find /bin /app -type f | sort | xargs sha256sum'


class Done:
    """How a command ended."""

    def __init__(self, command, code, log):
        self.command, self.code, self.log = command, code, log

    @property
    def fault(self):
        """Why no command may end so, or ""."""
        if self.code is None:
            return "hangs"
        if self.code < 0 or self.code > 125 or re.search(r"terminate called|Sanitizer|Assertion .* failed|stack smashing", self.log):
            return f"crashes ({self.code})"
        return "" if self.code == 0 or re.search(r"error|cannot|damaged|No space left", self.log, re.I) else "fails without a word"

    def says(self):
        """The lines that tell what went wrong, short."""
        lines = [line for line in self.log.splitlines() if re.search(r"error|cannot|hint|try", line, re.I)]
        return " | ".join(line.strip()[:300] for line in (lines or self.log.splitlines())[-4:])


class World:
    def __init__(self, mybuild, base, work, variants=4, files=40):
        self.mybuild, self.base, self.work = mybuild, base, os.path.join(work, "world")
        self.prefix = []  # a command that runs the builder
        shutil.rmtree(self.work, ignore_errors=True)
        os.makedirs(self.work)
        self.wanted = {}
        for variant in range(variants):
            self._context(variant, files)
            root = self.path("clean")
            done = self.build(root, variant)
            assert done.code == 0, done.log
            self.wanted[variant] = (self.archives(), self.look(root, variant).log)
            os.rename(self.path("out"), self.path(f"wanted{variant}"))
            assert "/app/empty" in self.wanted[variant][1]
            shutil.rmtree(root)

    def path(self, *names):
        return os.path.join(self.work, *names)

    def _context(self, variant, files):
        """Half of the files are those of other variants."""
        rng = random.Random(variant)
        context = self.path(f"ctx{variant}")
        os.makedirs(os.path.join(context, "data"))
        for number in range(files):
            source = random.Random(number) if number % 2 else rng
            size = source.choice((0, 1, 300, 5000, 30000)) if number else 200000
            self._file(os.path.join(context, "data", str(number)), source.randbytes(size))
        with tarfile.open(os.path.join(context, "files.tar.gz"), "w:gz", compresslevel=1) as archive:
            for number in range(files // 2):
                info = tarfile.TarInfo(f"d{number % 3}/{number}")
                info.size, info.mtime = 700, EPOCH
                archive.addfile(info, io.BytesIO(rng.randbytes(700)))
        self._file(os.path.join(context, "Dockerfile"), DOCKERFILE.encode())

    @staticmethod
    def _file(path, data):
        with open(path, "wb") as out:
            out.write(data)
        os.utime(path, (EPOCH - 100, EPOCH - 100))

    # --- commands ---

    def command(self, *words):
        return [*self.prefix, self.mybuild, *words]

    def environment(self, root):
        return {**os.environ, "MYBUILD_ROOT": root, "MYBUILD_LOAD_INTO": "none", "MYBUILD_GC": os.environ.get("MYBUILD_GC", "min-free-space=0"), "SOURCE_DATE_EPOCH": str(EPOCH)}

    def start(self, root, *words, prefix=()):
        """A process in a session of its own whose output nobody reads."""
        return subprocess.Popen([*prefix, *self.command(*words)], env=self.environment(root), stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)

    def ask(self, root, *words, prefix=(), timeout=90):
        command = [*prefix, *self.command(*words)]
        with subprocess.Popen(command, env=self.environment(root), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, start_new_session=True) as process:
            try:
                out, _ = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                return Done(words, None, process.communicate()[0].decode(errors="replace"))
        return Done(words, process.returncode, out.decode(errors="replace"))

    def build_words(self, variant, *flags, to=None):
        """To the local store and to two archives."""
        out = to or self.path("out")
        os.makedirs(out, exist_ok=True)
        outputs = [word for kind in ("gzip", "zstd")
                   for word in ("-o", f"type=oci,dest={out}/{kind}.tar,compression={kind},rewrite-timestamp=true")]
        return ["build", "--progress", "plain", "--build-context", f"busybox=oci-layout://{self.base}", "--build-arg", f"V={variant}",
                "-t", f"img:{variant}", "--load", *outputs, *flags, self.path(f"ctx{variant}")]

    def build(self, root, variant, *flags, prefix=()):
        shutil.rmtree(self.path("out"), ignore_errors=True)
        return self.ask(root, *self.build_words(variant, *flags), prefix=prefix)

    def archives(self):
        """Digests of what the last build wrote."""
        digests = []
        for kind in ("gzip", "zstd"):
            with open(self.path("out", f"{kind}.tar"), "rb") as text:
                digests.append(hashlib.sha256(text.read()).hexdigest())
        return digests

    @staticmethod
    def differs(got, wanted):
        """The first entries of layers that differ, with all that a tar has of them."""
        for kind in ("gzip", "zstd"):
            try:
                one = entries(os.path.join(got, f"{kind}.tar"))
            except (tarfile.TarError, subprocess.CalledProcessError, KeyError, ValueError, OSError, EOFError, zlib.error) as error:
                return f"{kind}.tar cannot be read: {error}"
            other = entries(os.path.join(wanted, f"{kind}.tar"))
            lines = [f"-{line}" for line in other - one] + [f"+{line}" for line in one - other]
            if lines:
                return f"{kind}.tar: " + " ".join(sorted(lines, key=lambda line: line[1:])[:8])
        return ""

    def look(self, root, variant, **how):
        """What a container of the image sees."""
        return self.ask(root, "run", "--rm", f"img:{variant}", "sh", "-c", LOOK, **how)

    @staticmethod
    def remains_damaged(log):
        """What `fsck` names and did not repair."""
        return [line for line in log.splitlines()
                if line.startswith(("image ", "container ", "layer ", "blob ", "database ")) and not line.endswith("(removed)")]

    def has(self, verb):
        return self.ask(self.path("none"), verb, "--help").log.startswith(f"Usage:  mybuild {verb}")

    # --- what must hold ---

    def wrong_build(self, root, variant, *flags, recompressed=False):
        """Builds; "" if that gives what it gives from nothing, else what is wrong. `recompressed`: layers that came with an image that
        was loaded stay compressed as they were."""
        done = self.build(root, variant, *flags)
        if done.code != 0:
            return f"build of variant {variant}: {done.fault or 'exit code ' + str(done.code)}: {done.says()}"
        if self.archives() != self.wanted[variant][0]:
            differs = self.differs(self.path("out"), self.path(f"wanted{variant}"))
            if differs or not recompressed:
                return f"build of variant {variant}: WRONG bytes: {differs or 'compression'}"
        return self.wrong_image(root, variant)

    def wrong_image(self, root, variant):
        seen = self.look(root, variant)
        if seen.code != 0:
            return f"run of variant {variant}: {seen.fault or 'exit code ' + str(seen.code)}: {seen.says()}"
        return self.wrong_look(seen.log, variant)

    def wrong_look(self, seen, variant):
        # What is told once of a database that was replaced is no file of the image.
        seen = "".join(line for line in seen.splitlines(keepends=True) if not line.startswith("WARNING: "))
        if seen == self.wanted[variant][1]:
            return ""
        want, got = self.wanted[variant][1].splitlines(), seen.splitlines()
        differ = [f"-{line}" for line in want if line not in got] + [f"+{line}" for line in got if line not in want]
        return f"run of variant {variant}: WRONG files: " + " ".join(differ[:6])[:400]

    def left(self, root):
        """Drafts, mounts and processes that are left; processes get two seconds to go."""
        drafts = [f"{folder}/{name}" for folder in ("tmp", "ingest") for name in list_dir(os.path.join(root, folder))]
        with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
            drafts += [line for line in mounts if f"{root}/" in line]
        deadline = time.monotonic() + 2
        while self._processes(root) and time.monotonic() < deadline:
            time.sleep(0.02)
        return drafts + [f"process {pid}" for pid in self._processes(root)]

    def _processes(self, root):
        """Of our binaries, whose mounts or command lines name the state directory."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.path.dirname(os.readlink(f"/proc/{pid}/exe")) != os.path.dirname(os.path.realpath(self.mybuild)):
                    continue
                with open(f"/proc/{pid}/mountinfo", encoding="utf-8") as mounts, open(f"/proc/{pid}/environ", "rb") as names:
                    if f"{root}/" in mounts.read() or os.fsencode(f"MYBUILD_ROOT={root}\0") in names.read():
                        found.append(pid)
            except OSError:
                pass
        return found


def entries(archive):
    """Of all layers in an OCI archive; and the config."""
    found = set()
    with tarfile.open(archive) as image:
        blobs = {member.name.rpartition("/")[2]: image.extractfile(member).read() for member in image if member.isreg()}
    manifest = json.loads(blobs[json.loads(blobs["index.json"])["manifests"][0]["digest"][7:]])
    found.add(blobs[manifest["config"]["digest"][7:]].decode())
    for number, layer in enumerate(manifest["layers"]):
        plain = blobs[layer["digest"][7:]]
        if layer["mediaType"].endswith("zstd"):
            plain = subprocess.run(["zstd", "-dc"], input=plain, stdout=subprocess.PIPE, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(plain)) as entries_of:
            for member in entries_of:
                data = hashlib.sha256(entries_of.extractfile(member).read()).hexdigest()[:12] if member.isreg() else ""
                found.add(f"[{number} {member.name} {member.type.decode()} {member.mode:o} {member.uid}:{member.gid} {member.mtime} {member.linkname} {data}]")
    return found


def usual_seed():
    """The short form asks the same again, so that a red run speaks of the change; the soak draws new ones."""
    return random.randrange(10**6) if os.environ.get("MYBUILD_SOAK") else 1


def in_time(numbers, seconds):
    """The numbers, as long as there is time for one more; 0 seconds: all."""
    start = time.monotonic()
    for count, number in enumerate(numbers, 1):
        yield number
        used = time.monotonic() - start
        if seconds and used + used / count > seconds:
            return


def list_dir(path):
    return sorted(os.listdir(path)) if os.path.isdir(path) else []


def descendants(pid):
    """All processes below `pid`, the nearest first."""
    children = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as text:
                children.setdefault(int(text.read().rpartition(")")[2].split()[1]), []).append(int(name))
        except OSError:
            pass
    found, next_ones = [], [pid]
    while next_ones:
        found += (level := [child for parent in next_ones for child in children.get(parent, [])])
        next_ones = level
    return found


class Tally:
    """What was found wrong, printed at once and counted."""

    def __init__(self):
        self.faults, self.counts = [], {}

    @property
    def wrong(self):
        return len(self.faults)

    def count(self, what, by=1):
        self.counts[what] = self.counts.get(what, 0) + by

    def fault(self, where, what):
        if what:
            self.faults.append(f"WRONG: {where}: {what}")
            print(self.faults[-1], flush=True)

    def end(self, title):
        """The faults once more, as a log is read from its end."""
        for fault in self.faults:
            print(fault)
        print(f"{title}: " + ", ".join(f"{number} {what}" for what, number in sorted(self.counts.items())) + f"; {self.wrong} wrong", flush=True)
        return 1 if self.wrong else 0
