# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""The one door to libvirt: open with a deadline, notice a dead host, turn errors into refusals, read hosts side by side.

A local URI opens in milliseconds, one over SSH in some tenths of a second. Whoever needs libvirt's constants takes
`libvirt` from here; no other file of the collection imports the binding.
"""

from __future__ import annotations

import contextlib
import threading
import time
import traceback
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from ansible_collections.ondemand.cluster.plugins.module_utils._contract.config_uris import uri_problem
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refusal, Refused

LIBVIRT_IMPORT_ERROR: Optional[str]
try:
    import libvirt
except ImportError:
    libvirt = None
    LIBVIRT_IMPORT_ERROR = traceback.format_exc()
else:
    LIBVIRT_IMPORT_ERROR = None

KEEPALIVE_INTERVAL_S = 3
KEEPALIVE_COUNT = 2  # a host that is silent for about interval * (count + 1) seconds is given up
_loop_lock = threading.Lock()
_loop_runs = False


@dataclass(frozen=True)
class HostAddress:
    """A hypervisor as the cluster file names it."""

    name: str
    uri: str
    zone: str = ""
    pool: str = ""


@dataclass(frozen=True)
class Reading:
    """What one host answered: a value, or why there is none."""

    host: HostAddress
    value: Any
    because: str = ""

    @property
    def reachable(self) -> bool:
        return not self.because


def _start_event_loop() -> None:
    """Keepalive needs libvirt's event loop; one thread for the process turns it."""
    global _loop_runs
    with _loop_lock:
        if _loop_runs:
            return
        # The binding prints every error to stderr unless told not to; ours are told as refusals.
        libvirt.registerErrorHandler(lambda _context, _error: None, None)
        libvirt.virEventRegisterDefaultImpl()

        def turn() -> None:
            while True:
                libvirt.virEventRunDefaultImpl()

        # Without a timer the loop would sleep for ever and not see connections added later.
        libvirt.virEventAddTimeout(500, lambda _timer, _opaque: None, None)
        threading.Thread(target=turn, name="libvirt-events", daemon=True).start()
        _loop_runs = True


def without_prompt(uri: str) -> str:
    """The URI such that ssh never asks a person: libvirt then runs it in batch mode."""
    scheme = uri.split(":", 1)[0]
    if "+ssh" not in scheme or "no_tty=" in uri:
        return uri
    return uri + ("&" if "?" in uri else "?") + "no_tty=1"


def within(seconds: float, work: Callable[[], Any]) -> Tuple[bool, Any, Optional[BaseException]]:
    """Run `work` in a thread of its own; (True, value, error) if it ended in time, else (False, None, None).

    A call that hangs in libvirt can't be interrupted; its thread is left behind and ends with the process.
    """
    box: List[Any] = []

    def run() -> None:
        try:
            box.append((work(), None))
        except BaseException as error:  # noqa: BLE001  # pylint: disable=broad-exception-caught
            box.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(max(0.0, seconds))
    if not box:
        return False, None, None
    value, error = box[0]
    return True, value, error


def unreachable(uri: str, because: str) -> Refusal:
    """The refusal for a host that doesn't answer."""
    return Refusal(
        "host_unreachable",
        f"The host {uri} can't be used: {because}. Check that it runs, that libvirt answers there and that the login works.",
    )


def open_host(uri: str, deadline_s: float, read_only: bool = False) -> Any:
    """A libvirt connection, open within the deadline (seconds), with keepalive; else Refused(host_unreachable)."""
    wrong = uri_problem(uri)
    if wrong:
        raise Refused(Refusal("bad_input", f"The URI {uri} {wrong[0]}; right would be: {wrong[1]}. No connection was made."))
    _start_event_loop()
    opener = libvirt.openReadOnly if read_only else libvirt.open
    ended, connection, error = within(deadline_s, lambda: opener(without_prompt(uri)))
    if not ended:
        raise Refused(unreachable(uri, f"no connection within {deadline_s:g} s"))
    if error is not None:
        raise Refused(unreachable(uri, str(error).strip()))
    # The test driver and in-process drivers know no keepalive: they have no wire that could break.
    with contextlib.suppress(libvirt.libvirtError):
        connection.setKeepAlive(KEEPALIVE_INTERVAL_S, KEEPALIVE_COUNT)
    return connection


def is_error(error: BaseException, *names: str) -> bool:
    """Whether a libvirt error has one of these codes, written as in libvirt's VIR_ERR_ constants without the prefix."""
    if not isinstance(error, libvirt.libvirtError):
        return False
    return error.get_error_code() in [getattr(libvirt, "VIR_ERR_" + name) for name in names]


def _is_broken(error: BaseException) -> bool:
    """Whether the connection itself broke: libvirt's client says so as an error of its wire, with one of these codes."""
    return is_error(error, "RPC", "NO_CONNECT", "SYSTEM_ERROR", "INTERNAL_ERROR") and error.get_error_domain() == libvirt.VIR_FROM_RPC


@contextlib.contextmanager
def refusing(uri: str, what: str, reason: str) -> Iterator[None]:
    """Turn a libvirt error inside into Refused: host_unreachable if the connection broke, else the given reason."""
    try:
        yield
    except libvirt.libvirtError as error:
        text = str(error).strip()
        if _is_broken(error):
            raise Refused(unreachable(uri, text)) from error
        raise Refused(Refusal(reason, f"Could not {what} on {uri}: {text}")) from error


def read_hosts(
    hosts: Sequence[HostAddress],
    reader: Callable[[Any, HostAddress], Any],
    deadline_s: float,
    read_only: bool = True,
) -> List[Reading]:
    """Read every host in a thread of its own; one that is dead or stuck costs the others nothing beyond the deadline."""
    results: Dict[str, Reading] = {}
    end = time.monotonic() + deadline_s

    def read_one(host: HostAddress) -> None:
        try:
            connection = open_host(host.uri, max(0.1, end - time.monotonic()), read_only)
            with contextlib.closing(connection):
                results[host.name] = Reading(host, reader(connection, host))
        except Refused as no:
            results[host.name] = Reading(host, None, no.refusal.sentence)
        except Exception as error:  # noqa: BLE001  # pylint: disable=broad-exception-caught
            results[host.name] = Reading(host, None, f"{type(error).__name__}: {error}".strip())

    threads = [threading.Thread(target=read_one, args=(host,), daemon=True) for host in hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    late = f"no answer within {deadline_s:g} s"
    return [results.get(host.name) or Reading(host, None, unreachable(host.uri, late).sentence) for host in hosts]
