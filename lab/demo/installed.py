# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Driver and collection as users get them: built, installed below the demo's directory, and found there instead of in the checkout."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from lab.demo.processes import BIN, CHECKOUT, Processes

BUILD_S = 180.0


class Installed:
    """What `script/demo --installed` starts the driver from: a wheel's files and a collections path."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._sources, self._artifacts = directory / "source", directory / "dist"
        self._site, self._collections, self._empty = directory / "site", directory / "collections", directory / "empty"

    def forget(self) -> None:
        """Remove what an earlier run installed."""
        shutil.rmtree(self._directory, ignore_errors=True)

    def make(self, processes: Processes) -> None:
        """Build both from the checkout's files and install them. DemoFailed when a tool complains."""
        self._empty.mkdir(parents=True)
        # A copy, for setuptools leaves its own folders beside what it builds.
        export = [str(CHECKOUT / "script/export"), str(self._sources)]
        wheel = ["-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(self._artifacts), str(self._sources / "driver")]
        build = ["ansible-galaxy", "collection", "build", str(self._sources), "--output-path", str(self._artifacts)]
        for what, argv in (("files", export), ("driver", [sys.executable, *wheel]), ("collection", [str(BIN / build[0]), *build[1:]])):
            processes.run(f"the {what} being built", f"build-{what}", argv, BUILD_S)
        (wheel_file,) = self._artifacts.glob("*.whl")
        (archive,) = self._artifacts.glob("*.tar.gz")
        pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(self._site), str(wheel_file)]
        # With the checkout's ansible.cfg it would find the collection there, and have nothing to do.
        galaxy = [
            *self.prefix(),
            str(BIN / "ansible-galaxy"),
            "collection",
            "install",
            str(archive),
            "-p",
            str(self._collections),
            "--offline",
        ]
        for what, argv in (("driver", pip), ("collection", galaxy)):
            processes.run(f"the {what} being installed", f"install-{what}", argv, BUILD_S)
        shutil.rmtree(self._sources)

    def prefix(self) -> list[str]:
        """The words before a command that make it find what was installed, and nothing of the checkout."""
        found = [f"PYTHONPATH={self._site}", f"ANSIBLE_COLLECTIONS_PATH={self._collections}"]
        return ["env", "-u", "ANSIBLE_CONFIG", f"--chdir={self._empty}", *found]
