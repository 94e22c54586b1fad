# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""``python3 -m lab.testbed.guests started|release|keep|publish``: the first two are called by libvirt's hook, with the domain's XML on stdin."""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from lab.testbed.guests import container
from lab.testbed.guests.domain import parse_guest
from lab.testbed.hypervisors.command import LabError


def main(argv: Sequence[str]) -> int:
    """Do what the command line says; 1 and a sentence on standard error if that fails."""
    what, *words = argv
    try:
        if what in ("started", "release"):
            xml = sys.stdin.read()
            if guest := parse_guest(xml):
                folder = container.folder_of(socket.gethostname(), guest.uuid)
                if what == "started":
                    container.begin(folder, xml)
                elif folder.exists():
                    container.end(folder)
        elif what == "keep":
            guest = parse_guest((Path(words[0]) / "domain.xml").read_text())
            assert guest is not None
            container.keep(Path(words[0]), words[1], guest)
        elif what == "publish":
            from lab.testbed.guests.publish import publish  # needs more than the hook does

            publish(Path(words[0]))
        else:
            raise LabError(f"unknown word {what!r}; there are started, release, keep and publish")
    except LabError as error:
        print(f"lab.testbed.guests: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
