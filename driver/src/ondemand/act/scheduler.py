# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Pacemaker's scheduler on this machine, asked about saved files. It reads a CIB and touches no cluster."""

from __future__ import annotations

import shutil
import subprocess
import xml.etree.ElementTree as ET

from ondemand._collection.plugin_utils._cluster.simulation import SIMULATE, question
from ondemand.errors import ActError

MOST_S = 120.0


def schedule(cib: ET.Element) -> str:
    """What crm_simulate prints of a CIB. Raises ActError where it is not installed or does not end."""
    if shutil.which("crm_simulate") is None:
        raise ActError("crm_simulate is not installed here; install Pacemaker's tools (Debian: pacemaker-cli-utils, others: pacemaker-cli)")
    text = question(cib)
    try:
        done = subprocess.run(["sh", "-c", SIMULATE], input=text, capture_output=True, text=True, timeout=MOST_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise ActError(f"crm_simulate did not end within {MOST_S:g} s") from error
    return done.stdout + done.stderr
