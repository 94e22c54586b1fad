# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""`script/test mutate`: the score of each pure room, its survivors, and exit code 1 where a room is below the least score."""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
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


def table(counts: dict[str, Counter[str]]) -> list[str]:
    """A line for each file and one for all."""
    lines = [f"{'':50} killed survived accepted  score"]
    whole: Counter[str] = Counter()
    for name, count in [*counts.items(), ("all", whole)]:
        mark = "" if score(count) >= LEAST_SCORE else f"  below {LEAST_SCORE:.0%}"
        lines.append(f"{name:50} {count['killed']:6} {count['survived']:8} {count['accepted']:8} {100 * score(count):5.1f} %{mark}")
        whole.update(count)
    return lines


def verdict(counts: dict[str, Counter[str]], is_sample: bool) -> bool:
    """Whether every room reaches the least score; a sample is too small to judge rooms, so it is judged as a whole."""
    whole = sum(counts.values(), Counter[str]())
    return all(score(count) >= LEAST_SCORE for count in ([whole] if is_sample else counts.values()))


def run(options: argparse.Namespace, checkout: Path, rooms: list[Room], accepted: dict[Key, str], scratch: Path) -> int:
    """Runs, tells, and gives the exit code."""
    mutants = [(room, mutant) for room in rooms for mutant in mutants_of(room.name, (checkout / room.name).read_text(encoding="utf-8"))]
    known = {mutant.key for _room, mutant in mutants}
    if options.sample is not None:
        mutants = random.Random(options.seed).sample(mutants, min(options.sample, len(mutants)))
        rooms = [room for room in rooms if any(room is chosen for chosen, _mutant in mutants)]
    begun = told = time.monotonic()
    lab = Lab(checkout, scratch, options.workers)
    lab.prepare()
    coverage = lab.coverage(rooms)
    found: dict[Key, list[Fate]] = {}
    survivors: list[Mutant] = []
    counts: dict[str, Counter[str]] = {room.name: Counter() for room in rooms}
    is_cut = False
    try:
        for number, (mutant, fate) in enumerate(lab.fates(mutants, coverage), 1):
            found.setdefault(mutant.key, []).append(fate)
            is_accepted = fate is Fate.SURVIVED and mutant.key in accepted
            counts[mutant.path]["accepted" if is_accepted else fate.value] += 1
            if fate is Fate.SURVIVED and not is_accepted:
                survivors.append(mutant)
            if time.monotonic() - told > TELL_EVERY_S:
                told = time.monotonic()
                print(f"{number} of {len(mutants)} mutants, {len(survivors)} survivors, {told - begun:.0f} s", flush=True)
    except KeyboardInterrupt:
        is_cut = True
    for mutant in sorted(survivors, key=lambda mutant: (mutant.path, mutant.line)):
        print(f"survived  {mutant.path}:{mutant.line}: {mutant.change}\n          | {mutant.text}")
    for key in accepted:
        if Fate.SURVIVED in found.get(key, ()):
            print(f"accepted  {key[0]}: {key[2]}: {accepted[key]}")
    killed = {key for key, fates in found.items() if Fate.SURVIVED not in fates}
    problems = stale(accepted, set(counts), known, killed)
    judged = sum(map(len, found.values()))
    ending = f"{judged} mutants in {time.monotonic() - begun:.0f} s"
    print("\n".join([*problems, *table(counts), ending if not is_cut else f"cut off after {ending}, of {len(mutants)}"]))
    return 1 if is_cut or problems or not verdict(counts, options.sample is not None) else 0


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
