# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""Runs that a broken product, or a broken demo, would leave: {name: (change of the good run, all that the report has to say of it)}."""

from __future__ import annotations

from tests.unit.lab.checks.doctored_clients import CLIENTS
from tests.unit.lab.checks.doctored_driver import DRIVER
from tests.unit.lab.checks.doctored_elements import ELEMENTS
from tests.unit.lab.checks.doctored_ends import ENDS
from tests.unit.lab.checks.doctored_observers import OBSERVERS

WORLDS = {**ELEMENTS, **CLIENTS, **DRIVER, **OBSERVERS, **ENDS}
