# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The pure rooms and the fast tests that guard each: the only place where they are listed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

LEAST_SCORE = 0.92

CLUSTER, CLUSTER_TESTS = "plugins/plugin_utils/_cluster", "tests/unit/plugins/plugin_utils/_cluster"
LIBVIRT, LIBVIRT_TESTS = "plugins/module_utils/_libvirt", "tests/unit/plugins/module_utils/_libvirt"
CONFIG = "plugins/plugin_utils/_config"
DRIVER, DRIVER_TESTS = "driver/src/ondemand", "tests/driver"

# Pattern of source files -> patterns of their tests; the mirrored test file is always among them, where there is one.
PURE: dict[str, tuple[str, ...]] = {
    f"{CLUSTER}/change_rules.py": (),
    f"{CLUSTER}/quorum.py": (),
    f"{CLUSTER}/quorum_options.py": (),
    f"{CLUSTER}/unmanaged.py": (),
    f"{CLUSTER}/leave_rules.py": (f"{CLUSTER_TESTS}/test_let_go.py",),
    f"{CLUSTER}/join_rules.py": (),
    f"{CLUSTER}/membership_plan.py": (),
    f"{CLUSTER}/seen.py": (),
    f"{CLUSTER}/step_lists.py": (f"{CLUSTER_TESTS}/test_membership_plan.py",),
    f"{CLUSTER}/steps.py": (f"{CLUSTER_TESTS}/test_membership_plan.py",),
    f"{CLUSTER}/membership.py": (f"{CLUSTER_TESTS}/test_membership_cases.py", f"{CLUSTER_TESTS}/test_let_go.py"),
    f"{CLUSTER}/corosync_conf.py": (f"{CLUSTER_TESTS}/test_corosync_quorum.py",),
    f"{CLUSTER}/cib_spec.py": (f"{CLUSTER_TESTS}/test_cib_spec_fields.py",),
    f"{CLUSTER}/cib_build.py": (),
    f"{CLUSTER}/cib_plan.py": (f"{CLUSTER_TESTS}/test_cib_plan_parts.py", f"{CLUSTER_TESTS}/test_cib_values.py"),
    f"{CLUSTER}/cib_sets.py": (f"{CLUSTER_TESTS}/test_cib_values.py",),
    f"{CLUSTER}/cib_effect.py": (f"{CLUSTER_TESTS}/test_cib_values.py",),
    f"{CLUSTER}/cib_refs.py": (f"{CLUSTER_TESTS}/test_cib_values.py",),
    f"{CLUSTER}/draining.py": (),
    f"{CLUSTER}/emptiest.py": (f"{CLUSTER_TESTS}/test_moves.py", f"{DRIVER_TESTS}/plan/test_spread.py"),
    f"{CLUSTER}/move_rules.py": (f"{CLUSTER_TESTS}/test_moves.py",),
    f"{CLUSTER}/moves.py": (),
    f"{CLUSTER}/recovery.py": (),
    f"{CLUSTER}/renamed.py": (f"{CLUSTER_TESTS}/test_cib_values.py",),
    f"{CLUSTER}/scaling.py": (),
    f"{CLUSTER}/settle.py": (),
    f"{CLUSTER}/simulation.py": (),
    f"{CLUSTER}/what_if.py": (),
    f"{CLUSTER}/withheld.py": (),
    f"{CLUSTER}/status.py": (f"{CLUSTER_TESTS}/test_status_parts.py",),
    "plugins/plugin_utils/run_*.py": ("tests/unit/plugins/plugin_utils/test_run_account.py",),
    "plugins/plugin_utils/image_plan.py": (),
    f"{CONFIG}/rules.py": (),
    f"{CONFIG}/limits.py": (),
    f"{LIBVIRT}/host/placement.py": (),
    f"{LIBVIRT}/vm/plan.py": (f"{LIBVIRT_TESTS}/vm/test_plan_words.py",),
    f"{LIBVIRT}/host/sightings.py": (),
    f"{LIBVIRT}/vm/spec.py": (),
    f"{DRIVER}/decide/*.py": (f"{DRIVER_TESTS}/decide/test_*.py", f"{DRIVER_TESTS}/test_scenarios.py"),
    f"{DRIVER}/memory.py": (f"{DRIVER_TESTS}/decide/test_*.py", f"{DRIVER_TESTS}/test_scenarios.py"),
    f"{DRIVER}/members.py": (f"{DRIVER_TESTS}/plan/test_*.py", f"{DRIVER_TESTS}/test_scenarios.py"),
    f"{DRIVER}/plan/*.py": (f"{DRIVER_TESTS}/plan/test_*.py", f"{DRIVER_TESTS}/test_scenarios.py"),
    "lab/checks/*.py": ("tests/unit/lab/checks/test_*.py",),
}


@dataclass(frozen=True)
class Room:
    """A source file and its tests, as paths from the checkout's root."""

    name: str
    tests: tuple[str, ...]


def mirrored(source: str) -> str:
    """The test file that mirrors a source file. Example: lab/checks/report.py -> tests/unit/lab/checks/test_report.py."""
    folder, _, name = source.rpartition("/")
    home = folder.replace(DRIVER, DRIVER_TESTS) if folder.startswith(DRIVER) else f"tests/unit/{folder}"
    return f"{home}/test_{name}"


def rooms_of(checkout: Path, pure: dict[str, tuple[str, ...]] | None = None) -> list[Room]:
    """Every pure room. A pattern that finds nothing raises LookupError: a file was moved, and its room with it."""

    def found(pattern: str) -> list[str]:
        paths = sorted(str(path.relative_to(checkout)) for path in checkout.glob(pattern) if path.name != "__init__.py")
        if not paths:
            raise LookupError(f"tests/mutation/rooms.py: nothing is at {pattern}; name the file's new place, or take the line out")
        return paths

    rooms = []
    for pattern, extra in (PURE if pure is None else pure).items():
        for source in found(pattern):
            mirror = [path for path in [mirrored(source)] if (checkout / path).is_file()]
            tests = dict.fromkeys([*mirror, *(path for tests in extra for path in found(tests))])
            if not tests:
                raise LookupError(f"tests/mutation/rooms.py: {source} has no tests: write {mirrored(source)}, or name others there")
            rooms.append(Room(source, tuple(tests)))
    return rooms
