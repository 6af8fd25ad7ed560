# SPDX-License-Identifier: Apache-2.0
"""Who may include whom: the arrows of ARCHITECTURE.md as data. A box is a folder; the longest prefix of a path names its
box, so a folder without a line here belongs to its parent. A target may be a single header. Change this file in the same
commit as ARCHITECTURE.md, and only for a reason that it can state."""

FLOOR = ("snapshotter/base", "snapshotter/oci")
STORE = FLOOR + ("snapshotter/content", "snapshotter/archive", "snapshotter")

EDGES = {
    # The ground floor, then what keeps bytes. Nothing here knows a Graph.
    "snapshotter/base": (),
    "snapshotter/oci": ("snapshotter/base",),
    "snapshotter/content": FLOOR,
    "snapshotter/archive/deflate": ("snapshotter/base",),
    "snapshotter/archive": FLOOR + ("snapshotter/archive/deflate",),
    "snapshotter": FLOOR + ("snapshotter/content", "snapshotter/archive", "snapshotter/overlay", "snapshotter/native"),
    "snapshotter/overlay": STORE,
    "snapshotter/native": STORE,
    # What must run. The solver never sees a snapshot; the frontend sees of the solver the graph and the event types.
    "solver/graph": FLOOR,
    "solver": FLOOR + ("solver/graph",),
    "frontend/ignore": ("snapshotter/base",),
    "frontend/remote": FLOOR + ("solver/graph",),
    "frontend/checks": ("snapshotter/base", "frontend/ignore"),
    "frontend": FLOOR + ("frontend/checks", "frontend/ignore", "solver/graph", "solver/progress.h"),
    "frontend/dockerfile": FLOOR + ("frontend", "frontend/checks", "frontend/ignore", "frontend/remote", "solver/graph", "solver/progress.h"),
    # Doing it.
    "builder/sandbox": STORE,
    # Files of this machine about registries: who we are there, and where they are.
    "builder/registry/credentials": ("snapshotter/base",),
    "builder/registry/hosts": FLOOR + ("builder/registry/tls.h",),
    "builder/registry": STORE + ("builder/registry/credentials", "builder/registry/hosts"),
    "builder/registry/curl": STORE + ("builder/registry",),
    "builder/secrets": ("snapshotter/base",),
    "builder/devices": FLOOR + ("solver/graph",),
    # What reads a git server's words is a program of its own; the builder knows the request and the answers.
    "builder/git": ("snapshotter/base",),
    "builder/git/helper": ("snapshotter/base", "builder/git"),
    "builder/source": STORE + ("builder/registry", "builder/secrets", "builder/git", "frontend", "frontend/remote", "frontend/ignore", "solver", "solver/graph"),
    "builder/export": STORE + ("builder/registry", "solver", "solver/graph"),
    # Lists of images of registries: pushed as an export is, blobs fetched as those of base images are.
    "builder/manifest_list": STORE + ("builder/export", "builder/registry", "builder/source/blob_fetcher.h", "builder/source/image_index.h", "solver", "solver/graph"),
    # Cache mounts from outside of builds: written as exporters write, counted as volumes are.
    "builder/caches": STORE + ("builder/export/tree_walk.h", "builder/run/disk_usage.h", "solver"),
    # What may go: over all that keeps something; ages in filters are Go's durations.
    "builder/space": STORE + ("builder/caches", "builder/run", "frontend/dockerfile/go_format.h"),
    # Errors of ops speak docker's language: quoted as Go does it, with names that are close to what was said.
    "builder/ops": STORE + ("builder/caches", "builder/source", "builder/sandbox", "builder/secrets", "builder/devices", "frontend/ignore", "frontend/remote",
                            "frontend/dockerfile/suggest.h", "frontend/dockerfile/go_format.h", "solver", "solver/graph"),
    # Facts are read off ops, selections and the text of a Dockerfile; nothing that builds knows of explanations.
    "builder/explain": STORE + ("builder/ops", "frontend/dockerfile", "frontend/remote", "solver", "solver/graph"),
    # Records and layers of other machines: read as sources are, written as images are pushed.
    "builder/remote_cache": STORE + ("builder/registry", "builder/source", "builder/export", "builder/ops", "solver", "solver/graph"),
    # The cache server of a team. The protocol is what its clients share with it; http/ is a module of its own.
    "builder/cache_server/protocol": FLOOR,
    "builder/cache_server/store": STORE + ("builder/cache_server/protocol",),
    "builder/cache_server/space": STORE + ("builder/cache_server/store",),
    "builder/cache_server/registry": STORE + ("builder/cache_server", "builder/cache_server/protocol", "builder/cache_server/store"),
    "builder/cache_server/records": STORE + ("builder/cache_server", "builder/cache_server/protocol", "builder/cache_server/store"),
    "builder/cache_server": STORE + ("builder/cache_server/protocol", "builder/cache_server/store"),
    "builder/cache_server/service": STORE + ("builder/cache_server", "builder/cache_server/protocol", "builder/cache_server/store", "builder/cache_server/registry", "builder/cache_server/records", "builder/cache_server/space"),
    "builder/cache_server/http": STORE + ("builder/cache_server", "builder/cache_server/protocol", "builder/cache_server/store"),
    "builder/cache_server/serve_module": STORE + ("builder/cache_server", "builder/cache_server/http", "builder/cache_server/protocol", "builder/cache_server/service", "builder/cache_server/store"),
    "builder/cache_client": STORE + ("builder/cache_server/protocol", "builder/remote_cache/record_source.h", "frontend/dockerfile/go_format.h", "frontend/dockerfile/suggest.h", "builder/registry", "builder/registry/credentials", "builder/registry/hosts", "builder/source", "builder/export", "builder/ops", "solver", "solver/graph"),
    "builder/run": STORE + ("builder/sandbox",),
    "builder": STORE + ("builder/sandbox", "builder/registry", "builder/registry/credentials", "builder/registry/hosts", "builder/secrets", "builder/devices", "builder/source",
                        "builder/explain", "builder/export", "builder/manifest_list", "builder/caches", "builder/cache_client", "builder/remote_cache", "builder/ops", "builder/run", "builder/space", "frontend", "frontend/checks", "frontend/dockerfile", "frontend/ignore", "frontend/remote", "solver", "solver/graph"),
    # Composition: flags in, exit code out.
    "cmd/mybuild": STORE + ("builder", "builder/cache_client", "builder/cache_server", "builder/cache_server/protocol", "builder/cache_server/service", "builder/cache_server/store", "builder/caches", "builder/explain", "builder/export", "builder/manifest_list", "builder/remote_cache", "builder/run", "builder/sandbox", "builder/secrets", "builder/devices", "builder/space",
                            "builder/source", "frontend", "frontend/checks", "frontend/dockerfile", "frontend/ignore", "frontend/remote", "solver", "solver/graph"),
    "cmd/mybuild-git": ("builder/git/helper",),
    "cmd/mybuild-sandbox": ("snapshotter/base", "builder/sandbox"),
}

