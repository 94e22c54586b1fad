# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The cluster file as the driver reads it: the shared table of files, texts that are no YAML, and the copies that must not drift."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ondemand.config.load import check, load, parse
from ondemand.config.schema import schema_text
from ondemand.errors import ConfigError
from tests.cluster_files import bad_files, good_files
from tests.driver.values import demo_data

CHECKOUT = Path(__file__).resolve().parents[3]
UTILS = CHECKOUT / "plugins" / "plugin_utils"


@pytest.mark.parametrize(("name", "data"), good_files().items(), ids=list(good_files()))
def test_a_right_file_has_no_problem(name: str, data: Any) -> None:
    made, problems = check(data)
    assert problems == []
    assert made is not None
    assert made.name == data["cluster"]["name"]


@pytest.mark.parametrize(("name", "case"), bad_files().items(), ids=list(bad_files()))
def test_every_problem_is_told_with_its_path_and_what_would_be_right(name: str, case: tuple[Any, list[str]]) -> None:
    data, paths = case
    made, problems = check(data)
    assert made is None
    assert [one["path"] for one in problems] == sorted(paths)
    assert all(one["problem"] and one["should_be"] and "\n" not in one["problem"] for one in problems)


def test_the_collection_carries_this_schema_and_these_rules() -> None:
    assert (UTILS / "cluster_schema.json").read_text() == schema_text()
    rules = CHECKOUT / "driver" / "src" / "ondemand" / "config" / "rules.py"
    assert (UTILS / "cluster_rules.py").read_text() == rules.read_text()


def test_the_drivers_defaults_are_the_collections() -> None:
    """The collection fills defaults in for playbooks, the models do for the driver; both read one page of the exchange formats."""
    from ansible_collections.ondemand.cluster.plugins.module_utils._shared.defaults import with_defaults

    small = good_files()["smallest"]["cluster"]
    made, _problems = check({"cluster": small})
    assert made is not None
    mine, theirs = made.model_dump(), with_defaults(small)
    for section in ("services", "disks", "fencing", "scaling", "deadlines", "image", "network"):
        assert mine[section] == theirs[section], section
    assert mine["access"]["user"] == theirs["access"]["user"]
    assert mine["hosts"][0]["pool"] == theirs["hosts"][0]["pool"]


TEXTS = {
    "a key written twice": "cluster: {name: a, name: b}",
    "an open bracket": "cluster: [",
    "a Python object": "cluster: !!python/object/apply:os.system [id]",
    "a list as a key": "{[1]: 2}",
    "two documents": "a: 1\n---\nb: 2",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=list(TEXTS))
def test_text_that_is_no_yaml_of_ours_is_a_problem_and_no_traceback(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert caught.value.problems


def test_aliases_that_multiply_are_refused_quickly() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{n}: &{n} [{','.join(['*' + b] * 10)}]\n" for b, n in zip("abcdefgh", "bcdefghi", strict=True)
    )
    _made, problems = check({"cluster": parse(bomb)})
    assert any("values" in one["problem"] for one in problems)


def test_a_file_that_is_not_there_is_told_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="absent.yml"):
        load(tmp_path / "absent.yml")


def test_the_loaded_file_keeps_its_text_and_finds_its_state(tmp_path: Path) -> None:
    path = tmp_path / "shop.yml"
    path.write_text(json.dumps(demo_data()))
    loaded = load(path)
    assert loaded.text == path.read_text()
    assert loaded.state_dir == Path("~/.local/state/ondemand/shop").expanduser()


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_stands_in_a_file_the_check_answers_with_problems_and_never_breaks(data: st.DataObject) -> None:
    """One field of the demo's file, at any depth, is replaced by anything; both checks end, and tell the same paths."""
    from ansible_collections.ondemand.cluster.plugins.action.cluster_check import check as collection_check

    whole = demo_data()
    node: Any = whole
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = data.draw(st.sampled_from(keys))
        if isinstance(node[key], dict | list) and node[key] and data.draw(st.booleans()):
            node = node[key]
            continue
        node[key] = data.draw(plain)
        break
    _made, problems = check(whole)
    assert all(one["problem"] and one["should_be"] for one in problems)
    assert {one["path"] for one in problems} == {one["path"] for one in collection_check(whole)}
