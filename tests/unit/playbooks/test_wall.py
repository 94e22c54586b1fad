# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""What the real playbooks hand back goes through the driver's reader: a key that is renamed on one side of the wall fails here.

Every key that is declared is met with a value at least once, and none is handed back that is not declared.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.host.hosts_lease import Claim, domain_xml
from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt.vm.render import Machine

from ondemand import wall
from ondemand.errors import ObserveError
from ondemand.model import Observation, Outcome
from ondemand.observe.cluster import read_cluster
from ondemand.observe.facts import observation
from tests.unit.playbooks.wall_stage import ALONE, Stage, domain, record, with_lost

VOLUMES = [f"cell-n{number}{end}" for number in (1, 2) for end in (".qcow2", "-seed.iso")]


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A stage with two hosts and nothing on them."""
    return Stage(tmp_path, monkeypatch.setenv)


def two_members(stage: Stage, *more: str, away: bool = False, lost: bool = False) -> None:
    """Two members with a service that failed; what else there is on the first host."""
    stage.hosts({"hv1": [domain(1), domain(2), *more]}, VOLUMES, away)
    stage.says(1, with_lost(record(), "cell-n2") if lost else record())
    stage.says(2, record())
    stage.says(3, ALONE)


def nothing_yet(stage: Stage) -> None:
    """No VM; whoever becomes one is in no cluster."""
    stage.says(1, ALONE)


def a_surplus_vm(stage: Stage) -> None:
    """Two members, and a VM that never joined."""
    two_members(stage, domain(3))


def in_trouble(stage: Stage) -> None:
    """A host away, a node lost, a service failed, a VM half made, and somebody at work."""
    (stage.collection / "lease").write_text("token 1790000300 1790000000 admin@awx scale%20in%20to%202%20VMs")
    two_members(stage, domain(3, running=False, finished=False), away=True, lost=True)
    stage.says(
        1,
        carried("hv1", with_lost(record(), "cell-n2")).replace(
            "totem {", "# withheld, its VM may come back with its host: cell-n4 10.98.0.14\ntotem {"
        ),
    )


def carried(host: str, told: str) -> str:
    """The same, and it is written down that this host carries both nodes."""
    pair = rf'<nvpair id="h\1" name="ondemand-host" value="{host}"/>'
    return re.sub(
        r'<node id="(\d+)" uname="(\S+)"/>',
        rf'<node id="\1" uname="\2"><instance_attributes id="a\1">{pair}</instance_attributes></node>',
        told,
    )


def no_quorum(stage: Stage) -> None:
    """Two members of a cluster that has lost its quorum."""
    two_members(stage)
    for number in (1, 2):
        stage.says(number, record().replace('with_quorum="true"', 'with_quorum="false"'))


def at_work_on_the_hosts(stage: Stage) -> None:
    """Two members, one of which both hosts show, and somebody who holds the lease on the hosts."""
    claim = Claim("theirs", "anna", "create the cluster", 1790000000, 1790000300)
    lease = domain_xml(Machine("test", "i686"), "cell", claim, "00000000-0000-0000-0000-0000000000aa")
    two_members(stage)
    stage.hosts({"hv1": [domain(1), domain(2), lease], "hv2": [domain(2, running=False)]}, VOLUMES)


Setting = Callable[[Stage], None]


def busy_members(stage: Stage) -> None:
    """Two members, one of which has a session that does not end, and is cut."""
    two_members(stage)
    stage.file["cluster"]["scaling"]["scale_in"]["drain_end"] = "cut"


def one_unmanaged(stage: Stage) -> None:
    """Two members; a service on each is left to itself by somebody."""
    two_members(stage)
    unmanaged = '<meta_attributes id="d-meta"><nvpair id="d-is-managed" name="is-managed" value="false"/></meta_attributes>'
    primitive = '<primitive id="d" class="ocf" provider="pacemaker" type="Dummy"'
    for number in (1, 2):
        stage.says(number, record().replace(primitive + "/>", f"{primitive}>{unmanaged}</primitive>"))


def one_gone(stage: Stage) -> None:
    """A member whose VM is gone from every host."""
    stage.hosts({"hv1": [domain(1)]}, VOLUMES)
    stage.says(1, with_lost(record(), "cell-n2"))


def one_off(stage: Stage) -> None:
    """A member whose VM is off; started, it does not come back into the cluster."""
    stage.file["cluster"]["deadlines"]["join_s"] = 1
    stage.hosts({"hv1": [domain(1), domain(2, running=False)]}, VOLUMES)
    for number in (1, 2):
        stage.says(number, with_lost(record(), "cell-n2"))


PLAYED: dict[str, tuple[Setting, dict[str, Any]]] = {
    "prepare_host": (two_members, {}),
    "build_image": (two_members, {}),
    "create_cluster": (nothing_yet, {}),
    "scale_out": (two_members, {"wanted": 3}),
    "recover_cluster": (a_surplus_vm, {"wanted": 3}),
    "scale_in": (busy_members, {"wanted": 1, "leavers": ["cell-n2"]}),
    "move_service": (two_members, {"service": "ledger"}),
    "configure_services": (two_members, {}),
    "observe": (in_trouble, {}),
    "what_if": (two_members, {"leave": "cell-n2"}),
    "destroy_cluster": (a_surplus_vm, {"confirm": "cell"}),
}
AND_PLAYED: dict[str, list[tuple[Setting, dict[str, Any]]]] = {
    "what_if": [
        *((two_members, {one: "cell-n1"}) for one in ("standby", "lose")),
        *((one_unmanaged, {"standby": f"cell-n{number}"}) for number in (1, 2)),
        (two_members, {"move": "ledger"}),
    ],
    "observe": [(no_quorum, {}), (at_work_on_the_hosts, {})],
    "recover_cluster": [(one_off, {}), (one_gone, {"wanted": 1}), (two_members, {"wanted": 3})],
}
"""what is met in other settings only"""
# Mappings whose keys are names of the user's.
TABLES = {"answer.moves"}
# No VM that joins was deleted in the same run.
NEVER = {"vms[].timings.deleted_at"}


def declared(shape: Any, path: str = "") -> Iterator[str]:
    """Paths of all values of a shape."""
    if isinstance(shape, wall.Maybe):
        yield from declared(shape.of, path)
    elif isinstance(shape, Mapping):
        for key, inner in shape.items():
            yield from declared(inner, f"{path}.{key}" if path else key)
    elif isinstance(shape, wall.Table):
        yield from declared(shape.of, f"{path}.*")
    elif isinstance(shape, list):
        yield from declared(shape[0], f"{path}[]")
    else:
        yield path


def met(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Paths of all values that were handed back, with each value."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from met(inner, f"{path}.{'*' if path in TABLES else key}" if path else key)
    elif isinstance(value, list):
        for one in value:
            yield from met(one, f"{path}[]")
    else:
        yield path, value


def test_every_playbook_that_hands_something_back_is_declared_and_played() -> None:
    books = {path.stem for path in (Path(__file__).parents[3] / "playbooks").glob("*.yml") if "ondemand_file" in path.read_text()}
    assert books == set(wall.HANDED_BACK) == set(PLAYED)


@pytest.mark.parametrize("playbook", PLAYED)
def test_what_a_playbook_hands_back_is_what_the_driver_reads(stage: Stage, playbook: str) -> None:
    found = []
    for setting, variables in [PLAYED[playbook], *AND_PLAYED.get(playbook, [])]:
        setting(stage)
        done = stage.play(playbook, **variables)
        assert done.ok, done.because
        found += list(met(done.facts))
    right = set(declared(wall.HANDED_BACK[playbook]))
    # Of a mapping that may be null, what stands in it is declared.
    null = {path for path, value in found if value is None and any(one.startswith(f"{path}.") for one in right)}
    assert {path for path, _value in found} - right - null == set(), "handed back and not declared"
    assert right - NEVER - {path for path, value in found if value is not None} == set(), "declared and never met with a value"


class Played:
    """A runner that answers with what the collection handed back."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome

    def run(self, _playbook: str, _variables: Mapping[str, Any], _deadline_s: float) -> Outcome:
        """The outcome."""
        return self.outcome


