# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The cluster file as the driver reads it: the shared table of files, texts that are no YAML, and the copies that must not drift."""

from __future__ import annotations

import datetime
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ondemand._collection.plugin_utils._config.errors import shown
from ondemand._collection.plugin_utils._config.rules import MOST_ADDRESSES
from ondemand.config.load import check, load, parse
from ondemand.config.schema import schema, schema_text
from ondemand.errors import ConfigError
from tests.cluster_files import bad_files, good_files
from tests.driver.values import DEMO, demo_data, merged

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


def test_the_collection_carries_this_schema() -> None:
    assert (UTILS / "cluster_schema.json").read_text() == schema_text()


def test_the_drivers_defaults_are_the_collections() -> None:
    """The collection fills defaults in for playbooks, the models do for the driver; both read one page of the exchange formats."""
    from ondemand._collection.module_utils._contract.config_defaults import with_defaults

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
    "a character that no YAML has": "cluster: \x00",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=list(TEXTS))
def test_text_that_is_no_yaml_of_ours_is_a_problem_and_no_traceback(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert caught.value.problems


NAMES = {
    "a key that is nothing": ("~: x", "~", "line 1"),
    "a key that is a number": ("cluster:\n  1.5: x", "cluster.1.5", "line 2"),
    "a key that is a date": ("cluster: {hosts: [{2026-01-01: x}]}", "cluster.hosts[0].2026-01-01", "line 1"),
    "a key that YAML takes for a truth": ("cluster:\n  on: x", "cluster.on", "line 2"),
    "a key written twice": ("cluster: {name: a, name: b}", "cluster.name", "lines 1 and 1"),
    "a key written twice beside a merge": ("a: &a {n: 1}\nb: {<<: *a, n: 2,\n n: 3}", "b.n", "lines 2 and 3"),
}


@pytest.mark.parametrize(("text", "path", "line"), NAMES.values(), ids=list(NAMES))
def test_a_name_that_is_none_or_stands_twice_is_told_with_path_and_line(text: str, path: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert [one["path"] for one in caught.value.problems] == [path]
    assert line in caught.value.problems[0]["problem"]


@pytest.mark.parametrize("key", [None, 1.5, 1, True, datetime.date(2026, 1, 1)], ids=str)
@pytest.mark.parametrize("path", ["", "hosts.0", "services.0.resource.options"])
def test_data_with_a_name_that_is_no_text_is_a_problem_on_both_sides_of_the_wall(path: str, key: Any) -> None:
    from ansible_collections.ondemand.cluster.plugins.action.cluster_check import check as collection_check

    data = demo_data()
    holder: Any = data["cluster"]
    for part in path.split(".") if path else []:
        holder = holder[int(part)] if part.isdigit() else holder.setdefault(part, {})
    holder[key] = "x"
    expected = ".".join(["cluster", *([path.replace(".0", "[0]")] if path else []), str(key)])
    made, problems = check(data)
    assert made is None
    assert [one["path"] for one in problems] == [expected]
    assert any(one["problem"] in ("is a name and no text", "is no field here") for one in collection_check(data))


def test_a_merged_name_may_be_given_anew() -> None:
    assert parse("a: &a {n: 1, m: 1}\nb: {<<: *a, n: 2}\nc: {n: 3, <<: *a}") == {
        "a": {"n": 1, "m": 1},
        "b": {"n": 2, "m": 1},
        "c": {"n": 3, "m": 1},
    }


def bomb(first: str) -> str:
    """Ten levels of aliases: 10^10 times `first` in a text of some hundred characters."""
    lines = [f"x0: &x0 {first}", *(f"x{n + 1}: &x{n + 1} [{','.join([f'*x{n}'] * 10)}]" for n in range(10))]
    return "{" + ", ".join(lines) + "}"


BOMBS = {
    "as a name": lambda data: {"cluster": {**demo_data()["cluster"], "name": data}},
    "as the cluster": lambda data: {"cluster": data},
    "beside the cluster": lambda data: {**demo_data(), "other": data},
    "as a long text many times": lambda _data: {"cluster": ["x" * 100_000] * 100},
}


@pytest.mark.parametrize("place", BOMBS.values(), ids=list(BOMBS))
def test_aliases_that_multiply_are_the_only_problem_and_no_memory_is_spent_on_them(place: Any) -> None:
    data = place(parse(bomb("[x,x,x]"))["x10"])
    tracemalloc.start()
    made, problems = check(data)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made is None
    assert [(one["path"], "values" in one["problem"]) for one in problems] == [("cluster", True)]
    assert peak < 20_000_000


def test_a_value_in_a_sentence_is_never_written_whole() -> None:
    for value in (parse(bomb("[x]"))["x10"], "x" * 10**6, 16**5000, {"a": {"b": {"c": {"d": 1}}}}):
        assert len(shown(value)) <= 60


@pytest.mark.parametrize("number", [10**400, 16**5000, -(10**400)], ids=["400 digits", "more than Python writes", "below zero"])
@pytest.mark.parametrize(
    "path",
    [
        "requirement.nodes.min",
        "requirement.size.memory_mib",
        "scaling.policies.0.above",
        "services.0.resource.options.x",
        "services.0.port",
    ],
)
def test_a_number_of_very_many_digits_is_a_problem_and_no_traceback(path: str, number: int) -> None:
    data = demo_data()
    holder: Any = data["cluster"]
    *parts, last = [int(one) if one.isdigit() else one for one in path.split(".")]
    for part in parts:
        holder = holder.setdefault(part, {}) if isinstance(holder, dict) else holder[part]
    holder[last] = number
    _made, problems = check(data)
    assert path.replace(".0", "[0]") in [one["path"].removeprefix("cluster.") for one in problems]


def test_a_home_that_nobody_has_is_a_problem_and_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(_path: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    path = tmp_path / "shop.yml"
    path.write_text(json.dumps(demo_data()))
    monkeypatch.setattr(Path, "expanduser", homeless)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert [one["path"] for one in caught.value.problems] == ["cluster.access.state_dir"]


# What a field lets pass -> what the collection asks of it again when the cluster is running already.
LATER = {
    ("GroupMember", "agent"): "cib_spec.AGENT",
    ("BalancedResource", "agent"): "cib_spec.AGENT",
    ("BalancedResource", "check"): "haproxy.CHECK",
    ("Operation", "name"): "cib_spec.ID",
    ("GroupMember", "name"): "cib_spec.ID",
    ("GroupMember", "options"): "cib_spec.NAME",
}


@pytest.mark.parametrize("field", LATER, ids=" ".join)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_what_passes_here_is_not_refused_after_the_join(field: tuple[str, str], data: st.DataObject) -> None:
    from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import cib_spec, haproxy

    where, _dot, name = LATER[field].partition(".")
    later = getattr({"cib_spec": cib_spec, "haproxy": haproxy}[where], name)
    mine = schema()["$defs"][field[0]]["properties"][field[1]]
    pattern = mine.get("pattern") or mine["propertyNames"]["pattern"]
    assert later.match(data.draw(st.from_regex(pattern, fullmatch=True)))


def test_the_largest_range_is_the_collections() -> None:
    from ansible_collections.ondemand.cluster.plugins.module_utils._shared.addresses import LARGEST

    assert MOST_ADDRESSES == LARGEST


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


@pytest.mark.parametrize("value", [1.0, 2.0, float("nan"), float("inf"), True, 2**70], ids=repr)
@pytest.mark.parametrize("path", [("deadlines", "move_s"), ("requirement", "nodes", "min"), ("services", 0, "port")], ids=str)
def test_both_checks_take_the_same_numbers(path: tuple[Any, ...], value: Any) -> None:
    from ansible_collections.ondemand.cluster.plugins.action.cluster_check import check as collection_check

    whole = demo_data()
    node = whole["cluster"]
    for key in path[:-1]:
        node = node.setdefault(key, {}) if isinstance(node, dict) else node[key]
    node[path[-1]] = value
    _made, problems = check(whole)
    assert {one["path"] for one in problems} == {one["path"] for one in collection_check(whole)}


GOOD_URIS = (
    "qemu:///system",
    "qemu:///session",
    "qemu+ssh://root@hv1/system",
    "qemu+ssh://hv1.example:2222/system?keyfile=/srv/my%20key&no_tty=1",
    "qemu+ssh://[2001:db8::1]:22/system",
    "qemu+libssh://hv1/system",
    "qemu+tls://hv1/system?no_tty=1;mode=auto",
    "qemu+tcp://127.0.0.1:16509/system",
    "qemu+unix:///system",
    "test:///default",
    "test:///srv/a.xml",
)
BAD_URIS = (
    "qemu+ssh://hv1/system?command=/tmp/run",
    "qemu+ssh://hv1/system?no_tty=1&command=/tmp/run",
    "qemu+ssh://hv1/system?no_tty=1;command=/tmp/run",
    "qemu+ssh://hv1/system?Command=/tmp/run",
    "qemu+ssh://hv1/system?%63ommand=/tmp/run",
    "qemu+ssh://hv1/system?&command=/tmp/run",
    "qemu+ext:///system?command=/tmp/run",
    "qemu+ext:///system",
    "QEMU+EXT:///system",
    "qemu+ssh://hv1/system?netcat=/tmp/run",
    "qemu+ssh://hv1/system?proxy=netcat",
    "qemu+ssh://hv1/system?socket=/tmp/s",
    "qemu+unix:///system?socket=/tmp/s",
    "qemu+libssh://hv1/system?sshconfig=/tmp/c",
    "qemu+ssh://hv1/system?no_verify=1",
    "qemu+libssh2://hv1/system?known_hosts_verify=ignore",
    "qemu+libssh://hv1/system?known_hosts=/tmp/k",
    "qemu+tls://hv1/system?pkipath=/tmp",
    "qemu+tls://hv1/system?no_verify=1",
    "qemu+ssh://hv1/system?name=qemu%2Bext:///system",
    "qemu+ssh://hv1/system?keyfile=-oProxyCommand",
    "qemu+ssh://hv1/system?keyfile=/a%0ab",
    "qemu+ssh://hv1/system?keyfile=/a&keyfile=/b",
    "qemu+ssh://-oProxyCommand=x/system",
    "qemu+ssh://-lroot@hv1/system",
    "qemu+ssh://root:secret@hv1/system",
    "qemu+ssh://hv1:port/system",
    "qemu+ssh://[::1/system",
    "qemu+ssh://hv1/system#?command=x",
    "esx://hv1/",
    "prod",
    "",
)


@pytest.mark.parametrize("uri", GOOD_URIS)
def test_a_uri_that_leads_to_a_host_is_right(uri: str) -> None:
    made, problems = check({"cluster": merged(demo_data()["cluster"], {"hosts": [{"name": "hv1", "uri": uri}]})})
    assert made is not None, problems


@pytest.mark.parametrize("uri", BAD_URIS)
def test_a_uri_that_leads_elsewhere_is_refused(uri: str) -> None:
    made, problems = check({"cluster": merged(demo_data()["cluster"], {"hosts": [{"name": "hv1", "uri": uri}]})})
    assert made is None
    assert [one["path"] for one in problems] == ["cluster.hosts[0].uri"]
    assert problems[0]["should_be"]


def test_a_home_that_ssh_would_fill_in_is_refused_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/50%")
    with pytest.raises(ConfigError) as caught:
        load(DEMO)
    assert [one["path"] for one in caught.value.problems] == ["cluster.access.state_dir"]
    assert "/home/50%/.local/state/ondemand/shop" in caught.value.problems[0]["problem"]
