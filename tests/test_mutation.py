# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The tool that tests the tests: what it plants, what it counts, and that it doesn't call blind tests good."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutation.accepted import read_accepted, stale
from tests.mutation.mutants import mutants_of
from tests.mutation.rooms import rooms_of

TOY = """\
def may_leave(present: int, needed: int) -> bool:
    \"\"\"Whether one may go.\"\"\"
    rest = present - 1
    return rest >= needed
"""
STRONG = """\
from lab.toy import may_leave

def test_one_more_than_needed_may_leave() -> None:
    assert may_leave(4, 3) is True

def test_one_less_than_needed_stays() -> None:
    assert may_leave(3, 3) is False and may_leave(5, 3) is True
"""
WEAK = "from lab.toy import may_leave\n\ndef test_many_may_leave() -> None:\n    assert may_leave(9, 3)\n"


class Toy:
    """A checkout with one pure file, and a copy of the tool that knows no other."""

    def __init__(self, folder: Path, checkout: Path) -> None:
        self.folder = folder
        shutil.copytree(checkout / "tests/mutation", folder / "tests/mutation")
        with (folder / "tests/mutation/rooms.py").open("a") as rooms:
            rooms.write('\nPURE = {"lab/toy.py": ()}\n')
        with (folder / "tests/mutation/run.py").open("a") as run:
            run.write("\nLEAST_CPU_S = 1\n")
        self.write("pytest.ini", "[pytest]\npythonpath = .\naddopts = --import-mode=importlib\n")
        self.write("tests/mutation/accepted.yml", "{}")
        self.write("lab/toy.py", TOY)

    def write(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)

    def mutate(self, *options: str, tests: str) -> subprocess.CompletedProcess[str]:
        """Runs the tool against these tests."""
        self.write("tests/unit/lab/test_toy.py", tests)
        command = [sys.executable, "-m", "tests.mutation", *options]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def toy(tmp_path: Path, checkout: Path) -> Toy:
    return Toy(tmp_path, checkout)


def rows(*pairs: tuple[str, str]) -> str:
    return "lab/toy.py:\n" + "".join(f"  - {{line: '{line}', change: '{change}', because: nobody can see it}}\n" for line, change in pairs)


def test_a_strong_test_kills_every_fault_and_the_exit_code_is_0(toy: Toy) -> None:
    done = toy.mutate(tests=STRONG)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lab/toy.py" in done.stdout and "100.0 %" in done.stdout and "survived  " not in done.stdout


def test_what_a_weak_test_misses_is_listed_with_its_line_and_the_exit_code_is_1(toy: Toy) -> None:
    done = toy.mutate(tests=WEAK)
    assert done.returncode == 1
    assert "survived  lab/toy.py:4: rest >= needed -> rest > needed" in done.stdout
    assert "below 92%" in done.stdout
    missed = {"rest >= needed -> rest > needed", "present - 1 -> present + 1", "1 -> 2"}
    assert {line.split(": ", 1)[1] for line in done.stdout.splitlines() if line.startswith("survived  ")} == missed
    counted = next(line.split() for line in done.stdout.splitlines() if line.startswith("lab/toy.py"))
    assert counted[1:4] == ["2", "3", "0"], "killed, survived, accepted"


