# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The checkout keeps the rules of the house, and each rule sees the fault that it is there for."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests import fact_rules, playbook_rules, shape_rules
from tests.shape_rules import BINARY, RULES, Rule, Tree

EVERY_RULE = RULES + playbook_rules.RULES + fact_rules.RULES
GPL = "# SPDX-License-Identifier: GPL-3.0-or-later\n"
GPL_MODULE = GPL + "# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or somewhere else)\n"


@pytest.fixture(scope="session")
def tree(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """Every file of the checkout that git tracks or would track."""
    copy = tmp_path_factory.mktemp("checkout")
    subprocess.run([checkout / "script/export", copy], check=True, timeout=60)
    paths = [path for path in sorted(copy.rglob("*")) if path.is_file()]
    names = {str(path.relative_to(copy)): path for path in paths}
    return Tree({name: "" if BINARY.search(name) else path.read_text(encoding="utf-8") for name, path in names.items()})


@pytest.mark.parametrize("rule", EVERY_RULE, ids=lambda rule: rule.__name__)
def test_the_checkout_keeps(rule: Rule, tree: Tree) -> None:
    problems = rule(tree)
    assert not problems, "\n".join([rule.__doc__ or "", *problems])


# What is planted -> the rule that must name its path. A fault's name is the sentence it breaks.
HOME = {
    f"{shape_rules.CLUSTER}/marks.py": "MOVE = 'ondemand-move-'\n",
    f"{shape_rules.CONFIG}/ports.py": "STATS_PORT = 8404\n",
    f"{shape_rules.CONTRACT}/refusal.py": "class Reason:\n    A = 'quorum'\n    B = 'minimum'\n    C = 'unclean'\n",
}
DEFAULTS = {fact_rules.DEFAULTS: "POOL = 'ondemand'\nDEADLINES: Dict[str, Any] = {'boot_s': 300}\n"}
TABLE = playbook_rules.why_not_a_table_of_contents
ONE_FACT = playbook_rules.why_not_one_fact
FAULTS: dict[str, tuple[Rule, dict[str, str]]] = {
    "libvirt has one door in the collection": (
        shape_rules.why_not_one_door,
        {"plugins/modules/vm.py": "def f():\n    import libvirt\n"},
    ),
    "libvirt has one door in the driver": (
        shape_rules.why_not_one_door,
        {"driver/src/ondemand/observe/load.py": "from libvirt import open\n"},
    ),
    "ansible-runner has one door": (
        shape_rules.why_not_one_door,
        {"driver/src/ondemand/act/runner.py": "import ansible_runner.interface\n"},
    ),
    "the database has one door": (shape_rules.why_not_one_door, {"driver/src/ondemand/cli.py": "import sqlite3\n"}),
    "the collection starts no processes of its own": (
        shape_rules.why_not_one_door,
        {"plugins/module_utils/_libvirt/vm/seed.py": "import subprocess\n"},
    ),
    "commands on nodes have one door": (
        shape_rules.why_not_one_way_to_nodes,
        {"plugins/action/cluster_info.py": "self._low_level_execute_command('id')\n"},
    ),
    "an action runs its own module only": (
        shape_rules.why_not_one_way_to_nodes,
        {"plugins/action/hosts_lease.py": 'self._execute_module(module_name="ondemand.cluster.vm")\n'},
    ),
    "plan opens no file": (shape_rules.why_not_pure, {"driver/src/ondemand/plan/grow.py": "x = open('a')\n"}),
    "decide has no clock": (shape_rules.why_not_pure, {"driver/src/ondemand/decide/threshold.py": "from time import monotonic\n"}),
    "plan writes no log": (shape_rules.why_not_pure, {"driver/src/ondemand/plan/grow.py": "import logging\n"}),
    "plan doesn't act": (shape_rules.why_not_pure, {"driver/src/ondemand/plan/grow.py": "from ..act import runner\n"}),
    "decide doesn't plan": (shape_rules.why_not_floors, {"driver/src/ondemand/decide/x.py": "from ondemand.plan.steps import a\n"}),
    "record doesn't decide": (shape_rules.why_not_floors, {"driver/src/ondemand/record/x.py": "from ..decide.threshold import a\n"}),
    "decide doesn't observe": (shape_rules.why_not_pure, {"driver/src/ondemand/decide/x.py": "from ondemand.observe import load\n"}),
    "plugins don't import the driver": (
        shape_rules.why_not_walled,
        {"plugins/action/cluster_check.py": "from ondemand.config import model\n"},
    ),
    "plugins don't import the lab": (shape_rules.why_not_walled, {"plugins/module_utils/a.py": "import lab.testbed.cells\n"}),
    "the driver doesn't import the collection": (
        shape_rules.why_not_walled,
        {"driver/src/ondemand/plan/x.py": "import ansible_collections.ondemand.cluster.plugins.module_utils.a\n"},
    ),
    "a mark has one home": (shape_rules.why_not_one_home, {**HOME, "plugins/plugin_utils/_cluster/a.py": "ID = 'ondemand-move-' + name\n"}),
    "a port has one home": (shape_rules.why_not_one_home, {**HOME, "driver/src/ondemand/observe/a.py": "def f(port=8404): ...\n"}),
    "reasons have one home": (
        shape_rules.why_not_one_home,
        {**HOME, "driver/src/ondemand/a.py": "class R:\n    A = 'quorum'\n    B = 'minimum'\n    C = 'unclean'\n"},
    ),
    "a field of the driver has no default of its own": (
        fact_rules.why_not_one_default,
        {**DEFAULTS, "driver/src/ondemand/config/model.py": "class Deadlines:\n    boot_s: float = 301\n"},
    ),
    "code gives no default where the file says nothing": (
        fact_rules.why_not_one_default,
        {**DEFAULTS, "plugins/action/a.py": "wait = file['deadlines'].get('boot_s', 300)\n"},
    ),
    "a mapping gives no default": (
        fact_rules.why_not_one_default,
        {**DEFAULTS, "plugins/filter/a.py": "full = {'pool': 'ondemand', **host}\n"},
    ),
    "code gives no default by `or`": (
        fact_rules.why_not_one_default,
        {**DEFAULTS, "plugins/action/a.py": "pool = host.get('pool') or 'ondemand'\n"},
    ),
    "an option has no default of its own": (
        fact_rules.why_not_one_default,
        {**DEFAULTS, "plugins/modules/a.py": "spec = {'pool': {'type': 'str', 'default': 'ondemand'}}\n"},
    ),
    "an option has none in `dict` either": (
        fact_rules.why_not_one_default,
        {**DEFAULTS, "plugins/modules/a.py": "spec = dict(pool={'default': 'ondemand'})\n"},
    ),
    "a constant is no second default": (fact_rules.why_not_one_default, {**DEFAULTS, "plugins/action/a.py": "BOOT_S = 300\n"}),
    "Jinja gives no default": (
        fact_rules.why_not_one_default,
        {**DEFAULTS, "playbooks/tasks/a.yml": '- vars: {wait: "{{ ondemand_file.deadlines.boot_s | default(300) }}"}\n'},
    ),
    "a VM is named in one place": (fact_rules.why_not_one_name, {"plugins/plugin_utils/a.py": "name = f'{cluster}-n{number}'\n"}),
    "a VM's name is taken apart in one place": (
        fact_rules.why_not_one_name,
        {"driver/src/ondemand/a.py": "number = name.rpartition('-n')[2]\n"},
    ),
    "a MAC is made in one place": (fact_rules.why_not_one_name, {"plugins/filter/a.py": "mac = '52:54:00:' + digest\n"}),
    "a volume is named in one place": (fact_rules.why_not_one_name, {"plugins/module_utils/_libvirt/a.py": "seed = vm + '-seed.iso'\n"}),
    "Jinja names no VM": (fact_rules.why_not_one_name, {"playbooks/a.yml": "- vars: {vm: \"{{ file.name ~ '-n' ~ number }}\"}\n"}),
    "the driver does not judge the cluster": (
        fact_rules.why_not_one_verdict,
        {"driver/src/ondemand/plan/a.py": "if any(one.unclean for one in nodes):\n    found = Refusal(Reason.UNCLEAN, 'no')\n"},
    ),
    "a table of rules has one home": (fact_rules.why_not_one_verdict, {"plugins/plugin_utils/a.py": "RULES = (('quorum', f),)\n"}),
    "a refusal by keyword is one": (fact_rules.why_not_one_verdict, {"plugins/action/a.py": "Refusal(reason='quorum', sentence='no')\n"}),
    "a refusal as data is one": (
        fact_rules.why_not_one_verdict,
        {"plugins/filter/a.py": "found = [{'reason': 'unclean', 'sentence': 'no'}]\n"},
    ),
    "a playbook's account does not judge who may leave": (
        fact_rules.why_not_one_verdict,
        {"plugins/plugin_utils/run_shrinkage.py": "refused = [_refusal('last_node', 'no')]\n"},
    ),
    "a file of 401 lines is too long": (shape_rules.why_not_short, {"lab/long.py": "x = 1\n" * 401}),
    "a file says its licence": (shape_rules.why_not_licensed, {"roles/image/tasks/main.yml": "---\n"}),
    "what only the controller needs is below plugin_utils": (
        shape_rules.why_not_for_modules,
        {
            "plugins/modules/vm.py": "from ansible_collections.ondemand.cluster.plugins.module_utils._libvirt import names\n",
            "plugins/module_utils/_libvirt/names.py": "from . import shared\n",
            "plugins/module_utils/_libvirt/shared.py": "",
            "plugins/module_utils/a.py": "",
        },
    ),
    "a decision takes nothing of the collection that reads files": (
        shape_rules.why_not_pure,
        {"driver/src/ondemand/plan/x.py": "from ondemand._collection.plugin_utils._cluster import node_scripts\n"},
    ),
    "module_utils are BSD": (shape_rules.why_not_licensed, {"plugins/module_utils/a.py": GPL}),
    "a module has the line that ansible-test wants": (shape_rules.why_not_licensed, {"plugins/modules/vm.py": GPL}),
    "a module has a test": (shape_rules.why_not_tested, {"plugins/modules/vm.py": GPL_MODULE, "tests/cluster/test_x.py": "vm"}),
    "an action plugin has a test": (
        shape_rules.why_not_tested,
        {"plugins/modules/cluster_node.py": "", "plugins/action/cluster_node.py": "", "tests/cluster/test_x.py": "cluster_node"},
    ),
    "a module is in a group": (shape_rules.why_not_grouped, {"meta/runtime.yml": "action_groups: {}", "plugins/modules/vm.py": ""}),
    "a group names no module that isn't there": (shape_rules.why_not_grouped, {"meta/runtime.yml": "action_groups: {libvirt: [vm]}"}),
    "a module is in one group only": (
        shape_rules.why_not_grouped,
        {"meta/runtime.yml": "action_groups: {a: [vm], b: [vm]}", "plugins/modules/vm.py": ""},
    ),
    "ssh checks host keys": (shape_rules.why_not_strict_ssh, {"lab/a.py": "'-oStrictHostKey" + "Checking=no'"}),
    "ssh trusts no first key": (shape_rules.why_not_strict_ssh, {"lab/a.py": "'-o', 'StrictHostKey" + "Checking=accept-new'"}),
    "ssh keeps the keys it knows": (shape_rules.why_not_strict_ssh, {"lab/a.py": "'UserKnownHosts" + "File=/dev/null'"}),
    "Ansible checks host keys": (shape_rules.why_not_strict_ssh, {"ansible.cfg": "host_key_" + "checking = False\n"}),
    "no path of one machine": (shape_rules.why_not_portable, {"docs/a.md": "see /ho" + "me/jo/x\n"}),
    "no skipped test": (shape_rules.why_not_finished, {"tests/unit/test_a.py": "@pytest.mark.sk" + "ip\n"}),
    "no test that can't fail": (shape_rules.why_not_finished, {"tests/unit/test_a.py": "assert Tr" + "ue\n"}),
    "a page links to what is there": (shape_rules.why_not_linked, {"docs/a.md": "[x](../docs/b.md)", "docs/c.md": "[y](a.md#x)"}),
    "Jinja takes no branch": (TABLE, {"playbooks/a.yml": "- name: '{{ 1 if b else 2 }}'\n"}),
    "Jinja compares no values": (TABLE, {"playbooks/tasks/a.yml": "- when: a in b\n"}),
    "Jinja knows no word of a result": (TABLE, {"playbooks/tasks/a.yml": "- failed_when: [a.reason != 'held']\n"}),
    "Jinja picks no members": (TABLE, {"playbooks/a.yml": "- vars: {a: \"{{ b | selectattr('online') }}\"}\n"}),
    "Jinja adds nothing up": (TABLE, {"playbooks/a.yml": "- loop: '{{ a + b }}'\n"}),
    "Jinja cuts nothing off": (TABLE, {"playbooks/vars/a.yml": "a: '{{ b[:2] }}'\n"}),
    "a role's plan is Python's": (TABLE, {"roles/image/vars/main.yml": "a: '{{ b | ternary(c, d) }}'\n"}),
    "no task gathers facts of its own": (ONE_FACT, {"playbooks/tasks/a.yml": "- block: [{ansible.builtin.set_fact: {a: 1}}]\n"}),
    "who makes a fact makes no other": (ONE_FACT, {"roles/image/tasks/publish.yml": "- set_fact: {image_published: {}, image_vm: 1}\n"}),
    "no role gathers facts of its own": (ONE_FACT, {"roles/service/tasks/main.yml": "- set_fact: {a: 1}\n"}),
    "no note to do it later": (shape_rules.why_not_finished, {"lab/a.py": "# TO" + "DO more\n"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_seen(fault: str) -> None:
    rule, files = FAULTS[fault]
    problems = rule(Tree(files))
    assert len(problems) >= 1
    assert any(problem.split(":")[0].split(" ")[0] in files for problem in problems), problems


def test_every_rule_has_a_planted_fault() -> None:
    assert {rule for rule, _ in FAULTS.values()} == {*EVERY_RULE}


ALLOWED: dict[str, tuple[Rule, dict[str, str]]] = {
    "the doors import what they are for": (
        shape_rules.why_not_one_door,
        {"plugins/module_utils/_libvirt/connection.py": "import libvirt\n", "lab/testbed/hypervisors/up.py": "import libvirt\n"},
    ),
    "a reason may be used": (
        shape_rules.why_not_one_home,
        {**HOME, "plugins/action/a.py": "Refusal('quorum', 'no'), Refusal('minimum', 'no')\n"},
    ),
    "decide imports the model": (
        shape_rules.why_not_pure,
        {"driver/src/ondemand/decide/a.py": "import math\nfrom ..model import Signal\nfrom . import b\nfrom ondemand import model\n"},
    ),
    "ssh may get the pinned key by a command": (
        shape_rules.why_not_strict_ssh,
        {"plugins/a.py": "['UserKnownHosts" + "File=/dev/null', 'KnownHostsCommand=/bin/echo KEY']"},
    ),
    "a page may link to a folder, to a heading and outside": (
        shape_rules.why_not_linked,
        {"docs/a.md": "[x](../roles) [y](#z) [z](https://example.org/a) [q](../roles/r/README.md#s)", "roles/r/README.md": ""},
    ),
    "a playbook may ask whether there is any": (
        TABLE,
        {
            "playbooks/a.yml": "- {when: [a | length > 0, \"b == ''\"], vars: {c: \"{{ d | default([], true) }}\", e: '{{ f is file and not g }}'}}\n"
        },
    ),
    "the run has its fact": (
        ONE_FACT,
        {"playbooks/tasks/keep.yml": "- ansible.builtin.set_fact: {ondemand_run: '{{ a | ondemand.cluster.after(b) }}'}\n"},
    ),
    "a default may be read, and what is missing be nothing": (
        fact_rules.why_not_one_default,
        {
            **DEFAULTS,
            "plugins/action/a.py": "a = {**defaults.DEADLINES, **file}['boot_s'], file.get('boot_s'), file.get('pool', '')\n",
            "playbooks/a.yml": "- vars: {wait: '{{ boot_s | default(omit) }}'}\n",
        },
    ),
    "names may be told of": (
        fact_rules.why_not_one_name,
        {
            "plugins/filter/a.py": "def f():\n    \"\"\"shop-n1 is a line.\"\"\"\n    return ['ip', '-n', space], 'sort -n', names.seed_of(vm)\n"
        },
    ),
    "a verdict may be passed on": (
        fact_rules.why_not_one_verdict,
        {
            "driver/src/ondemand/plan/a.py": "Refusal(_reason(verdict), 'no'), Refusal(Reason.UNSTABLE, 'no'), ('unclean', True), ('minimum', 'maximum')\n"
        },
    ),
    "REUSE.toml speaks for files without comments": (
        shape_rules.why_not_licensed,
        {"REUSE.toml": GPL + '[[annotations]]\npath = ["**.json"]\n', "plugins/plugin_utils/cluster_schema.json": "{}"},
    ),
    "an action plugin has its test where modules have theirs": (
        shape_rules.why_not_tested,
        {
            "plugins/modules/cluster_node.py": "",
            "plugins/action/cluster_node.py": "",
            "tests/unit/plugins/modules/test_cluster_node.py": "",
        },
    ),
}


@pytest.mark.parametrize("case", ALLOWED)
def test_what_is_right_is_let_through(case: str) -> None:
    rule, files = ALLOWED[case]
    assert rule(Tree(files)) == []
