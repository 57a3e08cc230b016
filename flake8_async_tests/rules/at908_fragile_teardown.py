"""AT908: a clean-up that is skipped when the one before it fails."""

from __future__ import annotations

import ast
from bisect import bisect_left
from itertools import islice
from typing import TYPE_CHECKING

from flake8_async_tests.inference.time.timeouts import TIMEOUTS
from flake8_async_tests.inference.values.bindings import path_of
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.functions import ClassKind
from flake8_async_tests.source.module import is_within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# They clear nothing up, and hardly fail.
_PAUSES = frozenset(
    {
        "anyio.lowlevel.checkpoint",
        "anyio.sleep",
        "anyio.wait_all_tasks_blocked",
        "asyncio.sleep",
        "trio.lowlevel.checkpoint",
        "trio.sleep",
    }
)
# They complete what was done before them with the same thing: without that there is nothing for them to do.
_COMPLETING = frozenset({"commit", "flush"})
_SAFE_CALLS = frozenset({"asyncio.gather", "asyncio.wait"})
_SAFE_CONTEXTS = frozenset({"contextlib.AsyncExitStack", "contextlib.ExitStack", "contextlib.suppress"})

# The kinds of classes whose hooks are awaited, or may be.
_AWAITING = (ClassKind.ISOLATED, ClassKind.UNKNOWN)

# A fixture yields once, or once in each of some branches: pytest stops at a second value.
_MOST_YIELDS = 20


@rule("AT908", "fragile-teardown", knows=Knows.FILE)
def check(module: Module) -> Iterator[Finding]:
    for function, blocks in _teardowns(module):
        cleanups = _cleanups(module, function.scope)
        skipped = (_skipped(module, block, function.scope, cleanups) for block in blocks)
        found = next((node for node in skipped if node is not None), None)
        if found is not None:
            yield Finding(
                found,
                "this clean-up is skipped when the one before it fails, and what it was to close stays open"
                " (put it into a finally, or all of them into an AsyncExitStack)",
            )


def _teardowns(module: Module) -> Iterator[tuple[Function, Iterable[list[ast.stmt]]]]:
    """The functions that clear up, each with its runs of statements to be left at the first failure."""
    for fixture in module.fixtures:
        if fixture.is_async:
            scope = fixture.function.scope
            yields = islice(scope.of(ast.Yield), _MOST_YIELDS)
            yield fixture.function, (block for node in yields for block in _after(node, scope))
    for klass in module.classes:
        hook = klass.methods.get("asyncTearDown")
        if hook is not None and hook.is_async and any(each.kind in _AWAITING for each in (klass, *klass.subclasses)):
            yield hook, [hook.node.body]


def _after(node: ast.AST, scope: Scope) -> Iterator[list[ast.stmt]]:
    """The statements after one, block by block outwards. A `finally` runs whatever happened before it."""
    run: list[ast.stmt] = []
    parents = scope.parents
    while node is not scope.node:
        parent = parents[node]
        if isinstance(node, ast.stmt):
            block = _block_of(node, parent)
            run += block[block.index(node) + 1 :]
            if isinstance(parent, (ast.Try, ast.TryStar)) and block is not parent.finalbody:
                if block is parent.body:
                    run += parent.orelse
                if parent.finalbody:
                    yield run
                    run = list(parent.finalbody)
        node = parent
    yield run


def _block_of(node: ast.stmt, parent: ast.AST) -> list[ast.stmt]:
    """The block of a statement: the list in which it stands."""
    blocks: list[list[ast.stmt]] = [getattr(parent, name, []) for name in ("body", "orelse", "finalbody")]
    return next(block for block in blocks if node in block)


def _skipped(module: Module, block: list[ast.stmt], scope: Scope, cleanups: list[ast.Await]) -> ast.Await | None:
    """The first clean-up in a block that a failure of an earlier one would skip."""
    may_fail = False
    for statement in _run_through(module, block, scope):
        cleanup = _first_within(statement, cleanups)
        if cleanup is None:
            continue
        if may_fail and not _completes(cleanup, cleanups):
            return cleanup
        branches = _branches_of(statement)
        within = (_skipped(module, branch, scope, cleanups) for branch in branches)
        found = next((node for node in within if node is not None), None)
        if found is not None:
            return found
        may_fail = not _is_safe(module, statement, cleanup, scope) and not _ends_there(branches, cleanup)
    return None


def _completes(cleanup: ast.Await, cleanups: list[ast.Await]) -> bool:
    """Whether it belongs to the clean-up before it: `await session.delete(order)`, `await session.commit()`."""
    before = cleanups[cleanups.index(cleanup) - 1]
    receiver, method = _method_called(cleanup)
    return method in _COMPLETING and bool(receiver) and receiver == _method_called(before)[0]


def _method_called(cleanup: ast.Await) -> tuple[str, str]:
    """What a clean-up calls a method of, and its name."""
    function = cleanup.value.func if isinstance(cleanup.value, ast.Call) else None
    return (path_of(function.value), function.attr) if isinstance(function, ast.Attribute) else ("", "")


def _branches_of(statement: ast.stmt) -> list[list[ast.stmt]]:
    """The blocks of a condition or loop, which keep no failure from what follows in them."""
    if not isinstance(statement, (ast.If, ast.For, ast.AsyncFor, ast.While)):
        return []
    return [statement.body, statement.orelse]


def _ends_there(branches: list[list[ast.stmt]], cleanup: ast.Await) -> bool:
    """Whether the function ends with the block that a clean-up stands in, which so skips nothing below."""
    around = [branch for branch in branches if is_within(cleanup, branch)]
    return any(isinstance(branch[-1], (ast.Return, ast.Raise)) for branch in around)


def _run_through(module: Module, block: list[ast.stmt], scope: Scope) -> Iterator[ast.stmt]:
    """The statements of a block, and in the place of a timeout those under it: it keeps no failure from the others."""
    for statement in block:
        if isinstance(statement, (ast.With, ast.AsyncWith)) and all(
            _name(module, item.context_expr, scope) in TIMEOUTS for item in statement.items
        ):
            yield from _run_through(module, statement.body, scope)
        else:
            yield statement


def _cleanups(module: Module, scope: Scope) -> list[ast.Await]:
    """The awaits in a function that only have an effect, and are more than a pause, in order."""
    values = (node.value for node in scope.of(ast.Expr) if isinstance(node, ast.Expr))
    awaits = (value for value in values if isinstance(value, ast.Await))
    found = [node for node in awaits if _name(module, node.value, scope) not in _PAUSES]
    return sorted(found, key=_place)


def _first_within(statement: ast.stmt, cleanups: list[ast.Await]) -> ast.Await | None:
    at = bisect_left(cleanups, _place(statement), key=_place)
    return cleanups[at] if at < len(cleanups) and is_within(cleanups[at], [statement]) else None


def _place(node: ast.stmt | ast.expr) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _is_safe(module: Module, statement: ast.stmt, cleanup: ast.Await, scope: Scope) -> bool:
    """Whether a failure is caught, or the clean-up is one that does not stop at the first failure."""
    if isinstance(statement, (ast.Try, ast.TryStar)) or _name(module, cleanup.value, scope) in _SAFE_CALLS:
        return True
    if not isinstance(statement, (ast.With, ast.AsyncWith)):
        return False
    return any(_name(module, item.context_expr, scope) in _SAFE_CONTEXTS for item in statement.items)


def _name(module: Module, node: ast.expr, scope: Scope) -> str:
    return module.qualified(node.func, scope) if isinstance(node, ast.Call) else ""
