# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The rules of the house that a program can check, as pure functions over a tree of files.

Every rule takes a Tree and returns the problems it sees, one sentence each, beginning with the path. test_shape.py holds the
checkout against them, and holds each of them against a planted fault.
"""

from __future__ import annotations

import ast
import fnmatch
import posixpath
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import yaml

MOST_LINES = 400

# Outside thing -> the only files that may import it. A pattern may name a folder's files.
DOORS: dict[str, tuple[str, ...]] = {
    "libvirt": ("plugins/module_utils/_libvirt/connection.py", "driver/src/ondemand/observe/libvirt_door.py", "lab/*", "tests/*"),
    "ansible_runner": ("driver/src/ondemand/act/child.py", "tests/*"),
    "subprocess": ("driver/src/ondemand/act/*", "lab/*", "tests/*"),
    "sqlite3": ("driver/src/ondemand/record/journal.py", "lab/*", "tests/*"),
}

# What decide/ and plan/ may import: values and arithmetic. No clock, no file, no process, no log.
PURE_ROOMS = ("driver/src/ondemand/decide/*", "driver/src/ondemand/plan/*", "driver/src/ondemand/memory", "driver/src/ondemand/members")
PURE_STDLIB = frozenset(
    {
        "__future__",
        "abc",
        "collections",
        "dataclasses",
        "enum",
        "fractions",
        "functools",
        "heapq",
        "itertools",
        "math",
        "operator",
        "re",
        "statistics",
        "types",
        "typing",
    }
)
# What of the collection decides nothing but by its arguments, and touches nothing.
PURE_CLUSTER = tuple(f"_collection.plugin_utils._cluster.{one}" for one in ("marks", "emptiest"))
SHARED = ("_collection.module_utils._contract", "_collection.plugin_utils._config", *PURE_CLUSTER)
PURE_OWN = tuple(f"ondemand.{one}" for one in (*SHARED, "model", "memory", "members", "config", "decide", "plan", "errors"))

# The driver's floors: values flow from one to the next, and none knows another.
FLOORS = ("decide", "plan", "act", "observe", "record")

# Modules outside the action groups, with the reason.
UNGROUPED = {
    "cluster_check": "talks to nothing: it has neither a host's address nor members to share",
    "image_plan": "talks to nothing: it only looks at files of the controller",
    "refuse": "talks to nothing: it only ends a play with a refusal",
}

# What both sides of the wall need; driver/src/ondemand/_collection has links to them. Modules need the first one too.
CONTRACT = "plugins/module_utils/_contract"
CONFIG = "plugins/plugin_utils/_config"
CLUSTER = "plugins/plugin_utils/_cluster"
MARKS, PORTS, REASONS = f"{CLUSTER}/marks.py", f"{CONFIG}/ports.py", f"{CONTRACT}/refusal.py"

IMPURE_CALLS = frozenset({"open", "print", "input", "exec", "eval", "__import__"})

# The calls by which Ansible's plugins reach a node, and the only file that makes them.
NODE_CALLS = re.compile(r"\b(_low_level_execute_command|_execute_module|\w*connection\.exec_command)\(")
NODE_DOOR = "plugins/plugin_utils/nodes.py"

# Written in halves, so that this file doesn't find itself.
LOOSE_SSH = re.compile(
    r"StrictHostKeyChecking[= ]+(no|off|accept-new)\b|UserKnownHostsFile[= ]+/dev/null|host_key_"
    + r"checking\s*[:=]\s*['\"]?(false|no|0)\b",
    re.IGNORECASE,
)
LOCAL_PATHS = re.compile(r"(?<![\w./-])/(work/|farm/|home/[a-z]+/|Users/|root/\.pyenv|tmp/o" + r"d/)")
UNFINISHED = re.compile(r"pytest\.mark\.(skip|xfail)\b|\bassert Tr" + r"ue\b|\bTO" + r"DO\b|\bFIX" + r"ME\b")
LINK = re.compile(r"\]\((?![a-z]+:|#)([^)#\s]+)")
BINARY = re.compile(r"\.(png|jpg|gif|ico|gz|xz|qcow2|iso|db)$")
# Texts whose wording belongs to others.
FOREIGN = ("LICENSE", "LICENSES/*")


@dataclass(frozen=True)
class Tree:
    """Files of a checkout: path from its root -> text. Binary files have the empty text."""

    files: dict[str, str] = field(default_factory=dict)

    @cached_property
    def python(self) -> dict[str, ast.Module]:
        """Path -> syntax tree of every Python file."""
        return {path: ast.parse(text, path) for path, text in self.files.items() if path.endswith(".py")}

    def under(self, *patterns: str) -> Iterator[str]:
        """The paths that match any of the patterns; `*` also crosses folders."""
        return (path for path in self.files if any(fnmatch.fnmatch(path, pattern) for pattern in patterns))


Rule = Callable[[Tree], list[str]]


def imports_of(module: ast.Module, path: str) -> Iterator[str]:
    """Dotted names that a file imports, also inside functions; relative ones made absolute below the driver's package."""
    room = path.removeprefix("driver/src/").rsplit("/", 1)[0].split("/")
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(room[: len(room) - node.level + 1]) if node.level else ""
            name = ".".join(part for part in (base, node.module) if part)
            yield name
            yield from (f"{name}.{alias.name}" for alias in node.names)


