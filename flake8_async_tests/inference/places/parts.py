"""In what part of a test file something stands: in a test itself, in what clears up after it, under a timeout."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.source.module import is_within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_SET_UP_HOOKS = frozenset(
    {
        "asyncSetUp",
        "setUp",
        "setUpClass",
        "setUpModule",
        "setup_class",
        "setup_function",
        "setup_method",
        "setup_module",
    }
)
_TEARDOWN_HOOKS = frozenset(
    {
        "asyncTearDown",
        "tearDown",
        "tearDownClass",
        "tearDownModule",
        "teardown_class",
        "teardown_function",
        "teardown_method",
        "teardown_module",
    }
)
# With the hooks of a plugin or a conftest that pytest calls when something is over.
_CLEARING_UP = _TEARDOWN_HOOKS | {
    "pytest_fixture_post_finalizer",
    "pytest_runtest_teardown",
    "pytest_sessionfinish",
    "pytest_unconfigure",
}

Place = tuple[int, int]
"""A line and a column."""

RAISING = frozenset({".assertRaises", ".assertRaisesRegex", "pytest.RaisesGroup", "pytest.raises"})


def scopes_around(scope: Scope) -> Iterator[Scope]:
    """A scope and those that it stands in, from the inside out."""
    at: Scope | None = scope
    while at is not None:
        yield at
        at = at.parent


def is_test_itself(module: Module, scope: Scope) -> bool:
    """Whether a scope is a test's own."""
    return module.test_of(module.function_at(scope)) is not None


def is_async_test_itself(module: Module, scope: Scope) -> bool:
    """Whether a scope is an async test's own."""
    return isinstance(scope.node, ast.AsyncFunctionDef) and is_test_itself(module, scope)


def is_fixture_itself(module: Module, scope: Scope) -> bool:
    """Whether a scope is a fixture's own."""
    function = module.function_at(scope)
    return function is not None and module.is_fixture(function)


def is_hook(module: Module, scope: Scope) -> bool:
    """Whether a scope is that of a method or function that sets up or tears down for tests."""
    function = module.function_at(scope)
    if function is None or function.name not in _SET_UP_HOOKS | _TEARDOWN_HOOKS:
        return False
    return belongs_to_tests(module, scope)


def is_tearing_down(name: str) -> bool:
    """Whether a method or function of that name tears down for tests."""
    return name in _TEARDOWN_HOOKS


def is_test_code(module: Module, scope: Scope) -> bool:
    """Whether a scope is that of a test, a fixture or a hook itself."""
    return is_test_itself(module, scope) or is_fixture_itself(module, scope) or is_hook(module, scope)


def belongs_to_tests(module: Module, scope: Scope) -> bool:
    """Whether a scope is that of a test, a fixture, a hook or a helper. Others play the application."""
    function = module.function_at(scope)
    if function is None or function.is_nested:
        return False
    return function.klass is None or any(klass.may_be_collected for klass in function.klass.family)


def clears_up(module: Module, node: ast.AST, scope: Scope) -> bool:
    """Whether something stands in a `finally`, after a fixture's `yield`, or in a hook that tears down."""
    function = module.function_at(scope)
    if function is not None and function.name in _CLEARING_UP:
        return True
    if is_fixture_itself(module, scope) and comes_after_yield(module, node, scope):
        return True
    return any(
        isinstance(around, (ast.Try, ast.TryStar)) and is_within(node, around.finalbody)
        for around in module.ancestors(node, scope)
    )


def comes_after_yield(module: Module, node: ast.AST, scope: Scope) -> bool:
    """Whether a scope has yielded before it gets to a node."""
    first = module.fact(_ends_of_first_yields).get(scope)
    return first is not None and first <= place_of(node)


def _ends_of_first_yields(module: Module) -> dict[Scope, Place]:
    found: dict[Scope, Place] = {}
    for kind in (ast.Yield, ast.YieldFrom):
        for node, scope in module.of_kind(kind):
            found[scope] = min(end_of(node), found.get(scope, end_of(node)))
    return found


def nodes_of(parts: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Statements or expressions with all that stands in them, but what is in nested functions and classes."""
    todo = list(parts)
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            todo.extend(ast.iter_child_nodes(node))


def names_in(part: ast.AST) -> set[str]:
    """The names that a statement or an expression speaks of itself."""
    return {node.id for node in nodes_of([part]) if isinstance(node, ast.Name)}


def place_of(node: ast.AST) -> Place:
    """The line and column at which a node begins."""
    return node.lineno, node.col_offset  # type: ignore[attr-defined]  # only statements and expressions are asked for


def contexts_around(module: Module, node: ast.AST, scope: Scope) -> Iterator[tuple[str, ast.Call]]:
    """The calls whose results are entered around a node, `with` by `with` from the inside out, with their names.

    A name is qualified, or that of a method after a dot (`.assertRaises`).
    """
    # By its place: to look up the parents of a whole scope costs far more than to look at its few blocks.
    place = place_of(node)
    for block in module.fact(_entering_blocks).get(scope, ()):
        last = block.items[-1]
        if end_of(last.optional_vars or last.context_expr) <= place < end_of(block):
            for item in reversed(block.items):
                context = module.value_of(item.context_expr, scope)
                if isinstance(context, ast.Call):
                    yield _name_of(module, context, scope), context


def _entering_blocks(module: Module) -> dict[Scope, list[ast.With | ast.AsyncWith]]:
    """The `with` blocks of each scope, the inner ones before those around them."""
    found: dict[Scope, list[ast.With | ast.AsyncWith]] = {}
    for block, scope in module.with_blocks:
        found.setdefault(scope, []).append(block)
    for blocks in found.values():
        blocks.sort(key=place_of, reverse=True)
    return found


def entered_by(module: Module, node: ast.expr) -> ast.With | ast.AsyncWith | None:
    """The block that enters an expression."""
    return module.fact(_blocks_by_what_they_enter).get(node)


def _blocks_by_what_they_enter(module: Module) -> dict[ast.expr, ast.With | ast.AsyncWith]:
    return {item.context_expr: block for block, _ in module.with_blocks for item in block.items}


def _name_of(module: Module, call: ast.Call, scope: Scope) -> str:
    name = module.qualified(call.func, scope)
    return f".{call.func.attr}" if not name and isinstance(call.func, ast.Attribute) else name


def is_expected_to_raise(module: Module, node: ast.AST, scope: Scope) -> bool:
    """Whether a node stands under `pytest.raises`, `assertRaises` or the like."""
    return any(name in RAISING for name, _ in contexts_around(module, node, scope))


def is_last_before_failure(module: Module, node: ast.AST, scope: Scope) -> bool:
    """Whether a block of `pytest.raises` or the like ends with a node: then it is this that is to raise."""
    blocks = (entered_by(module, call) for name, call in contexts_around(module, node, scope) if name in RAISING)
    return any(block is not None and end_of(block) == end_of(node) for block in blocks)


def end_of(node: ast.AST) -> Place:
    """The line and column at which a node ends."""
    return node.end_lineno, node.end_col_offset  # type: ignore[attr-defined]  # as above
