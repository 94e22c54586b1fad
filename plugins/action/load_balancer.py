# Copyright: (c) 2026, the ondemand.cluster contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a node's HAProxy to the balanced services and their servers: at run time where that is possible, by reload where not."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.ondemand.cluster.plugins.module_utils._contract.refusal import Refused
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster import haproxy, haproxy_runtime
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.haproxy_runtime import Slot
from ansible_collections.ondemand.cluster.plugins.plugin_utils._cluster.membership_scripts import sections
from ansible_collections.ondemand.cluster.plugins.plugin_utils._config.ports import STATS_PORT
from ansible_collections.ondemand.cluster.plugins.plugin_utils.cluster_task import RefusedTask, refuse_problems
from ansible_collections.ondemand.cluster.plugins.plugin_utils.nodes import NodeError, Nodes

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "services": {"type": "list", "elements": "dict", "required": True},
    "servers": {"type": "list", "elements": "dict", "required": True},
    "slots": {"type": "int", "default": 16},
    "stats": {
        "type": "dict",
        "required": True,
        "options": {
            "port": {"type": "int", "default": STATS_PORT},
            "user": {"type": "str", "default": "ondemand"},
            "password": {"type": "str", "required": True, "no_log": True},
        },
    },
    "drain_s": {"type": "float", "default": 0.0},
    "up_s": {"type": "float", "default": 0.0},
    "config_path": {"type": "path", "default": "/etc/haproxy/haproxy.cfg"},
    "socket_path": {"type": "path", "default": "/run/haproxy/admin.sock"},
    "lease": {"type": "str"},
    "reload_argv": {"type": "list", "elements": "str", "default": ["systemctl", "reload", "haproxy"]},
}


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a node's HAProxy is to become: the text of its file, its slots, the way there, and the picture for people."""

    text: str
    slot_of: dict[str, int]
    wanted: dict[str, Slot]
    what: str
    commands: list[str]
    running: bool
    up: set[str]
    before: str
    after: str


