# SPDX-License-Identifier: Apache-2.0
"""Short stories about the cache: a context, a few builds of it, and what became of each step. A story has a state directory of
its own; its functions end it with an exception that says what is wrong."""
import os
import re
import shutil
import subprocess
import sys
import traceback

import image

STORIES = []


def story(function):
    STORIES.append(function)
    return function


class Wrong(Exception):
    pass


class Teller:
    def __init__(self, mybuild, base, work):
        self.mybuild, self.base, self.work = mybuild, base, work
        self.contexts = [f"busybox=oci-layout://{base}"]
        self.prefix = []  # a command that runs the builder
        self.log = ""
        os.makedirs(self.path("ctx"))

    def path(self, *names):
        return os.path.join(self.work, *names)

    # --- what is built ---

    def dockerfile(self, *lines):
        self.write("../Dockerfile", "\n".join(lines) + "\n")

    def write(self, name, text="", mode=0o644):
        path = self.path("ctx", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path, mode)
        return path

    def rewrite(self, name, text):
        """In place, and the mtime of before."""
        path = self.path("ctx", name)
        before = os.stat(path)
        with open(path, "r+", encoding="utf-8") as out:
            out.write(text)
            out.truncate()
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    def link(self, name, target):
        self.remove(name)
        os.makedirs(os.path.dirname(self.path("ctx", name)), exist_ok=True)
        os.symlink(target, self.path("ctx", name))

    def remove(self, name):
        path = self.path("ctx", name)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.unlink(path)

    def name(self, name, layout):
        """An OCI layout under a name for FROM, in place of what had it."""
        self.contexts = [one for one in self.contexts if not one.startswith(name + "=")] + [f"{name}=oci-layout://{layout}"]

    # --- building ---

    def command(self, *flags, context=None):
        contexts = [word for one in self.contexts for word in ("--build-context", one)]
        return [*self.prefix, self.mybuild, "build", "--progress", "plain", *contexts, "-f", self.path("Dockerfile"), *flags, context or self.path("ctx")]

    def environment(self):
        return {**os.environ, "MYBUILD_ROOT": self.path("root")}

    def run(self, *flags, context=None):
        done = subprocess.run(self.command(*flags, context=context), env=self.environment(), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100, check=False)
        self.log = done.stdout.decode(errors="replace")
        return done.returncode

    def build(self, *flags, context=None):
        shutil.rmtree(self.path("out"), ignore_errors=True)
        if self.run("-o", f"type=local,dest={self.path('out')}", *flags, context=context) != 0:
            raise Wrong("the build failed")

    def fails(self, *flags):
        if self.run(*flags) != 1:
            raise Wrong("the build did not fail")

    def image(self, *flags, name="image"):
        """Builds an OCI layout; its path and what it holds."""
        layout = self.path(name)
        shutil.rmtree(layout, ignore_errors=True)
        if self.run("-o", f"type=oci,dest={layout},tar=false,compression=uncompressed", *flags) != 0:
            raise Wrong("the build failed")
        return layout, image.read(layout)

    # --- what should hold ---

    def became(self, title):
        step, state = None, "none"
        for line in self.log.splitlines():
            number, _, rest = line.partition(" ")
            if rest.startswith("[") and title in rest:
                step = number
            elif number == step and re.fullmatch(r"CACHED|(DONE|ERROR).*", rest):
                state = rest.split()[0]
        return state

    def expect(self, state, *titles):
        for title in titles:
            if self.became(title) != state:
                raise Wrong(f"step {title} is {self.became(title)}, not {state}")

    def ran(self, *titles):
        self.expect("DONE", *titles)

    def cached(self, *titles):
        self.expect("CACHED", *titles)

    def read(self, name):
        with open(self.path("out", name), encoding="utf-8") as text:
            return text.read()

    def file(self, name, text):
        if self.read(name) != text:
            raise Wrong(f"/{name} has {self.read(name)!r}, not {text!r}")

    def there(self, *names):
        for name in names:
            if not os.path.lexists(self.path("out", name)):
                raise Wrong(f"/{name} is missing")

    def not_there(self, *names):
        for name in names:
            if os.path.lexists(self.path("out", name)):
                raise Wrong(f"/{name} is there")

    def equal(self, got, wanted):
        if got != wanted:
            raise Wrong(f"got {got!r}, expected {wanted!r}")


def tell_all(mybuild, base, work, only):
    wrong = 0
    for function in STORIES:
        if only and only != function.__name__:
            continue
        place = os.path.join(work, function.__name__)
        shutil.rmtree(place, ignore_errors=True)
        teller = Teller(mybuild, base, place)
        try:
            function(teller)
        except (Wrong, AssertionError, OSError) as fault:
            wrong += 1
            lines = [frame.lineno for frame in traceback.extract_tb(fault.__traceback__) if frame.filename != __file__]
            print(f"WRONG: {function.__name__}, lines {lines}: {fault}\n{teller.log}")
        shutil.rmtree(place, ignore_errors=True)
    print(f"{len(STORIES)} stories, {wrong} wrong")
    sys.exit(1 if wrong else 0)