# Tests may look at everything; nothing may look at tests but tests.
TEST_BOX = "tests"

# Third-party headers that only some boxes may see, so that a library stays where it is wrapped.
THIRD_PARTY = {
    r"curl/": ("builder/registry/curl",),
    r"tbb/|oneapi/": ("snapshotter/base",),
    r"xxhash\.h": ("snapshotter",),
    r"sqlite3\.h": ("snapshotter",),
    r"archive(_entry)?\.h": ("snapshotter/archive", "builder/source"),
    r"(zstd|libdeflate|igzip_lib|isa-l/.*|isa-l)\.h": ("snapshotter/archive",),
    r"seccomp\.h": ("builder/sandbox",),
    r"yaml\.h": ("builder/devices",),
    r"toml\+\+/": ("builder/registry/hosts",),
    r"openssl/": ("snapshotter/base", "builder/secrets", "builder/git/helper", "builder/cache_server/protocol", "builder/cache_server/http"),
    r"boost/": ("builder/cache_server/http",),
    r"git2(/|\.h)": ("builder/git/helper",),
    r"spdlog/": ("snapshotter/base",),
    r"sys/pidfd\.h": ("snapshotter/base",),
}

# The top level is fixed; names that start with a dot or "build" (build trees are not committed) are free.
TOP_LEVEL = {
    "ARCHITECTURE.md", "CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md", "dev",
    "builder", "cmd", "frontend", "snapshotter", "solver", "testdata", "tests",
}
