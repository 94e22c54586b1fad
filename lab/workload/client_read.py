# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Prints what the ledger service has stored, read back through its address: `python3 -m lab.workload.client_read ADDRESS PORT`."""

from __future__ import annotations

import sys
import urllib.request


def main() -> int:
    """Prints the service's JSON: {node, ids}. Exit code 1 and a sentence when it doesn't answer."""
    address, port = sys.argv[1], int(sys.argv[2])
    try:
        with urllib.request.urlopen(f"http://{address}:{port}/ledger", timeout=30) as answer:
            sys.stdout.write(answer.read().decode("utf-8"))
    except (OSError, ValueError) as error:
        print(f"the ledger at {address}:{port} can't be read back: {error}; see whether its service runs (crm_mon -1)", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
