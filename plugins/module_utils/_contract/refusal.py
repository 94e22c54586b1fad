# SPDX-License-Identifier: BSD-2-Clause
# Copyright: (c) 2026, the ondemand.cluster contributors

"""An expected "no" as data: a reason that programs read and a sentence that people read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Dict, List, Mapping, Optional, Sequence


class Reason(str, Enum):
    """Why something is refused; the list of docs/exchange-formats.md, section 4."""

    QUORUM = "quorum"
    MINIMUM = "minimum"
    NOT_QUORATE = "not_quorate"
    UNCLEAN = "unclean"
    LAST_NODE = "last_node"
    UNSTABLE = "unstable"
    MAXIMUM = "maximum"
    NO_ROOM = "no_room"
    NO_ADDRESS = "no_address"
    NO_IMAGE = "no_image"
    WRONG_CHECKSUM = "wrong_checksum"
    HOST_UNREACHABLE = "host_unreachable"
    NOT_OURS = "not_ours"
    JOIN_REFUSED = "join_refused"
    START_FAILED = "start_failed"
    STOP_FAILED = "stop_failed"
    DEADLINE = "deadline"
    BAD_INPUT = "bad_input"
    NOT_FOUND = "not_found"
    IN_USE = "in_use"
    NO_PLACE = "no_place"
    UNMANAGED = "unmanaged"
    HELD = "held"

    def __str__(self) -> str:
        return self.value


REASONS = frozenset(one.value for one in Reason)


@dataclass(frozen=True)
class Refusal:
    """``reason`` is one of REASONS; ``sentence`` says what is refused, why, and what to do."""

    reason: str
    sentence: str

    def __post_init__(self) -> None:
        if self.reason not in REASONS:
            raise ValueError(f"{self.reason!r} is no reason of a refusal")

    def result(self) -> Dict[str, Any]:
        """The keys of a failed task, as docs/exchange-formats.md section 4 promises them."""
        return {
            "msg": self.sentence,
            "refusal": {"reason": self.reason, "sentence": self.sentence},
        }


class Refused(Exception):
    """Carries a Refusal out of nested I/O to the one `try` in a module's main()."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.sentence)
        self.refusal = refusal


def all_problems(problems: List[str]) -> Refusal:
    """One refusal that names every problem of an input at once, each with its path."""
    return Refusal("bad_input", "Nothing was touched, the input is wrong: " + "; ".join(problems) + ".")


def as_one(refusals: Sequence[Mapping[str, Any]]) -> Refusal:
    """Several refusals as one: the first one's reason counts, every sentence is told, and each only once."""
    sentences = dict.fromkeys(str(one["sentence"]) for one in refusals)
    return Refusal(str(refusals[0]["reason"]), "; ".join(sentences))


def refusals_in(result: Mapping[str, Any]) -> List[Mapping[str, Any]]:
    """The refusals that a failed task's result carries: its own, or those of the items that it looped over."""
    results = [result, *(result.get("results") or [])]
    told = [one.get("refusal") for one in results if isinstance(one, Mapping) and one.get("failed")]
    return [one for one in told if isinstance(one, Mapping) and one.get("reason") in REASONS and one.get("sentence")]


def refusal_of(result: Mapping[str, Any]) -> Optional[Dict[str, str]]:
    """What a failed task's result refuses, as one refusal; None where it failed otherwise."""
    refusals = refusals_in(result)
    return as_one(refusals).result()["refusal"] if refusals else None
