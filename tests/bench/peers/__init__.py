# SPDX-License-Identifier: Apache-2.0
"""The tools that are measured, one file each. A tool is a class with these members; its methods return commands (lists of
arguments), which the harness runs and times. What a tool has no way to do raises Cannot.

    name               the word for --peers
    missing            why it cannot be used here, or None
    environment        of its commands
    daemon             pid of its daemon, or None
    version()          one line
    reset()            empties its state and, if it has a daemon, starts that anew and waits for it
    stop()             ends the daemon
    build(job)         builds job.context to job.output
    push(job)          pushes the image job.tag, built before, to job.output.where
    run(tag, argv)     runs argv in a new container of the image, removed at its end
"""
from peers.buildkit import BuildKit
from peers.containers import Buildah, Podman
from peers.docker import Docker
from peers.kaniko import Kaniko
from peers.mybuild import Mybuild
from peers.runc import Runc

ALL = (Mybuild, BuildKit, Docker, Podman, Buildah, Kaniko, Runc)
NAMES = tuple(peer.name for peer in ALL)
