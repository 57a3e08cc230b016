"""The assignment that gives a value its names."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.uses.handover import LOOKING
from flake8_async_tests.inference.uses.watches import TASK
from flake8_async_tests.record import record

if TYPE_CHECKING:
    from flake8_async_tests.inference.values.flow import Binding
    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope


@record
class Assignment:
    """An assignment to nothing but local names: `task = v`, `a = b = v`, `a, b = v, w`, `if not (task := v):`."""

    node: ast.Assign | ast.AnnAssign | ast.NamedExpr
    names: tuple[ast.Name, ...]
    """Those that get the value in question."""


def assignment_of(value: ast.expr, scope: Scope) -> Assignment | None:
    """The assignment whose right side a value is, or is an element of; None when it gives it to anything else."""
    return _assignment(scope.parents[value], value, scope)


def assignment_behind(binding: Binding) -> Assignment | None:
    """The same for what was bound to a name: mostly it is the whole of what is assigned there."""
    node, value = binding.node, binding.value
    if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is value and value is not None:
        return _assignment(node, value, binding.scope)
    return assignment_of(value, binding.scope) if value is not None else None


def assignment_by(call: Call) -> Assignment | None:
    """The same for a call, of which the walk may have noted what it stands in."""
    parent = call.holder
    if parent is None:
        parent = call.module.fact(_assigned_otherwise).get(call.node)
    return _assignment(parent, call.node, call.scope)


def _assigned_otherwise(module: Module) -> dict[ast.expr, ast.AnnAssign | ast.NamedExpr | ast.Tuple]:
    """What is assigned with an annotation, by `:=`, or as an element of a tuple to several targets, by the value."""
    found: dict[ast.expr, ast.AnnAssign | ast.NamedExpr | ast.Tuple] = {
        node.value: node for node, _ in module.of_kind(ast.AnnAssign) if node.value is not None
    }
    found.update((named.value, named) for named, _ in module.of_kind(ast.NamedExpr))
    for node, _ in module.index.settings:
        if isinstance(node.value, ast.Tuple):
            found.update(dict.fromkeys(node.value.elts, node.value))
    return found


def _assignment(parent: ast.AST | None, value: ast.expr, scope: Scope) -> Assignment | None:
    if isinstance(parent, ast.AnnAssign):
        return Assignment(parent, (parent.target,)) if isinstance(parent.target, ast.Name) else None
    if isinstance(parent, ast.NamedExpr):
        # Elsewhere the value goes on to what it stands in.
        around = scope.parents[parent]
        is_all = isinstance(around, LOOKING) or (isinstance(around, ast.Attribute) and around.attr in TASK.inert)
        return Assignment(parent, (parent.target,)) if is_all else None
    if isinstance(parent, ast.Assign):
        targets = parent.targets
    elif isinstance(parent, ast.Tuple) and isinstance(scope.parents[parent], ast.Assign):
        position = parent.elts.index(value)
        parent = scope.parents[parent]
        assert isinstance(parent, ast.Assign)
        targets = [_element(target, position, parent.value) for target in parent.targets]
    else:
        return None
    names = tuple(target for target in targets if isinstance(target, ast.Name))
    return Assignment(parent, names) if len(names) == len(targets) else None


def _element(target: ast.expr, position: int, value: ast.expr) -> ast.expr:
    """The part of a target that gets the part of a tuple at a position; the whole target when that is not clear."""
    if not isinstance(target, (ast.Tuple, ast.List)) or not isinstance(value, ast.Tuple):
        return value
    starred = any(isinstance(element, ast.Starred) for element in (*target.elts, *value.elts))
    return value if starred or len(target.elts) != len(value.elts) else target.elts[position]