class ActionModule(ActionBase):
    """The action load_balancer; see the module of that name for its documentation."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Look, plan, apply, wait; the result of the task."""
        super().run(tmp, task_vars)
        _result, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        nodes = Nodes(self, task_vars or {}, args["lease"])
        self._changed = False
        try:
            args["services"] = [one for one in args["services"] if one.get("kind", "balanced") == "balanced"]
            problems = haproxy.check_balancer(args["services"], args["servers"], args["slots"], args["stats"])
            for name in ("config_path", "socket_path"):
                if not args[name].startswith("/") or any(sign.isspace() or sign in "#'\"\\$" for sign in args[name]):
                    problems.append({"path": name, "problem": "wrong", "should_be": "an absolute path without spaces and quotes"})
            if problems:
                raise refuse_problems(problems)
            return self._bring(nodes, args)
        except RefusedTask as refusal:
            return refusal.result()
        except Refused as refused:
            return {"changed": self._changed, "failed": True, **refused.refusal.result()}
        except NodeError as error:
            what = "may have been changed, and then failed" if self._changed else "was not changed"
            return {"changed": self._changed, "failed": True, "msg": "the load balancer of %s %s: %s" % (nodes.here, what, error)}

    def _bring(self, nodes: Nodes, args: dict[str, t.Any]) -> dict[str, t.Any]:
        here = nodes.here
        plan = plan_balancer(sections(nodes.script(here, haproxy_runtime.READ, [args["config_path"], args["socket_path"]]).stdout), args)
        result: dict[str, t.Any] = {
            "changed": plan.what != "nothing",
            "running": plan.running,
            "reloaded": plan.what == "reload",
            "slots": plan.slot_of,
            "busy": [],
            "diff": {"before": plan.before, "after": plan.after, "before_header": args["config_path"], "after_header": args["config_path"]},
        }
        if plan.what != "nothing":
            self._apply(nodes, args, plan)
        if plan.running and not self._task.check_mode:
            draining = [one["name"] for one in args["servers"] if one.get("state") == "drain"]
            result["busy"] = self._rest(nodes, args, plan, draining, "idle", args["drain_s"])
            ready = [one["name"] for one in args["servers"] if one.get("state", "ready") == "ready" and one.get("awaited", True)]
            down = self._rest(nodes, args, plan, ready, "up", args["up_s"])
            if down:
                told = ", ".join("%(service)s on %(server)s is %(status)s (%(check)s)" % one for one in down)
                sentence = "After %g s HAProxy on %s does not see every service up: %s. Look at the service there."
                raise RefusedTask("deadline", sentence % (args["up_s"], here, told), changed=result["changed"], down=down)
        return result

    def _apply(self, nodes: Nodes, args: dict[str, t.Any], plan: Plan) -> None:
        what = "check" if self._task.check_mode else plan.what
        argv = [args["config_path"], args["socket_path"], what, haproxy.described_frame(plan.text), *args["reload_argv"]]
        stdin = "%s%s\n%s\n" % (plan.text, haproxy_runtime.MARK, "\n".join(plan.commands))
        self._changed = what != "check"
        run = nodes.script if what == "check" else nodes.change
        try:
            done = run(nodes.here, haproxy_runtime.APPLY, argv, stdin=stdin, check=False)
        except Refused:
            self._changed = False
            raise
        self._changed = self._changed and done.rc not in haproxy_runtime.UNTOUCHED
        if done.rc == haproxy_runtime.INVALID:
            raise RefusedTask(
                "bad_input", "HAProxy refuses the configuration, nothing was changed: %s" % haproxy.without_password(done.stdout.strip())
            )
        if done.rc == haproxy_runtime.NOT_RELOADED:
            sentence = "HAProxy on %s was told to reload but still runs with its old configuration; the file is in place. Look at its log."
            raise RefusedTask("deadline", sentence % nodes.here, changed=True)
        if done.rc != 0:
            raise NodeError(nodes.here, ["haproxy"], done.rc, done.stderr or done.stdout)
        left = haproxy_runtime.plan_commands(haproxy_runtime.parse_state(done.stdout), plan.wanted) if what == "runtime" else []
        if left:
            raise NodeError(nodes.here, ["haproxy"], 1, "it did not take: %s (%s)" % ("; ".join(left), " ".join(done.stderr.split())))

    def _rest(self, nodes: Nodes, args: dict[str, t.Any], plan: Plan, names: list[str], kind: str, wait_s: float) -> list[dict[str, t.Any]]:
        """Servers that are still busy (kind idle) or not yet up (kind up) after so many seconds; none asked for: none."""
        slots = {"%s/s%d" % (one["name"], plan.slot_of[name]): (one["name"], name) for one in args["services"] for name in names}
        # Where nothing was changed, those that were up at the look are up.
        as_seen = kind == "up" and plan.what == "nothing" and plan.up >= set(slots)
        if not slots or wait_s <= 0 or as_seen:
            return []
        argv = [args["socket_path"], "%d" % max(1, wait_s), kind, *slots]
        rest = haproxy_runtime.parse_rest(nodes.change(nodes.here, haproxy_runtime.WATCH, argv, timeout_s=wait_s + 30).stdout)
        return [{"service": slots[one["slot"]][0], "server": slots[one["slot"]][1], **one} for one in rest]


def plan_balancer(seen: t.Mapping[str, tuple[int, str]], args: t.Mapping[str, t.Any]) -> Plan:
    """From what a node tells to what is to be done there. Pure."""
    services, servers = args["services"], args["servers"]
    present, told_digest = seen.get("config", (1, ""))[1], seen.get("digest", (1, ""))[1].split(" ")[0]
    # Room that is there already costs nothing; to lower it would cost a reload.
    slots = max(args["slots"], haproxy.room_in(present))
    slot_of = haproxy.assign_slots(servers, haproxy.parse_slots(present), slots)
    text = haproxy.render(services, servers, slot_of, slots, args["stats"], args["socket_path"])
    told_rc, told = seen.get("running", (1, ""))
    info = haproxy_runtime.parse_info(told) if told_rc == 0 else {}
    running = "Pid" in info
    now = haproxy_runtime.parse_state(told) if running else {}
    up = haproxy_runtime.parse_up(told) if running else set()
    wanted = haproxy_runtime.wanted_slots(services, servers, slot_of, slots)
    commands: list[str] = []
    what = "nothing" if told_digest == haproxy.digest(text) else "file"
    if running and info.get("description") != haproxy.described_frame(text):
        what = "reload"
    elif running:
        commands = haproxy_runtime.plan_commands(now, wanted)
        what = "runtime" if commands else what
    new_password = not haproxy.holds_password(present, told_digest, args["stats"]["password"])
    before, after = present, haproxy.without_password(text, new=new_password)
    if running:
        before += haproxy_runtime.slots_text(now, wanted)
        after += haproxy_runtime.slots_text(wanted, now)
    return Plan(text, slot_of, wanted, what, commands, running, up, before, after)
