# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""HAProxy's configuration and the commands for a running one, as values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import haproxy, haproxy_runtime
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.haproxy_runtime import Slot
from hypothesis import given
from hypothesis import strategies as st

RESOURCE = {"agent": "systemd:web", "port": 8080, "check": "/health"}
WEB: dict[str, Any] = {"name": "web", "kind": "balanced", "address": "10.0.0.5", "port": 80, "resource": RESOURCE}
API: dict[str, Any] = {
    "name": "api",
    "kind": "balanced",
    "address": "2001:db8::5",
    "port": 443,
    "resource": {"agent": "systemd:api", "port": 9000},
}
STATS = {"port": 8404, "user": "ondemand", "password": "a-secret-word"}
SOCKET = "/run/haproxy/admin.sock"
GOLDEN = Path(__file__).parent / "haproxy_golden.cfg"


def server(number: int, state: str = "ready") -> dict[str, Any]:
    return {"name": f"n{number}", "address": f"10.0.0.{10 + number}", "state": state}


def text(
    services: list[dict[str, Any]], servers: list[dict[str, Any]], present: str = "", slots: int = 3, stats: dict[str, Any] | None = None
) -> str:
    slot_of = haproxy.assign_slots(servers, haproxy.parse_slots(present), slots)
    return haproxy.render(services, servers, slot_of, slots, stats or STATS, SOCKET)


def test_the_configuration_is_the_golden_one() -> None:
    assert text([WEB, API], [server(1), server(2, "drain"), server(3, "maint")], slots=4) == GOLDEN.read_text()


def test_a_server_keeps_its_slot_while_others_come_and_go() -> None:
    first = text([WEB], [server(1), server(2)])
    assert haproxy.parse_slots(first) == {"n1": 1, "n2": 2}
    second = text([WEB], [server(2), server(3)], first)
    assert haproxy.parse_slots(second) == {"n2": 2, "n3": 3}, "a slot that was never used comes before one that was just left"
    third = text([WEB], [server(2), server(3), server(4)], second)
    assert haproxy.parse_slots(third) == {"n2": 2, "n3": 3, "n4": 1}


@given(
    present=st.dictionaries(st.sampled_from([f"n{n}" for n in range(1, 9)]), st.integers(0, 9), max_size=8),
    wanted=st.lists(st.integers(1, 8), unique=True, max_size=6),
)
def test_for_any_earlier_slots_each_server_has_one_slot_of_its_own(present: dict[str, int], wanted: list[int]) -> None:
    servers = [server(n) for n in wanted]
    slot_of = haproxy.assign_slots(servers, present, 6)
    assert sorted(slot_of) == sorted(one["name"] for one in servers)
    assert len(set(slot_of.values())) == len(servers)
    assert all(1 <= slot <= 6 for slot in slot_of.values())
    assert haproxy.assign_slots(servers, slot_of, 6) == slot_of


def test_the_room_is_read_of_a_configuration_of_ours_alone() -> None:
    one = text([WEB], [server(1)], slots=7)
    assert haproxy.room_in(one) == 7
    assert haproxy.room_in(one.replace("description ", "description mine ")) == 0
    assert haproxy.room_in("") == 0


def test_the_frame_is_the_same_whatever_the_slots_hold_and_another_for_anything_else() -> None:
    base = text([WEB], [server(1)])
    frame = haproxy.described_frame(base)
    assert frame.startswith("ondemand-")
    for servers in ([], [server(2, "drain")], [server(1), server(2), server(3, "maint")]):
        assert haproxy.described_frame(text([WEB], servers)) == frame
    others = [
        text([WEB, API], [server(1)]),
        text([{**WEB, "port": 81}], [server(1)]),
        text([{**WEB, "resource": {**WEB["resource"], "check": "/other"}}], [server(1)]),
        text([WEB], [server(1)], slots=4),
        text([WEB], [server(1)], stats={**STATS, "password": "another-word"}),
    ]
    frames = [haproxy.described_frame(one) for one in others]
    assert len({frame, *frames}) == len(others) + 1
    # Where the service listens behind the balancer stands in the slots' lines only; those are brought at run time.
    assert haproxy.described_frame("# a file of somebody else\nglobal\n    description mine\n") == ""


