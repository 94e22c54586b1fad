# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""A folder for what Ansible writes beside its work (connections, copies of modules), instead of the person's ~/.ansible."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def ansible_home() -> Iterator[None]:
    """Ansible, when started by this process or its children, keeps its files in a new folder, which is removed at the end.

    In the system's folder for these, not below the checkout: ssh's sockets lie there, and their paths may have 108 characters. A folder
    that is set already, by script/test, is used.
    """
    if "ANSIBLE_HOME" in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="ondemand-ansible.", ignore_cleanup_errors=True) as home:
        os.environ["ANSIBLE_HOME"] = home
        try:
            yield
        finally:
            del os.environ["ANSIBLE_HOME"]
