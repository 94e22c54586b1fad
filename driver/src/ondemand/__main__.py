# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""`python -m ondemand` is the command `ondemand`."""

from __future__ import annotations

from ondemand.cli import main

main()
