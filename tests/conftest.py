# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What all tests share: where the checkout is, and that a full run skips nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

# An example may take any time: on a busy machine it does, and a time proves nothing here.
hypothesis.settings.register_profile("ondemand", deadline=None)
hypothesis.settings.load_profile("ondemand")

CHECKOUT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """script/test passes --no-skips: a machine that it set up has everything, so a skipped test there hides something."""
    parser.addoption("--no-skips", action="store_true", help="a skipped test fails the run")


class SkipsFail:
    """Counts skipped tests, also those of xdist's workers, and fails the run that had any."""

    def __init__(self) -> None:
        self.skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One report of a test's phase."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self.skipped.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """One report of a file's collection: a module may skip as a whole."""
        if report.skipped:
            self.skipped.append(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Turns a run that is fine but for its skips into a failed one."""
        if self.skipped and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Says which tests were skipped, last of all."""
        for name in self.skipped:
            terminalreporter.write_line(f"skipped, and a full run skips nothing: {name}", red=True)


def pytest_configure(config: pytest.Config) -> None:
    """Watches for skips in the process that reports, not in its workers."""
    if config.getoption("--no-skips") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(SkipsFail(), "skips-fail")


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The checkout's root."""
    return CHECKOUT


@pytest.fixture(scope="session")
def libvirt_daemon() -> Iterator[object]:
    """A tests.libvirtd.Daemon: real QEMU and storage drivers. Who uses it leaves no domain and no volume behind."""
    from tests import libvirtd

    with libvirtd.running() as daemon:
        yield daemon


@pytest.fixture(scope="session", autouse=True)
def _ansible_finds_the_checkout() -> Iterator[None]:
    """Whatever folder a test starts in, the ansible.cfg of the checkout counts: its collection path, strict host keys."""
    before = os.environ.get("ANSIBLE_CONFIG")
    os.environ["ANSIBLE_CONFIG"] = str(CHECKOUT / "ansible.cfg")
    yield
    if before is None:
        del os.environ["ANSIBLE_CONFIG"]
    else:
        os.environ["ANSIBLE_CONFIG"] = before
