# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Prints what the ledger service has stored, read back through its address: `python3 -m lab.client_read ADDRESS PORT`."""

from __future__ import annotations

import sys
import urllib.request


def main() -> int:
    """Prints the service's JSON: {node, ids}."""
    address, port = sys.argv[1], int(sys.argv[2])
    with urllib.request.urlopen(f"http://{address}:{port}/ledger", timeout=30) as answer:
        sys.stdout.write(answer.read().decode("utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
