"""What binds a name or a dotted path, and what it gives it."""

from __future__ import annotations

import ast
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from flake8_async_tests.source.walk import arguments_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

MAXIMUM_PATH = 16
"""How many attributes a path may have; longer ones are not known."""


class Kind(Enum):
    """How a name got what it holds."""

    ASSIGNED = "n = v"
    ENTERED = "with v as n"
    ENTERED_ASYNC = "async with v as n"
    ITERATED = "for n in v"
    PARAMETER = "def f(n)"
    UNPACKED = "a part of v"
    IMPORTED = "import n"
    DEFINED = "def n or class n"
    OTHER = "in another way"


class Binding(NamedTuple):
    """One binding: how it came about, the value that was assigned, entered, iterated or unpacked, and what binds.

    The node is the statement, the named expression, the handler, the pattern, the comprehension's part or the
    argument that binds; the scope is the one in which it stands. A tuple, for many are made and thrown away.
    """

    kind: Kind
    value: ast.expr | None
    node: ast.AST
    scope: Scope


Effect = tuple[str, Binding | None]
"""A path and its new binding; None says that it holds nothing any more, or nothing known."""


def root_of(node: ast.expr) -> ast.Name | None:
    """The name that an expression such as `mocker.patch.object` begins with."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node if isinstance(node, ast.Name) else None


def alternatives_of(node: ast.expr) -> list[ast.expr]:
    """What a value may come to: the parts of `a or b` and of `a if x else b`, else itself."""
    if isinstance(node, ast.BoolOp):
        return node.values
    return [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]


def path_of(node: ast.expr) -> str:
    """`a.b.c` as a text, "" for anything else and for longer ones than are followed."""
    if node.__class__ is ast.Name:
        return node.id
    attributes: list[str] = []
    while node.__class__ is ast.Attribute:
        attributes.append(node.attr)
        node = node.value
    if node.__class__ is not ast.Name or len(attributes) > MAXIMUM_PATH:
        return ""
    attributes.append(node.id)
    attributes.reverse()
    return ".".join(attributes)


_NOTHING: tuple[Effect, ...] = ()


def outermost_of(scope: Scope) -> Scope:
    """The outermost function around a scope; the module or class for what stands in none."""
    found = scope
    at: Scope | None = scope
    while at is not None:
        if at.is_function:
            found = at
        at = at.parent
    return found


def bound_in(module: Module, scope: Scope) -> dict[str, list[Binding]]:
    """Every binding of each name and path in a scope, whatever the flow; the names of comprehensions left out."""
    tables = module.fact(_tables)
    found = tables.get(scope)
    if found is None:
        found = tables[scope] = {}
        if isinstance(scope.node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            for argument in arguments_of(scope.node):
                found.setdefault(argument.arg, []).append(Binding(Kind.PARAMETER, None, argument, scope))
        for node in scope.nodes:
            if node.__class__ in _MAKERS:
                for path, binding in effects_of(node, scope):
                    if binding is not None:
                        found.setdefault(path, []).append(binding)
    return found


def _tables(_: Module) -> dict[Scope, dict[str, list[Binding]]]:
    return {}


def effects_of(node: ast.AST, scope: Scope) -> tuple[Effect, ...]:
    """What a node itself binds, its children left out."""
    maker = _MAKERS.get(node.__class__)
    return tuple(maker(node, scope)) if maker is not None else _NOTHING


def _assign(node: ast.AST, scope: Scope) -> Iterator[Effect]:
    assert isinstance(node, ast.Assign)
    for target in node.targets:
        yield from _targets(target, Kind.ASSIGNED, node.value, node, scope)


def _annotated(node: ast.AST, scope: Scope) -> Iterator[Effect]:
    assert isinstance(node, (ast.AnnAssign, ast.NamedExpr))
    if node.value is not None:
        yield from _targets(node.target, Kind.ASSIGNED, node.value, node, scope)


def _augmented(node: ast.AST, scope: Scope) -> Iterator[Effect]:
    assert isinstance(node, ast.AugAssign)
    yield from _targets(node.target, Kind.OTHER, None, node, scope)


def _iterated(node: ast.AST, scope: Scope) -> Iterator[Effect]:
    assert isinstance(node, (ast.For, ast.AsyncFor))
    yield from iterated_by(node, scope)


def iterated_by(node: ast.For | ast.AsyncFor | ast.comprehension, scope: Scope) -> Iterator[tuple[str, Binding]]:
    """What a loop or a part of a comprehension binds."""
    yield from _targets(node.target, Kind.ITERATED, node.iter, node, scope)


def _entered(node: ast.AST, scope: Scope) -> Iterator[Effect]:
    assert isinstance(node, (ast.With, ast.AsyncWith))
    kind = Kind.ENTERED if isinstance(node, ast.With) else Kind.ENTERED_ASYNC
    for item in node.items:
        if item.optional_vars is not None:
            yield from _targets(item.optional_vars, kind, item.context_expr, node, scope)


def _imported(node: ast.AST, scope: Scope) -> Iterator[Effect]:
    assert isinstance(node, (ast.Import, ast.ImportFrom))
    for alias in node.names:
        name = alias.asname or (alias.name if isinstance(node, ast.ImportFrom) else alias.name.partition(".")[0])
        if name != "*":
            yield name, Binding(Kind.IMPORTED, None, node, scope)


def _defined(node: ast.AST, scope: Scope) -> Iterator[Effect]:
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    yield node.name, Binding(Kind.DEFINED, None, node, scope)


def _named(node: ast.AST, scope: Scope) -> Iterator[Effect]:
    assert isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar))
    if node.name:
        yield node.name, Binding(Kind.OTHER, None, node, scope)


def _rest(node: ast.AST, scope: Scope) -> Iterator[Effect]:
    assert isinstance(node, ast.MatchMapping)
    if node.rest:
        yield node.rest, Binding(Kind.OTHER, None, node, scope)


def _deleted(node: ast.AST, _: Scope) -> Iterator[Effect]:
    assert isinstance(node, ast.Delete)
    for target in node.targets:
        for leaf, _value in leaves_of(target, None):
            path = path_of(leaf)
            if path:
                yield path, None


_MAKERS = {
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.NamedExpr: _annotated,
    ast.AugAssign: _augmented,
    ast.For: _iterated,
    ast.AsyncFor: _iterated,
    ast.With: _entered,
    ast.AsyncWith: _entered,
    ast.Import: _imported,
    ast.ImportFrom: _imported,
    ast.FunctionDef: _defined,
    ast.AsyncFunctionDef: _defined,
    ast.ClassDef: _defined,
    ast.ExceptHandler: _named,
    ast.MatchAs: _named,
    ast.MatchStar: _named,
    ast.MatchMapping: _rest,
    ast.Delete: _deleted,
}


def _targets(
    target: ast.expr, kind: Kind, value: ast.expr | None, node: ast.AST, scope: Scope
) -> Iterator[tuple[str, Binding]]:
    if target.__class__ is ast.Name:
        yield target.id, Binding(kind, value, node, scope)
        return
    for leaf, part in leaves_of(target, value if kind is Kind.ASSIGNED else None):
        path = path_of(leaf)
        if not path:
            continue
        if leaf is target or part is not None:
            yield path, Binding(kind, value if leaf is target else part, node, scope)
        else:
            yield path, Binding(Kind.UNPACKED, value, node, scope)


def leaves_of(target: ast.expr, value: ast.expr | None) -> Iterator[tuple[ast.Name | ast.Attribute, ast.expr | None]]:
    """The names and attributes in a target, each with its part of the value where that can be seen."""
    if target.__class__ is ast.Name or target.__class__ is ast.Attribute:
        yield target, value
        return
    todo: list[tuple[ast.expr, ast.expr | None]] = [(target, value)]
    while todo:
        target, value = todo.pop()
        if isinstance(target, (ast.Tuple, ast.List)):
            todo.extend(reversed(list(zip(target.elts, _parts(target.elts, value), strict=True))))
        elif isinstance(target, ast.Starred):
            todo.append((target.value, None))
        elif isinstance(target, (ast.Name, ast.Attribute)):
            yield target, value


def _parts(targets: list[ast.expr], value: ast.expr | None) -> list[ast.expr | None]:
    """`a, b = one, two`: which part goes where."""
    unseen: list[ast.expr | None] = [None] * len(targets)
    if not isinstance(value, (ast.Tuple, ast.List)) or len(value.elts) != len(targets):
        return unseen
    return unseen if any(isinstance(part, ast.Starred) for part in (*targets, *value.elts)) else [*value.elts]