def is_or_below(name: str, package: str) -> bool:
    """Whether a dotted name is the package or something in it."""
    return name == package or name.startswith(package + ".")


def why_not_one_door(tree: Tree) -> list[str]:
    """Only the files of DOORS import the outside thing."""
    return [
        f"{path} imports {thing}; only {', '.join(doors)} may"
        for thing, doors in DOORS.items()
        for path, module in tree.python.items()
        if any(is_or_below(name, thing) for name in imports_of(module, path)) and not any(fnmatch.fnmatch(path, door) for door in doors)
    ]


def why_not_pure(tree: Tree) -> list[str]:
    """decide/ and plan/ import nothing but values: the model, the configuration, pure modules of the standard library."""
    problems = []
    for path in tree.under(*(f"{room}.py" for room in PURE_ROOMS)):
        for name in imports_of(tree.python[path], path):
            own = any(is_or_below(name, package) or is_or_below(package, name) for package in PURE_OWN)
            if not own and name.split(".")[0] not in PURE_STDLIB:
                problems.append(f"{path} imports {name}; decide and plan take values in and give values out, pass it as an argument")
        for node in ast.walk(tree.python[path]):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IMPURE_CALLS:
                problems.append(f"{path}:{node.lineno} calls {node.func.id}(); decide and plan touch nothing outside")
    return problems


def why_not_floors(tree: Tree) -> list[str]:
    """decide, plan, act, observe and record import nothing of each other."""
    return [
        f"{path} imports {name}; floors know nothing of each other: what two of them need is a value of the driver's own (model, memory, members)"
        for floor in FLOORS
        for path in tree.under(f"driver/src/ondemand/{floor}/*")
        if path.endswith(".py")
        for name in imports_of(tree.python[path], path)
        if any(is_or_below(name, f"ondemand.{other}") for other in FLOORS if other != floor)
    ]


def why_not_one_way_to_nodes(tree: Tree) -> list[str]:
    """Only NODE_DOOR runs commands on nodes. An action may run the module of its own name, which works where the task does."""

    def without_own_module(path: str) -> str:
        own = f'_execute_module(module_name="ondemand.cluster.{posixpath.basename(path)[:-3]}"'
        return tree.files[path].replace(own, "")

    files = {path: without_own_module(path) for path in tree.under("plugins/*.py")}
    problems = lines_matching(Tree(files), NODE_CALLS, f"only {NODE_DOOR} does that")
    return [problem for problem in problems if not problem.startswith(NODE_DOOR + ":")]


def why_not_walled(tree: Tree) -> list[str]:
    """The collection imports neither driver nor lab, the driver neither lab nor collection: only data crosses."""
    walls = {
        "plugins/*": ("ondemand", "lab", "tests"),
        "driver/src/*": ("ansible_collections", "ansible", "lab", "tests"),
    }
    return [
        f"{path} imports {name}; only data crosses this wall"
        for pattern, forbidden in walls.items()
        for path in tree.under(pattern)
        if path.endswith(".py")
        for name in imports_of(tree.python[path], path)
        if any(is_or_below(name, package) for package in forbidden)
    ]


