"""AT407: a coroutine function is replaced by something whose call cannot be awaited."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.edits import insert_after, insert_before, is_literal, replace, text_of, unsafe
from flake8_async_tests.inference.coroutines.awaitables import Awaitable, awaitability_of_result, never_gives_awaitable
from flake8_async_tests.inference.mocks.known import mocks_of
from flake8_async_tests.inference.mocks.targets import (
    Target,
    path_in_library,
    replaces_function,
    target_of,
    target_path,
)
from flake8_async_tests.inference.mocks.uses import MockUses
from flake8_async_tests.inference.replacing.mock_values import MockKind
from flake8_async_tests.inference.replacing.patches import mock_constructor
from flake8_async_tests.mock_edits import awaitable_instead, other_class, other_class_at_origin, spelled_class
from flake8_async_tests.rule import Finding, Fix, Knows, rule
from flake8_async_tests.source.known_coroutines import KNOWN_COROUTINE_FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.inference.replacing.mock_values import Mock
    from flake8_async_tests.inference.replacing.patches import Patch
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


@rule("AT407", "sync-replacement-for-async", knows=Knows.PROJECT, fix="unsafe")
def check(module: Module) -> Iterator[Finding]:
    # The first argument is what is replaced.
    for patch in mocks_of(module).patches_where(lambda call: bool(call.keywords) or len(call.args) > 1):
        replacement = patch.new if patch.new is not None else patch.new_callable
        if replacement is None:
            continue
        # What it replaces may stand in another file: asked last.
        what = _what_is_wrong(module, patch, replacement)
        if what and target_of(module, patch) is Target.COROUTINE_FUNCTION and not _may_be_meant(module, patch):
            yield Finding(
                replacement,
                f"{what} replaces a coroutine function, and its call cannot be awaited (use an AsyncMock)",
                _fix(module, patch),
            )


def _fix(module: Module, patch: Patch) -> Fix | None:
    """An AsyncMock that does what the replacement did."""
    new, scope = patch.new, patch.scope
    if new is None:
        return _fix_of_callable(module, patch)
    if mock_constructor(module, new, scope) is MockKind.ASYNC:
        return unsafe(insert_after(new, "()"))
    if mock_constructor(module, new, scope) is not None:
        return other_class(module, new, scope, MockKind.ASYNC, insert_after(new, "()"))
    given = mocks_of(module).at(new, scope)
    if given:
        is_made_here = isinstance(new, ast.Call) and mocks_of(module).constructed(new, scope) is not None
        if is_made_here:
            return other_class_at_origin(module, given[0].origin, MockKind.ASYNC)
        return awaitable_instead(module, given[0], is_awaited=True) if len(given) == 1 else None
    name = spelled_class(module, patch.call.func, scope, MockKind.ASYNC)
    if name is None:
        return None
    if isinstance(new, ast.Lambda) and is_literal(new.body):
        return unsafe(replace(new, f"{name.text}(return_value={text_of(module, new.body)})"), names=[name])
    function = module.function_by_name(new, scope)
    if not replaces_function(module, patch) or (function is not None and function.is_generator):
        return None
    return unsafe(insert_before(new, f"{name.text}(side_effect="), insert_after(new, ")"), names=[name])


def _fix_of_callable(module: Module, patch: Patch) -> Fix | None:
    """The class of an AsyncMock as `new_callable`."""
    new = patch.new_callable
    if not isinstance(new, ast.Call):
        return other_class(module, new, patch.scope, MockKind.ASYNC) if new is not None else None
    return None if new.args or new.keywords else unsafe(replace(new, text_of(module, new.func)))


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
    return (
        _runner_is_replaced(module, patch)
        or not module.fact(_asserted_not_called).isdisjoint(mocks_of(module).put_there_by(patch))
        or _is_found_by_its_path(module, patch)
        or _nothing_runs_coroutines(module, patch)
    )


def _runner_is_replaced(module: Module, patch: Patch) -> bool:
    """Whether the same function replaces what would await the coroutine, too."""
    mocks = mocks_of(module)
    return any(
        target_path(module, other).rpartition(".")[2] in _RUNNERS
        for other in mocks.patches_around(mocks.lives_in(patch))
        if other.call is not patch.call
    )


def _asserted_not_called(module: Module) -> set[Mock]:
    found: set[Mock] = set()
    for call in module.method_calls("assert_not_called"):
        assert isinstance(call.node.func, ast.Attribute)
        found.update(mocks_of(module).at(call.node.func.value, call.scope))
    return found


def _is_found_by_its_path(module: Module, patch: Patch) -> bool:
    """Whether the function also hands the path on as a text: what looks it up may take a plain function, too."""
    mocks, path = mocks_of(module), patch.dotted
    if not path or path_in_library(path) in KNOWN_COROUTINE_FUNCTIONS:
        return False
    around = mocks.scopes_around(mocks.lives_in(patch))
    texts = {node for scope in around for node in _texts_in(scope) if node.value == path}
    # Decorators stand in the scope around what they decorate, and so may a constant that names what they replace.
    return bool(texts and texts - {module.value_of(other.target, other.scope) for other in mocks.patches})


def _texts_in(scope: Scope) -> Iterator[ast.Constant]:
    """The texts in the lists, dictionaries and calls of a scope."""
    for node in scope.nodes:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Constant):
                yield child


def _nothing_runs_coroutines(module: Module, patch: Patch) -> bool:
    """Whether a sync test that starts no event loop in view only looks at how something of the project was called."""
    mocks = mocks_of(module)
    scopes = mocks.scopes_around(mocks.lives_in(patch))
    test = module.test_of(module.function_at(scopes[0]))
    if test is None or test.is_async or path_in_library(target_path(module, patch)) in KNOWN_COROUTINE_FUNCTIONS:
        return False
    if module.imports("fastapi.testclient", "starlette.testclient"):
        return False
    if not module.fact(_running_scopes).isdisjoint(scopes):
        return False
    uses = MockUses(module, scopes)
    names = (name for mock in mocks.put_there_by(patch) for name in uses.names_on(mock))
    return any(name.startswith(("assert_", "call")) for name in names)


def _running_scopes(module: Module) -> set[Scope]:
    """Where an event loop is started."""
    calls = (*module.calls("asyncio.run", "anyio.run", "trio.run"), *module.method_calls("run_until_complete"))
    return {call.scope for call in calls}