def test_the_password_is_not_in_what_people_see_and_a_new_one_still_shows() -> None:
    one = text([WEB], [server(1)])
    hidden, digest = haproxy.without_password(one), haproxy.digest(one)
    assert haproxy.holds_password(hidden, digest, STATS["password"])
    assert not haproxy.holds_password(hidden, digest, "another-word")
    assert STATS["password"] not in haproxy.without_password(one)
    assert haproxy.without_password(one) != haproxy.without_password(one, new=True)


GOOD = ([WEB], [server(1)], 3, STATS)
HOSTILE = ["", "a b", "a\nb", "a'", 'a"', "a#b", "a\\b", "$(a)", "ä", None, 7]


def problems(**change: Any) -> list[str]:
    services, servers, slots, stats = GOOD
    given_ = {"services": services, "servers": servers, "slots": slots, "stats": stats, **change}
    return [one["path"] for one in haproxy.check_balancer(given_["services"], given_["servers"], given_["slots"], given_["stats"])]


@pytest.mark.parametrize("value", HOSTILE, ids=repr)
def test_a_value_that_the_file_cannot_hold_is_refused(value: Any) -> None:
    assert problems(services=[{**WEB, "name": value}]) == ["services[0].name"]
    assert problems(services=[{**WEB, "address": value}]) == ["services[0].address"]
    assert problems(servers=[{**server(1), "name": value}]) == ["servers[0].name"]
    assert problems(servers=[{**server(1), "address": value}]) == ["servers[0].address"]
    assert problems(servers=[{**server(1), "state": value}]) == ["servers[0].state"]
    assert problems(stats={**STATS, "user": value}) == ["stats.user"]
    assert problems(stats={**STATS, "password": value}) == ["stats.password"]
    if value is not None:
        assert problems(services=[{**WEB, "resource": {**WEB["resource"], "check": value}}]) == ["services[0].resource.check"]


@pytest.mark.parametrize("port", [0, 65536, -1, "80", 80.0, True, None])
def test_a_port_that_is_none_is_refused(port: Any) -> None:
    assert problems(services=[{**WEB, "port": port}]) == ["services[0].port"]
    assert problems(services=[{**WEB, "resource": {"port": port}}]) == ["services[0].resource.port"]
    assert problems(stats={**STATS, "port": port}) == ["stats.port"]


def test_all_problems_are_told_at_once_and_never_the_password() -> None:
    found = haproxy.check_balancer([{**WEB, "port": 0}, "x"], [server(1), server(1), server(2), server(3)], 3, {"password": "hidden word"})
    assert [one["path"] for one in found] == [
        "services[0].port",
        "services[1]",
        "servers",
        "servers",
        "stats.port",
        "stats.user",
        "stats.password",
    ]
    assert "hidden word" not in repr(found)
    assert problems(slots=0) == ["slots"]
    assert problems() == []


STATE = """1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port
4 web 1 s1 10.0.0.11 2 0 100 100 9 15 3 4 6 0 0 0 - 8080 - 0 0 - - 0
4 web 2 s2 10.0.0.12 2 8 100 100 9 15 3 4 6 0 0 0 - 8080 - 0 0 - - 0
4 web 3 s3 10.0.0.13 2 0 0 0 9 15 3 4 6 0 0 0 - 8080 - 0 0 - - 0
4 web 4 s4 127.0.0.1 0 5 100 100 9 1 0 0 14 0 0 0 - 8080 - 0 0 - - 0
5 api 1 s1 2001:db8::9 2 0 100 100 9 15 3 4 6 0 0 0 - 9000 - 0 0 - - 0
"""  # noqa: E501


def test_the_state_of_a_running_haproxy_is_read() -> None:
    assert haproxy_runtime.parse_state(STATE) == {
        "web/s1": Slot("10.0.0.11:8080", "ready"),
        "web/s2": Slot("10.0.0.12:8080", "drain"),
        "web/s3": Slot("10.0.0.13:8080", "drain"),
        "web/s4": Slot("127.0.0.1:8080", "maint"),
        "api/s1": Slot("[2001:db8::9]:9000", "ready"),
    }
    assert haproxy_runtime.parse_state("") == {}
    assert haproxy_runtime.parse_info("Name: HAProxy\nPid: 7\ndescription: ondemand-1\n")["Pid"] == "7"
    assert haproxy_runtime.parse_info("socat[1] E connect: No such file or directory") == {
        "socat[1] E connect": "No such file or directory"
    }


