"""AT407: a coroutine function is replaced by something whose call cannot be awaited."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.awaitables import Awaitable, awaitability_of_result, never_gives_awaitable
from flake8_async_tests.inference.known_coroutines import KNOWN_COROUTINE_FUNCTIONS
from flake8_async_tests.inference.mocks import mocks_of
from flake8_async_tests.inference.patch_targets import Target, path_in_library, target_of, target_path
from flake8_async_tests.inference.patches import mock_constructor
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.calls import receiver_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from flake8_async_tests.inference.patches import Patch
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# Where one of these is replaced as well, nothing is awaited that is handed to it.
_RUNNERS = frozenset(
    {
        "asyncio",
        "create_task",
        "ensure_future",
        "gather",
        "run",
        "run_coroutine_threadsafe",
        "run_until_complete",
        "wait_for",
    }
)


@rule("AT407", "sync-replacement-for-async", knows=Knows.PROJECT)
def check(module: Module) -> Iterator[Finding]:
    for patch in mocks_of(module).patches:
        replacement = patch.new if patch.new is not None else patch.new_callable
        if replacement is None or target_of(module, patch) is not Target.COROUTINE_FUNCTION:
            continue
        what = _what_is_wrong(module, patch, replacement)
        if what and not _may_be_meant(module, patch):
            yield Finding(
                replacement, f"{what} replaces a coroutine function, and its call cannot be awaited (use an AsyncMock)"
            )


def _what_is_wrong(module: Module, patch: Patch, replacement: ast.expr) -> str:
    """What the replacement is, in words, when its call certainly gives nothing awaitable."""
    kind = mock_constructor(module, replacement, patch.scope)
    mocks = mocks_of(module)
    if patch.new is None:
        if kind is None:
            made = mocks.at(replacement, patch.scope)
            return "the result of calling an AsyncMock" if made and all(mock.kind.is_async for mock in made) else ""
        put = mocks.put_there_by(patch)
        return (
            f"a {kind.value}" if put and all(never_gives_awaitable(module, mock, patch.scope) for mock in put) else ""
        )
    if kind is not None:
        return f"the class {kind.value}, not one of its instances,"
    given = mocks.at(replacement, patch.scope)
    if given:
        wrong = all(never_gives_awaitable(module, mock, patch.scope) for mock in given)
        return f"a {given[0].kind.value}" if wrong else ""
    if awaitability_of_result(module, replacement, patch.scope) is not Awaitable.NO:
        return ""
    return "a sync lambda" if isinstance(replacement, ast.Lambda) else "a sync function"


def _may_be_meant(module: Module, patch: Patch) -> bool:
    """Whether nothing may await what the replacement gives."""
    around = set(mocks_of(module).scopes_around(mocks_of(module).lives_in(patch)))
    return (
        _runner_is_replaced(module, patch, around)
        or _is_asserted_not_called(module, patch, around)
        or _is_found_by_its_path(module, patch, around)
        or _nothing_runs_coroutines(module, patch, around)
    )


def _runner_is_replaced(module: Module, patch: Patch, around: Collection[Scope]) -> bool:
    """Whether the same function replaces what would await the coroutine, too."""
    return any(
        target_path(module, other).rpartition(".")[2] in _RUNNERS
        for other in mocks_of(module).patches_in(around)
        if other.call is not patch.call
    )


def _is_asserted_not_called(module: Module, patch: Patch, around: Collection[Scope]) -> bool:
    put = set(mocks_of(module).put_there_by(patch))
    return any(
        call.scope in around and not put.isdisjoint(mocks_of(module).at(receiver, call.scope))
        for call in module.method_calls("assert_not_called")
        if (receiver := receiver_of(call.node)) is not None
    )


def _is_found_by_its_path(module: Module, patch: Patch, around: Collection[Scope]) -> bool:
    """Whether the function also hands the path on as a text: what looks it up may take a plain function, too."""
    path = patch.dotted
    if not path or path_in_library(path) in KNOWN_COROUTINE_FUNCTIONS:
        return False
    texts = {node for scope in around for node in _texts_in(scope) if node.value == path}
    return bool(texts - {other.target for other in mocks_of(module).patches})


def _texts_in(scope: Scope) -> Iterator[ast.Constant]:
    """The texts in the lists, dictionaries and calls of a scope."""
    for node in scope.nodes:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Constant):
                yield child


def _nothing_runs_coroutines(module: Module, patch: Patch, around: Collection[Scope]) -> bool:
    """Whether it stands in a sync test of something of the project, which starts no event loop in view."""
    test = module.test_of(module.function_at(mocks_of(module).lives_in(patch)))
    if test is None or test.is_async or path_in_library(target_path(module, patch)) in KNOWN_COROUTINE_FUNCTIONS:
        return False
    if module.imports("fastapi.testclient", "starlette.testclient"):
        return False
    runners = (*module.calls("asyncio.run", "anyio.run", "trio.run"), *module.method_calls("run_until_complete"))
    return not any(call.scope in around for call in runners)