def why_not_short(tree: Tree) -> list[str]:
    """No Python file is longer than MOST_LINES: then it asks to be two."""
    return [
        f"{path} has {lines} lines, {MOST_LINES} is the most; split it"
        for path in tree.python
        if (lines := tree.files[path].count("\n")) > MOST_LINES
    ]


def why_not_for_modules(tree: Tree) -> list[str]:
    """module_utils hold what modules need, wherever those run; what only the controller needs is below plugin_utils."""
    needed: set[str] = set()
    found = list(tree.under("plugins/modules/*.py"))
    while found:
        path = found.pop()
        needed.add(path)
        found += [one for one in _own_files(tree, path) if one not in needed]
    return [
        f"{path} is imported by no module; it belongs below plugins/plugin_utils"
        for path in tree.under("plugins/module_utils/*.py")
        if path not in needed and not path.endswith("/__init__.py")
    ]


def _own_files(tree: Tree, path: str) -> Iterator[str]:
    """The files of the collection that a file imports."""
    room = path.rsplit("/", 1)[0].split("/")
    for node in ast.walk(tree.python[path]):
        if not isinstance(node, ast.ImportFrom):
            continue
        own = (node.module or "").removeprefix("ansible_collections.ondemand.cluster.").replace(".", "/")
        base = "/".join([*room[: len(room) - node.level + 1], *([own] if own else [])]) if node.level else own
        yield from (one for one in (base + ".py", *(f"{base}/{alias.name}.py" for alias in node.names)) if one in tree.files)


def licence_of(path: str) -> str:
    """The SPDX identifier a file must carry: helpers that modules ship to nodes are BSD, all else GPL."""
    return "BSD-2-Clause" if path.startswith("plugins/module_utils/") else "GPL-3.0-or-later"


def why_not_licensed(tree: Tree) -> list[str]:
    """Every file says its licence in its first lines, or REUSE.toml does for it."""
    annotated: list[str] = []
    if "REUSE.toml" in tree.files:
        annotated = [pattern for entry in tomllib.loads(tree.files["REUSE.toml"])["annotations"] for pattern in entry["path"]]
    problems = []
    for path, text in tree.files.items():
        if any(fnmatch.fnmatch(path, pattern) for pattern in (*annotated, *FOREIGN, "*/__init__.py")) and "SPDX-" not in text:
            continue
        head = "\n".join(text.splitlines()[:6])
        if f"SPDX-License-Identifier: {licence_of(path)}" not in head:
            problems.append(f"{path} doesn't say 'SPDX-License-Identifier: {licence_of(path)}' in its first lines")
        if fnmatch.fnmatch(path, "plugins/modules/*.py") and "GNU General Public License v3.0+ (see " not in head:
            problems.append(f"{path} lacks the line 'GNU General Public License v3.0+ (see ...)', which ansible-test wants in modules")
    return problems


def modules_of(tree: Tree) -> list[str]:
    """Names of the collection's modules."""
    return sorted(path.split("/")[-1][:-3] for path in tree.under("plugins/modules/*.py") if not path.endswith("__init__.py"))


def why_not_tested(tree: Tree) -> list[str]:
    """Every module has a unit test of its own, also one that is an action plugin and is tried in the clusters of namespaces."""
    homes = {name: f"tests/unit/plugins/modules/test_{name}.py" for name in modules_of(tree)}
    return [f"plugins/modules/{name}.py has no test: write {home}" for name, home in homes.items() if home not in tree.files]


def why_not_grouped(tree: Tree) -> list[str]:
    """Every module is listed in exactly one action group (or in UNGROUPED), and the groups name only modules that exist; a group may extend another."""
    groups = yaml.safe_load(tree.files.get("meta/runtime.yml", "{}")).get("action_groups", {})
    listed = [name for names in groups.values() for name in names if isinstance(name, str)]
    modules = modules_of(tree)
    problems = [
        f"meta/runtime.yml: module {name} is in no action group" for name in modules if name not in listed and name not in UNGROUPED
    ]
    problems += [f"meta/runtime.yml: there is no module {name}" for name in listed if name not in modules]
    return problems + [f"meta/runtime.yml: module {name} is listed twice" for name in sorted(set(listed)) if listed.count(name) > 1]


