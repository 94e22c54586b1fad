# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""A world per test, with a name of its own, so that tests that run side by side don't see each other's processes."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.driver.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A cluster of one node with the movable service ledger."""
    made = World(tmp_path, f"t{uuid.uuid4().hex[:8]}")
    yield made
    made.close()
