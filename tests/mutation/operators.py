# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the ondemand.cluster contributors
"""The faults that are planted: for a node of the syntax tree, what could stand there by mistake. Pure.

Each is one that a person could make and that runs: a guard taken out, a boundary moved by one, a row left out of a table, two
rules in the wrong order. What only crashes (a sentence's `%` turned into `+`) is not among them: it would only raise the score.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

DROPPED = ast.Pass()
"""In the place of a node: leave it out."""

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
OPPOSITES = {"min": "max", "max": "min", "any": "all", "all": "any"}
TEXTS = (ast.JoinedStr, ast.List, ast.Tuple, ast.ListComp)
EFFECTS = (ast.AugAssign, ast.Raise, ast.Continue, ast.Break, ast.Delete)


def is_text(node: ast.expr) -> bool:
    """Whether `+` here joins and `%` fills in: there is no arithmetic to get wrong."""
    if isinstance(node, ast.BinOp):
        return is_text(node.left) or is_text(node.right)
    return isinstance(node, TEXTS) or isinstance(node, ast.Constant) and isinstance(node.value, str)


def compare(node: ast.Compare) -> Iterator[ast.AST]:
    """The boundary moved, and the opposite."""
    for place, operator in enumerate(node.ops):
        for other in COMPARISONS[type(operator)]:
            yield ast.Compare(node.left, [*node.ops[:place], other(), *node.ops[place + 1 :]], node.comparators)


def bool_op(node: ast.BoolOp) -> Iterator[ast.AST]:
    """`and` for `or`, and each operand left out."""
    yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    for place in range(len(node.values)):
        rest = [*node.values[:place], *node.values[place + 1 :]]
        yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def bin_op(node: ast.BinOp) -> Iterator[ast.AST]:
    """Another arithmetic operator."""
    if type(node.op) in ARITHMETIC and not is_text(node):
        yield ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right)


def unary_op(node: ast.UnaryOp) -> Iterator[ast.AST]:
    """Without its `not` or its sign."""
    yield node.operand


def constant(node: ast.Constant) -> Iterator[ast.AST]:
    """The other truth, one more, another word. Sentences are left alone: their wording is no behaviour."""
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, (int, float)):
        yield ast.Constant(value + 1)
    elif isinstance(value, str) and value and not any(sign.isspace() for sign in value):
        yield ast.Constant("x" + value)


def return_(node: ast.Return) -> Iterator[ast.AST]:
    """Nothing handed back. Constants have their own."""
    if node.value and not isinstance(node.value, ast.Constant):
        yield ast.Return(ast.Constant(None))


def condition(node: ast.If | ast.IfExp) -> Iterator[ast.AST]:
    """The guard taken out, and the guard that always holds."""
    for truth in (False, True):
        parts = {name: getattr(node, name) for name in node._fields}
        yield type(node)(**{**parts, "test": ast.Constant(truth)})


def comprehension(node: ast.comprehension) -> Iterator[ast.AST]:
    """Without its filter."""
    for place in range(len(node.ifs)):
        yield ast.comprehension(node.target, node.iter, [*node.ifs[:place], *node.ifs[place + 1 :]], node.is_async)


def elements(node: ast.Tuple | ast.List | ast.Set) -> Iterator[ast.AST]:
    """Each element left out."""
    for place in range(len(node.elts) if isinstance(getattr(node, "ctx", ast.Load()), ast.Load) else 0):
        rest = [*node.elts[:place], *node.elts[place + 1 :]]
        yield ast.Set(rest) if isinstance(node, ast.Set) else type(node)(rest, ast.Load())


def dictionary(node: ast.Dict) -> Iterator[ast.AST]:
    """Each row left out."""
    for place in range(len(node.keys)):
        yield ast.Dict([*node.keys[:place], *node.keys[place + 1 :]], [*node.values[:place], *node.values[place + 1 :]])


def call(node: ast.Call) -> Iterator[ast.AST]:
    """min for max, any for all, and each named argument left out where a function may have a default for it."""
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    if isinstance(node.func, ast.Name) and name in OPPOSITES:
        yield ast.Call(ast.Name(OPPOSITES[name], ast.Load()), node.args, node.keywords)
    for place, keyword in enumerate(node.keywords):
        if keyword.arg and not name[:1].isupper():
            yield ast.Call(node.func, node.args, [*node.keywords[:place], *node.keywords[place + 1 :]])


def statement(node: ast.stmt) -> Iterator[ast.AST]:
    """A statement left out that is there for its effect."""
    is_call = isinstance(node, ast.Expr) and isinstance(node.value, (ast.Call, ast.Yield, ast.YieldFrom))
    is_store = isinstance(node, ast.Assign) and isinstance(node.targets[0], (ast.Attribute, ast.Subscript))
    if is_call or is_store or isinstance(node, EFFECTS):
        yield DROPPED


def neighbours(node: ast.Tuple) -> Iterator[ast.AST]:
    """Two neighbours of a table in the wrong order, where its rows are more than words."""
    for place in range(len(node.elts) - 1):
        first, second = node.elts[place : place + 2]
        if not isinstance(first, ast.Constant):
            yield ast.Tuple([*node.elts[:place], second, first, *node.elts[place + 2 :]], ast.Load())


OPERATORS: dict[type[ast.AST], Callable[..., Iterator[ast.AST]]] = {
    ast.Compare: compare,
    ast.BoolOp: bool_op,
    ast.BinOp: bin_op,
    ast.UnaryOp: unary_op,
    ast.Constant: constant,
    ast.Return: return_,
    ast.If: condition,
    ast.IfExp: condition,
    ast.comprehension: comprehension,
    ast.Tuple: elements,
    ast.List: elements,
    ast.Set: elements,
    ast.Dict: dictionary,
    ast.Call: call,
    ast.Expr: statement,
    ast.Assign: statement,
    **dict.fromkeys(EFFECTS, statement),
}