COMMANDS = [
    ("nothing differs", Slot("10.0.0.11:8080", "ready"), Slot("10.0.0.11:8080", "ready"), None),
    ("a free slot's endpoint does not matter", Slot("10.0.0.11:8080", "maint"), Slot("", "maint"), None),
    (
        "a newcomer is down until its first good check",
        Slot("127.0.0.1:8080", "maint"),
        Slot("10.0.0.11:8080", "ready"),
        "state maint; addr 10.0.0.11 port 8080; weight 100; state ready; health down",
    ),
    ("back from maintenance", Slot("10.0.0.11:8080", "maint"), Slot("10.0.0.11:8080", "ready"), "weight 100; state ready; health down"),
    ("back from draining it stays up", Slot("10.0.0.11:8080", "drain"), Slot("10.0.0.11:8080", "ready"), "weight 100; state ready"),
    ("draining", Slot("10.0.0.11:8080", "ready"), Slot("10.0.0.11:8080", "drain"), "state drain"),
    ("leaving", Slot("10.0.0.11:8080", "drain"), Slot("", "maint"), "state maint"),
    (
        "another address for the same slot",
        Slot("10.0.0.11:8080", "ready"),
        Slot("[2001:db8::9]:9000", "drain"),
        "state maint; addr 2001:db8::9 port 9000; state drain; health down",
    ),
]


@pytest.mark.parametrize("now, wanted, commands", [case[1:] for case in COMMANDS], ids=[case[0] for case in COMMANDS])
def test_commands_bring_a_slot_to_what_is_wanted(now: Slot, wanted: Slot, commands: str | None) -> None:
    expected = [] if commands is None else ["; ".join("set server web/s1 " + one for one in commands.split("; "))]
    assert haproxy_runtime.plan_commands({"web/s1": now}, {"web/s1": wanted}) == expected


def test_every_slot_of_every_service_is_wanted() -> None:
    wanted = haproxy_runtime.wanted_slots([WEB, API], [server(1), server(2, "drain")], {"n1": 2, "n2": 1}, 3)
    assert wanted == {
        "web/s1": Slot("10.0.0.12:8080", "drain"),
        "web/s2": Slot("10.0.0.11:8080", "ready"),
        "web/s3": Slot("", "maint"),
        "api/s1": Slot("10.0.0.12:9000", "drain"),
        "api/s2": Slot("10.0.0.11:9000", "ready"),
        "api/s3": Slot("", "maint"),
    }


def test_what_is_still_busy_is_read() -> None:
    rest = haproxy_runtime.parse_rest("web/s1\t3\tDRAIN\tL7OK\nweb/s2\t0\tDOWN\t1/2\tL4CON\n\n")
    assert rest == [
        {"slot": "web/s1", "sessions": 3, "status": "DRAIN", "check": "L7OK"},
        {"slot": "web/s2", "sessions": 0, "status": "DOWN 1/2", "check": "L4CON"},
    ]


def test_who_has_the_sessions_is_read() -> None:
    clients = "".join(f"client\tweb/s1\t192.0.2.{number}\n" for number in range(1, 15))
    rest = haproxy_runtime.parse_rest(f"web/s1\t30\tDRAIN\tL7OK\nweb/s2\t1\tDRAIN\tL7OK\n{clients}client\tapi/s1\t192.0.2.99\n")
    assert rest[0]["clients"] == [f"192.0.2.{number}" for number in range(1, 11)], "ten are enough"
    assert "clients" not in rest[1]


@pytest.mark.parametrize("cut", [60, 75, 90, 110])
def test_an_answer_that_was_cut_off_tells_of_no_server(cut: int) -> None:
    heading = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_port\n"
    line = "3 web 1 s1 10.0.0.11 2 0 100 100 8080\n"
    assert haproxy_runtime.parse_state(heading + line) == {"web/s1": Slot("10.0.0.11:8080", "ready")}
    assert haproxy_runtime.parse_state((heading + line)[:cut]) == {}
    odd = heading + line.replace("8080", "-").replace(" 0 ", " x ")
    assert haproxy_runtime.parse_state(odd) == {} and haproxy_runtime.parse_up(odd) == set()
    assert haproxy_runtime.parse_rest("web/s1\tmany\tDRAIN\tL7OK\n") == []