def test_an_accepted_survivor_does_not_count_and_its_reason_is_told(toy: Toy) -> None:
    pairs = [("return rest >= needed", "rest >= needed -> rest > needed"), ("rest = present - 1", "1 -> 2")]
    toy.write("tests/mutation/accepted.yml", rows(*pairs))
    done = toy.mutate(tests=STRONG.replace("may_leave(4, 3) is True", "may_leave(5, 3) is True"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "accepted  lab/toy.py: rest >= needed -> rest > needed: nobody can see it" in done.stdout


@pytest.mark.parametrize(
    ("line", "change", "problem"),
    [
        ("return rest >= needed", "rest >= needed -> rest > needed", "a test kills"),
        ("return rest > needed", "rest > needed -> rest >= needed", "there is no mutant"),
    ],
)
def test_a_row_that_is_no_longer_true_is_an_error(line: str, change: str, problem: str, toy: Toy) -> None:
    toy.write("tests/mutation/accepted.yml", rows((line, change)))
    done = toy.mutate(tests=STRONG)
    assert done.returncode == 1
    assert problem in done.stdout


@pytest.mark.parametrize(
    ("tests", "sentence"),
    [
        ("def test_nothing_of_the_file() -> None:\n    assert 1 + 1 == 2\n", "no test of lab/toy.py imports it"),
        (WEAK.replace("may_leave(9, 3)", "not may_leave(9, 3)"), "the tests of lab/toy.py fail without a mutant"),
    ],
)
def test_tests_that_can_not_judge_are_refused(tests: str, sentence: str, toy: Toy) -> None:
    done = toy.mutate(tests=tests)
    assert done.returncode == 2
    assert sentence in done.stderr


def test_a_fault_that_never_ends_is_killed(toy: Toy) -> None:
    toy.write("lab/toy.py", "def count(n: int) -> int:\n    while n:\n        n -= 1\n    return n\n")
    done = toy.mutate(tests="from lab.toy import count\n\ndef test_it_ends() -> None:\n    assert count(3) == 0\n")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_sample_is_as_large_as_wished_and_the_same_seed_gives_the_same(toy: Toy) -> None:
    first, second = (toy.mutate("--sample", "3", "--seed", "5", tests=WEAK).stdout for _turn in range(2))
    assert "3 of 3 mutants in" in first
    assert first.rsplit("\n", 2)[0] == second.rsplit("\n", 2)[0], "all but the time"


def test_a_file_that_is_no_pure_room_is_refused_with_those_that_are(toy: Toy) -> None:
    done = toy.mutate("lab/other.py", tests=WEAK)
    assert done.returncode == 2
    assert "no pure room is at lab/other.py; there are:\nlab/toy.py" in done.stderr


PLANTED = {
    "a < b": {"a < b -> a <= b", "a < b -> a >= b"},
    "a and b and c": {
        "a and b and c -> a or b or c", "a and b and c -> b and c", "a and b and c -> a and c", "a and b and c -> a and b",
    },
    "not a": {"not a -> a"},
    "a // 2": {"a // 2 -> a * 2", "2 -> 3"},
    "'a %d' % (b,)": set(),
    "[x for x in a if x]": {"for x in a if x -> for x in a"},
    "max(a, key=b)": {"max(a, key=b) -> min(a, key=b)", "max(a, key=b) -> max(a)"},
    "{'k': a}": {"{'k': a} -> {}", "'k' -> 'xk'"},
    "a if b else c": {"a if b else c -> a if False else c", "a if b else c -> a if True else c"},
}  # fmt: skip


@pytest.mark.parametrize("expression", PLANTED)
def test_the_faults_of_an_expression(expression: str) -> None:
    assert {mutant.change for mutant in mutants_of("toy.py", f"value = {expression}")} == PLANTED[expression]


def test_the_faults_of_a_guard_and_of_a_statement() -> None:
    found = {mutant.change for mutant in mutants_of("toy.py", "if a:\n    b.append(c)\nelse:\n    raise Trouble\n")}
    assert found == {"if a -> if False", "if a -> if True", "b.append(c) -> dropped", "raise Trouble -> dropped"}


def test_a_table_of_rules_is_also_tried_in_another_order() -> None:
    assert "(first, second) -> (second, first)" in {mutant.change for mutant in mutants_of("toy.py", "RULES = (first, second)")}


@pytest.mark.parametrize(
    "text",
    [
        '"""A text."""',
        "from a import b",
        "__all__ = ['a', 'b']",
        "Rule = Callable[[Status], bool]",
        "Check = typing.Callable[[str], bool]",
        "def f(a: Literal['x']) -> Literal['y']: pass",
        "assert a >= b",
        "message = f'{a} nodes'",
        "if TYPE_CHECKING:\n    a = 1",
    ],
)
def test_nothing_is_planted_where_nothing_is_done(text: str) -> None:
    assert mutants_of("toy.py", text) == []


def test_a_mutant_s_code_has_the_fault_and_leaves_the_others_sound() -> None:
    mutants = mutants_of("toy.py", "value = 1 if 2 > 1 else 0\n")
    values: dict[str, object] = {}
    for mutant in mutants:
        space: dict[str, object] = {}
        exec(mutant.code("toy.py"), space)
        values[mutant.change] = space["value"]
    assert values["2 > 1 -> 2 <= 1"] == 0
    assert values["0 -> 1"] == 1


def test_every_room_is_there_with_its_tests_and_every_accepted_row_has_its_mutant(checkout: Path) -> None:
    rooms = rooms_of(checkout)
    known = {mutant.key for room in rooms for mutant in mutants_of(room.name, (checkout / room.name).read_text())}
    accepted = read_accepted(checkout / "tests/mutation/accepted.yml")
    assert [key[0] for key in accepted if key[0] not in {room.name for room in rooms}] == []
    assert stale(accepted, {room.name for room in rooms}, known, set()) == []


def test_a_room_that_moved_is_told(checkout: Path) -> None:
    with pytest.raises(LookupError, match="nothing is at lab/gone.py; name the file's new place"):
        rooms_of(checkout, {"lab/gone.py": ()})


def test_a_survivor_is_not_accepted_without_a_reason(tmp_path: Path) -> None:
    (tmp_path / "accepted.yml").write_text("lab/toy.py:\n  - {line: a, change: b}\n")
    with pytest.raises(ValueError, match="accepted without a reason"):
        read_accepted(tmp_path / "accepted.yml")