def lines_matching(tree: Tree, pattern: re.Pattern[str], because: str) -> list[str]:
    """One problem for each line that holds the pattern; tests may name what they show to be refused."""
    return [
        f"{path}:{number}: '{found.group(0)}': {because}"
        for path, text in tree.files.items()
        for number, line in enumerate(text.splitlines(), 1)
        if (found := pattern.search(line))
    ]


def why_not_strict_ssh(tree: Tree) -> list[str]:
    """No file loosens the check of host keys: we made them, so we can pin them. KnownHostsCommand pins too, without a file."""
    problems = lines_matching(tree, LOOSE_SSH, "host keys are pinned and always checked")
    return [problem for problem in problems if not pins_by_command(tree, problem)]


def pins_by_command(tree: Tree, problem: str) -> bool:
    """Whether the line that a problem names gives ssh the pinned key by a command in the place of a file."""
    path, number = problem.split(":")[:2]
    return "UserKnownHostsFile" in problem and "KnownHostsCommand=" in tree.files[path].splitlines()[int(number) - 1]


def why_not_portable(tree: Tree) -> list[str]:
    """No file holds a path of the machine it was written on."""
    return lines_matching(tree, LOCAL_PATHS, "a path of one developer's machine")


def why_not_one_home(tree: Tree) -> list[str]:
    """What both sides of the wall need has one home each, and stands nowhere else: marks, ports, and the list of reasons."""
    homes = {path: tree.python[path] for path in (MARKS, PORTS, REASONS) if path in tree.files}
    marks = [value for path in homes if path == MARKS for value in constants(homes[path]) if isinstance(value, str)]
    ports = [value for path in homes for value in constants(homes[path]) if isinstance(value, int) and 1024 <= value <= 65535]
    reasons = {value for module in homes.values() for value in members(module, "Reason")}
    problems = []
    for path in tree.under("plugins/*.py", "driver/src/*.py"):
        if path in homes:
            continue
        for node in ast.walk(tree.python[path]):
            value = node.value if isinstance(node, ast.Constant) else None
            told = [(mark, MARKS) for mark in marks if isinstance(value, str) and value.startswith(mark)]
            told += [(str(port), PORTS) for port in ports if value == port]
            told += [("a list of reasons", REASONS)] if len(reasons.intersection(texts_in(node))) >= max(3, len(reasons) // 2) else []
            problems += [f"{path} has {what} of its own; {home} is its home, import it from there" for what, home in told]
    return problems


def constants(module: ast.Module) -> list[object]:
    """The values of the constants that a file sets on its outermost level."""
    return [node.value.value for node in module.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)]


def members(module: ast.Module, name: str) -> set[object]:
    """The values in an enumeration of that name."""
    held = [node for node in module.body if isinstance(node, ast.ClassDef) and node.name == name]
    return {node.value.value for one in held for node in one.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)}


def texts_in(node: ast.AST) -> set[str]:
    """The texts that a display (set, list, tuple, dict's keys) or the body of a class holds itself."""
    if isinstance(node, (ast.Set, ast.List, ast.Tuple)):
        held: list[ast.expr | None] = list(node.elts)
    elif isinstance(node, ast.Dict):
        held = list(node.keys)
    elif isinstance(node, ast.ClassDef):
        held = [one.value for one in node.body if isinstance(one, ast.Assign)]
    else:
        return set()
    return {one.value for one in held if isinstance(one, ast.Constant) and isinstance(one.value, str)}


def why_not_finished(tree: Tree) -> list[str]:
    """No skipped test, no test that can't fail, no note to do it later."""
    return lines_matching(tree, UNFINISHED, "finish it or leave it out")


def why_not_linked(tree: Tree) -> list[str]:
    """Every link of a page to a file of the checkout leads to one."""
    problems = []
    for path in tree.under("*.md"):
        for target in LINK.findall(tree.files[path]):
            aim = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
            if aim != "." and aim not in tree.files and not any(name.startswith(aim + "/") for name in tree.files):
                problems.append(f"{path} links to {target}, which is not there")
    return problems


RULES: tuple[Rule, ...] = (
    why_not_one_door,
    why_not_one_way_to_nodes,
    why_not_pure,
    why_not_floors,
    why_not_walled,
    why_not_one_home,
    why_not_for_modules,
    why_not_short,
    why_not_licensed,
    why_not_tested,
    why_not_grouped,
    why_not_strict_ssh,
    why_not_portable,
    why_not_finished,
    why_not_linked,
)
