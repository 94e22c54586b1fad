# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What goes wrong at the edges. An expected "no" is a Refusal (model.py), something the user can fix a problem: neither is an exception."""

from __future__ import annotations

from collections.abc import Sequence


class OndemandError(Exception):
    """An edge broke: the sentence says what, why and what to do."""


class ConfigError(OndemandError):
    """The cluster file can't be used; `problems` holds all of {path, problem, should_be}."""

    def __init__(self, sentence: str, problems: Sequence[dict[str, str]] = ()) -> None:
        super().__init__(sentence)
        self.problems = list(problems)


class ObserveError(OndemandError):
    """The cluster or its load could not be read: no decision on half a picture."""


class ActError(OndemandError):
    """A job could not even be started."""


class RecordError(OndemandError):
    """The journal can't be used, or another driver holds the cluster."""
