# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""`script/test mutate`: the score of each pure room, its survivors, and exit code 1 where a room is below the least score."""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.mutation.accepted import Key, read_accepted, stale
from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.rooms import LEAST_SCORE, Room, rooms_of
from tests.mutation.run import Fate, Lab, Unjudgeable

CHECKOUT = Path(__file__).resolve().parents[2]
TELL_EVERY_S = 30


def arguments(words: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="script/test mutate", description=__doc__)
    parser.add_argument("files", nargs="*", help="only these rooms: paths of source files from the checkout's root")
    parser.add_argument("--sample", type=int, metavar="N", help="only so many mutants, chosen by chance; judged together")
    parser.add_argument("--seed", type=int, default=0, help="of the choice, 0 if not said")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes at once, as many as cores if not said")
    return parser.parse_args(words)


def chosen_rooms(rooms: list[Room], files: list[str]) -> list[Room]:
    """The rooms that were asked for, all if none. One that there is not ends the program."""
    wanted = {str(Path(file).resolve().relative_to(CHECKOUT)) if Path(file).is_absolute() else os.path.normpath(file) for file in files}
    unknown = wanted - {room.name for room in rooms}
    if unknown:
        raise LookupError(f"no pure room is at {', '.join(sorted(unknown))}; there are:\n" + "\n".join(room.name for room in rooms))
    return [room for room in rooms if not wanted or room.name in wanted]


def score(counts: Counter[str]) -> float:
    """Killed of all that count: an accepted survivor doesn't."""
    judged = counts["killed"] + counts["survived"]
    return counts["killed"] / judged if judged else 1.0


@dataclass
class Tally:
    """What a run has found so far. counts: path -> fate or `accepted` -> number."""

    accepted: dict[Key, str]
    counts: dict[str, Counter[str]]
    fates: dict[Key, list[Fate]] = field(default_factory=dict)
    survivors: list[Mutant] = field(default_factory=list)

    @property
    def judged(self) -> int:
        """How many mutants."""
        return sum(map(len, self.fates.values()))

    def add(self, mutant: Mutant, fate: Fate) -> None:
        """One mutant more."""
        self.fates.setdefault(mutant.key, []).append(fate)
        is_accepted = fate is Fate.SURVIVED and mutant.key in self.accepted
        self.counts[mutant.path]["accepted" if is_accepted else fate.value] += 1
        if fate is Fate.SURVIVED and not is_accepted:
            self.survivors.append(mutant)

    def stale(self, known: set[Key], is_sample: bool) -> list[str]:
        """What is wrong with the accepted rows; a sample can't tell that all mutants of a row are killed."""
        killed = {key for key, fates in self.fates.items() if Fate.SURVIVED not in fates}
        return stale(self.accepted, set(self.counts), known, set() if is_sample else killed)

    def lines(self) -> list[str]:
        """The survivors, then a line for each file and one for all."""
        lines = []
        for mutant in sorted(self.survivors, key=lambda mutant: (mutant.path, mutant.line)):
            lines += [f"survived  {mutant.path}:{mutant.line}: {mutant.change}", f"          | {mutant.text}"]
        for (path, _text, change), because in self.accepted.items():
            if Fate.SURVIVED in self.fates.get((path, _text, change), ()):
                lines.append(f"accepted  {path}: {change}: {because}")
        lines.append(f"{'':50} killed survived accepted  score")
        for name, count in [*self.counts.items(), ("all", sum(self.counts.values(), Counter[str]()))]:
            mark = "" if score(count) >= LEAST_SCORE else f"  below {LEAST_SCORE:.0%}"
            lines.append(f"{name:50} {count['killed']:6} {count['survived']:8} {count['accepted']:8} {100 * score(count):5.1f} %{mark}")
        return lines

    def is_enough(self, is_sample: bool) -> bool:
        """Whether every room reaches the least score; a sample is too small to judge rooms, so it is judged as a whole."""
        whole = sum(self.counts.values(), Counter[str]())
        return all(score(count) >= LEAST_SCORE for count in ([whole] if is_sample else self.counts.values()))


def run(options: argparse.Namespace, checkout: Path, rooms: list[Room], accepted: dict[Key, str], scratch: Path) -> int:
    """Runs, tells, and gives the exit code."""
    mutants = [(room, mutant) for room in rooms for mutant in mutants_of(room.name, (checkout / room.name).read_text(encoding="utf-8"))]
    known = {mutant.key for _room, mutant in mutants}
    is_sample = options.sample is not None
    if is_sample:
        mutants = random.Random(options.seed).sample(mutants, min(options.sample, len(mutants)))
        rooms = [room for room in rooms if any(room is chosen for chosen, _mutant in mutants)]
    begun = told = time.monotonic()
    lab = Lab(checkout, scratch, options.workers)
    lab.prepare()
    coverage = lab.coverage(rooms)
    tally = Tally(accepted, {room.name: Counter() for room in rooms})
    with contextlib.suppress(KeyboardInterrupt):  # A run that is cut off tells what it knows.
        for mutant, fate in lab.fates(mutants, coverage):
            tally.add(mutant, fate)
            if time.monotonic() - told > TELL_EVERY_S:
                told = time.monotonic()
                print(f"{tally.judged} of {len(mutants)} mutants, {len(tally.survivors)} survivors, {told - begun:.0f} s", flush=True)
    problems = tally.stale(known, is_sample)
    print("\n".join([*tally.lines(), *problems, f"{tally.judged} of {len(mutants)} mutants in {time.monotonic() - begun:.0f} s"]))
    return 0 if tally.judged == len(mutants) and not problems and tally.is_enough(is_sample) else 1


def main(words: list[str], checkout: Path = CHECKOUT) -> int:
    """The program. A bad argument, file or row, or a room that can't be judged, is a sentence and exit code 2."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = arguments(words)
    with tempfile.TemporaryDirectory(prefix="mutate-") as scratch:
        try:
            rooms = chosen_rooms(rooms_of(checkout), options.files)
            return run(options, checkout, rooms, read_accepted(checkout / "tests/mutation/accepted.yml"), Path(scratch))
        except (LookupError, ValueError, Unjudgeable) as problem:
            print(f"mutate: {problem}", file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
