# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""All mutants of a source file: where an operator's fault is planted, and how it is told. Pure."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType

from tests.mutation.operators import OPERATORS, neighbours

# Texts for the type checker and the reader, not for the program.
TYPES = frozenset({"annotation", "returns", "decorator_list", "type_params"})
CHECKERS_CALLS = frozenset({"cast", "TypeVar", "NewType"})
CONTEXT = 30
GENERICS = frozenset({"dict", "frozenset", "list", "set", "tuple", "type"})


@dataclass(frozen=True)
class Place:
    """Where a node hangs: in a field of its parent, or in the list that the field is."""

    parent: ast.AST
    field: str
    index: int | None = None

    def node(self) -> ast.AST:
        """What hangs here."""
        held = getattr(self.parent, self.field)
        return held if self.index is None else held[self.index]

    def put(self, node: ast.AST) -> None:
        """Hangs another node here."""
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


@dataclass(frozen=True)
class Mutant:
    """One fault. text: the source line it begins on, stripped; change: what stood there -> what stands there now."""

    path: str
    line: int
    last_line: int
    text: str
    change: str
    place: Place
    fault: ast.AST
    tree: ast.Module

    @property
    def key(self) -> tuple[str, str, str]:
        """Names the mutant as long as nobody edits its line, wherever that moves to."""
        return (self.path, self.text, self.change)

    def code(self, filename: str) -> CodeType:
        """The file's code with the fault in it."""
        sound = self.place.node()
        self.place.put(ast.copy_location(self.fault, sound))
        try:
            return compile(ast.fix_missing_locations(self.tree), filename, "exec", dont_inherit=True)
        finally:
            self.place.put(sound)


def mutants_of(path: str, source: str) -> list[Mutant]:
    """Every mutant of a file, in the order of its lines."""
    tree = ast.parse(source, path)
    lines = source.splitlines()
    found = []
    for place in places(tree):
        node = place.node()
        at = node.target if isinstance(node, ast.comprehension) else node
        for fault in faults_at(place, tree):
            before, after = shown(node), shown(fault)
            if before != after:
                text, change = lines[at.lineno - 1].strip(), difference(before, after)  # type: ignore[attr-defined]
                found.append(Mutant(path, at.lineno, at.end_lineno, text, change, place, fault, tree))  # type: ignore[attr-defined]
    return sorted(found, key=lambda mutant: mutant.line)


def faults_at(place: Place, tree: ast.Module) -> Iterator[ast.AST]:
    """What could stand at a place by mistake."""
    node, parent = place.node(), place.parent
    if isinstance(node, ast.Tuple) and isinstance(parent, ast.BinOp):
        return  # The values that fill a sentence in: one less only crashes.
    if isinstance(node, ast.Tuple) and isinstance(parent, (ast.Tuple, ast.List)):
        return  # A row of a table: a field less only crashes.
    if isinstance(node, ast.UnaryOp) and isinstance(parent, (ast.If, ast.IfExp)):
        return  # The condition always or never holding says more.
    yield from OPERATORS.get(type(node), lambda _node: iter(()))(node)
    if isinstance(node, ast.Tuple) and isinstance(parent, ast.stmt) and parent in tree.body:
        yield from neighbours(node)


def shown(node: ast.AST) -> str:
    """A node as one line: of an `if` only its head."""
    if isinstance(node, ast.If):
        return f"if {ast.unparse(node.test)}"
    return "dropped" if isinstance(node, ast.Pass) else " ".join(ast.unparse(node).split())


def difference(before: str, after: str) -> str:
    """`before -> after`, with what they have in common cut down to a few words on either side."""
    begin = len(posixpath.commonprefix([before, after]))
    end = len(posixpath.commonprefix([before[begin:][::-1], after[begin:][::-1]]))

    def cut(text: str) -> str:
        first, last = max(0, begin - CONTEXT), min(len(text), len(text) - end + CONTEXT)
        return ("..." if first else "") + text[first:last] + ("..." if last < len(text) else "")

    return f"{cut(before)} -> {cut(after)}"


def places(node: ast.AST) -> Iterator[Place]:
    """Every place below a node that holds behaviour, the outer ones first."""
    for field, held in ast.iter_fields(node):
        items = [(None, held)] if not isinstance(held, list) else list(enumerate(held))
        for index, item in items:
            if isinstance(item, ast.AST) and field not in TYPES and not is_idle(item, node):
                yield Place(node, field, index)
                yield from places(item)


def is_idle(node: ast.AST, parent: ast.AST) -> bool:
    """Whether a node is a text, an import, a claim, a type, or a guard for the type checker only."""
    if isinstance(node, (ast.Import, ast.ImportFrom, ast.Assert)):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.startswith("__"):
        return True
    if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "__name__ == '__main__'"):
        return True
    if isinstance(parent, (ast.JoinedStr, ast.FormattedValue)) and isinstance(node, (ast.Constant, ast.JoinedStr)):
        return True
    if isinstance(node, ast.Subscript):
        name = node.value.id if isinstance(node.value, ast.Name) else getattr(node.value, "attr", "")
        return name in GENERICS or name[:1].isupper() and not name.isupper()
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CHECKERS_CALLS