def observed(stage: Stage) -> tuple[Observation, Outcome]:
    """What the driver sees on a stage, by the collection's own observe."""
    done = stage.play("observe", with_hosts=False)
    return read_cluster(Played(done)), done


def paths_of_keys(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where each key stands, through mappings and lists."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield (*path, key)
            yield from paths_of_keys(inner, (*path, key))
    elif isinstance(value, list):
        for i, one in enumerate(value):
            yield from paths_of_keys(one, (*path, i))


def without(value: Any, path: tuple[Any, ...]) -> Any:
    """A copy in which the last key of the path is called otherwise."""
    made = copy.deepcopy(value)
    holder = made
    for part in path[:-1]:
        holder = holder[part]
    holder["renamed"] = holder.pop(path[-1])
    return made


def words_of(path: tuple[Any, ...]) -> str:
    """A path as the driver tells it."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return f"no `{text.removeprefix('.')}`"


def test_trouble_is_seen_as_it_is_and_any_key_that_is_gone_is_told_with_its_path(stage: Stage) -> None:
    in_trouble(stage)
    seen, done = observed(stage)
    assert seen.unreachable == ("hv2",)
    assert [(one.name, one.state) for one in seen.vms] == [("cell-n1", "running"), ("cell-n2", "running"), ("cell-n3", "stopped")]
    assert seen.cluster is not None
    assert seen.members == ("cell-n1",)
    assert [one.name for one in seen.cluster.nodes] == ["cell-n1", "cell-n2"]
    assert seen.cluster.nodes[0].may_leave.reason == "last_node"
    assert "bad_one" in seen.cluster.not_started
    assert seen.cluster.failures == (("bad_one", "cell-n2"),)
    assert seen.cluster.temporary == ("cli-prefer-d",)
    assert seen.cluster.withheld == ("cell-n4",)
    keys = list(paths_of_keys(done.facts))
    assert len(keys) > 100
    for path in keys:
        with pytest.raises(ObserveError) as told:
            observation(without(done.facts, path), 1.0)
        assert words_of(path) in str(told.value)
        assert "install both of one version" in str(told.value)


def test_a_host_that_carried_a_member_and_is_not_in_the_file_any_more_was_not_asked(stage: Stage) -> None:
    one_gone(stage)
    stage.says(1, carried("hv9", with_lost(record(), "cell-n2")))
    seen, done = observed(stage)
    assert seen.unreachable == ("hv9",) and "cell-n2" in done.facts["unreachable"][0]["because"]
    told = stage.play("recover_cluster").facts
    assert told["lost"] == [] and "hv9" in told["waits"][0]["sentence"] and "confirm_dead=cell-n2" in told["waits"][0]["sentence"]
    stage.says(1, carried("hv1", with_lost(record(), "cell-n2")))
    assert observed(stage)[0].unreachable == (), "hv1 was asked, and does not have it"


def test_who_works_on_the_hosts_is_told_and_who_is_seen_on_two_counts_once(stage: Stage) -> None:
    at_work_on_the_hosts(stage)
    seen, done = observed(stage)
    lease = {"token": "theirs", "holder": "anna", "purpose": "create the cluster", "since": 1790000000, "until": 1790000300}
    assert done.facts["hosts_lease"] == lease
    assert [one.name for one in seen.vms] == ["cell-n1", "cell-n2"]
    assert len(seen.seen_twice) == 1 and "cell-n2 is one VM and was seen on hv1 and on hv2" in seen.seen_twice[0]


def test_without_a_cluster_there_is_none_and_no_guess(stage: Stage) -> None:
    stage.hosts({"hv2": [domain(1)]}, VOLUMES)
    stage.says(1, ALONE)
    seen, _done = observed(stage)
    assert (seen.cluster, seen.members, seen.unreachable) == (None, (), ())
    assert [(one.name, one.host) for one in seen.vms] == [("cell-n1", "hv2")]


def test_a_refusal_crosses_the_wall_with_its_reason(stage: Stage) -> None:
    two_members(stage, away=True)
    done = stage.play("destroy_cluster", confirm="cell")
    assert (done.ok, done.reason) == (False, "host_unreachable")
    assert "not every host answers (hv2: " in done.because
