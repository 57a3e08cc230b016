"""Patches that put something in the place of `asyncio.sleep` which never gives the event loop a turn."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from flake8_async_tests.inference.mocks.known import mocks_of
from flake8_async_tests.inference.mocks.targets import names_of_target, path_in_library, target_path
from flake8_async_tests.inference.places.parts import nodes_of
from flake8_async_tests.inference.replacing.mock_values import SIDE_EFFECT, MockKind
from flake8_async_tests.inference.replacing.patches import Patch, mock_constructor, patches_by
from flake8_async_tests.record import record
from flake8_async_tests.source.calls import keyword_value
from flake8_async_tests.source.names import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

SLEEP = "asyncio.sleep"
PATCHING = ("patch", "object", "setattr", "multiple")
"""What is called to put something else in its place."""

_FROM_ASYNCIO = re.compile(rb"from\s+asyncio\s+import")
# What gets another name for a sleep: by an import, and by an assignment at the top of a module.
_SLEEP_AS = re.compile(rb"sleep\s+as\s+(\w+)")
_GIVEN_SLEEP = re.compile(rb"^(\w+)\b[^=\n(]*=[^\n]*sleep", re.MULTILINE)


@record
class FakeSleep:
    """A patch of `asyncio.sleep` after which nothing that sleeps suspends."""

    call: ast.Call
    scope: Scope
    path: str
    """`asyncio.sleep`, or that of the name under which a module of the project imported it."""
    maker: ast.expr
    """What makes the replacement, as the mocks of the file know it."""
    importer: Module | None
    """The module that imported it, where only its name is replaced."""
    touched: frozenset[str]
    """The names that the replacement changes when it is called."""


def fake_sleeps(module: Module, condition: Callable[[Call], bool]) -> Iterator[FakeSleep]:
    """The patches of `asyncio.sleep` by what never suspends, in the order of the file.

    Only those that meet a condition: what a patch replaces may stand in another file.
    """
    if "sleep" not in module.text:
        return
    calls = module.calls("unittest.mock.patch", "unittest.mock.patch.object")
    calls += module.method_calls(*PATCHING)
    told: set[ast.Call] = set()
    for call in calls:
        if call.node in told or not condition(call):
            continue
        told.add(call.node)
        for patch in patches_by(module, call.node, call.scope):
            path, importer = _replaced(module, patch)
            touched = _touched(module, patch) if path else None
            if touched is not None:
                yield FakeSleep(call.node, call.scope, path, _maker(module, patch), importer, touched)


def _replaced(module: Module, patch: Patch) -> tuple[str, Module | None]:
    """The path of the sleep that a patch replaces, and where that is no more than an imported name, its module."""
    path = target_path(module, patch)
    if path_in_library(path) == SLEEP:
        return SLEEP, None
    owner, _, name = path.rpartition(".")
    if owner and any(f"{canonical(whole)}.{name}" == SLEEP for whole, _ in names_of_target(module, owner)):
        return SLEEP, None
    found = module.project.find_import(owner, module) if owner else None
    is_likely = found is not None and _may_be_sleep(module, found, name)
    source = module.project.module_at(found) if found is not None and is_likely else None
    if source is None or name not in source.scope.bindings:
        return "", None
    if source.qualified(ast.Name(name, ast.Load()), source.scope) != SLEEP:
        return "", None
    return path, source


def _may_be_sleep(module: Module, path: str, name: str) -> bool:
    """Whether by its text a module imports a sleep under a name, or assigns something to that."""
    content = module.project.files.read(path) or b""
    if b"sleep" not in content or b"asyncio" not in content:
        return False
    imported = module.project.outlines.imported_as(path, name)
    if imported:
        return imported.endswith(".sleep")
    if name == "sleep" and _FROM_ASYNCIO.search(content):
        return True
    word = name.encode(errors="replace")
    return word in content and any(word in pattern.findall(content) for pattern in (_SLEEP_AS, _GIVEN_SLEEP))


def _touched(module: Module, patch: Patch) -> frozenset[str] | None:
    """What the replacement changes when it is called; None when it may suspend, raise or end what calls it."""
    if patch.new is not None:
        return _touched_by(module, patch.new, patch.scope)
    is_mock = patch.makes_mock and (
        patch.new_callable is None or _is_async_mock(module, patch.new_callable, patch.scope)
    )
    if not is_mock or may_get_side_effect(module, patch.call, patch.scope):
        return None
    return _touched_by_mock(module, patch.call, patch.scope)


def _is_async_mock(module: Module, node: ast.expr, scope: Scope) -> bool:
    return mock_constructor(module, node, scope) is MockKind.ASYNC


def _touched_by(module: Module, replacement: ast.expr, scope: Scope) -> frozenset[str] | None:
    value = module.value_of(replacement, scope)
    if isinstance(value, ast.Call):
        is_mock = _is_async_mock(module, value.func, scope) and len(value.args) < 2
        if not is_mock or may_get_side_effect(module, value, scope):
            return None
        return _touched_by_mock(module, value, scope)
    definition = module.names.definition(value, scope)
    if isinstance(definition, ast.AsyncFunctionDef) and not definition.decorator_list:
        return _touched_by_body(definition.body)
    return None


def _touched_by_mock(module: Module, call: ast.Call, scope: Scope) -> frozenset[str] | None:
    """The same for a mock, by the keywords that make it."""
    if any(keyword.arg in (None, "wraps") for keyword in call.keywords):
        return None
    effect = keyword_value(call, SIDE_EFFECT)
    if effect is None or (isinstance(effect, ast.Constant) and effect.value is None):
        return frozenset()
    effect = module.value_of(effect, scope)
    if isinstance(effect, ast.Lambda):
        return _touched_by_body([ast.Expr(effect.body)])
    definition = module.names.definition(effect, scope)
    if isinstance(definition, (ast.FunctionDef, ast.AsyncFunctionDef)) and not definition.decorator_list:
        return _touched_by_body(definition.body)
    return None


def _maker(module: Module, patch: Patch) -> ast.expr:
    return module.value_of(patch.new, patch.scope) if patch.new is not None else patch.call


def may_get_side_effect(module: Module, maker: ast.expr, scope: Scope) -> bool:
    """Whether a `side_effect` that is set in a function may be that of the mock that something makes."""
    return any(_may_be(module, maker, owner, scope) for owner in module.fact(_owners_of_side_effects).get(scope, ()))


def _may_be(module: Module, maker: ast.expr, owner: ast.expr, scope: Scope) -> bool:
    """Whether what gets a `side_effect` is not known to be another mock, or a part of one."""
    mocks = mocks_of(module).at(owner, scope)
    return not mocks or any(mock.origin.node is maker for mock in mocks)


def _owners_of_side_effects(module: Module) -> dict[Scope, list[ast.expr]]:
    found: dict[Scope, list[ast.expr]] = {}
    for node, scope in module.of_kind(ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Attribute) and target.attr == SIDE_EFFECT:
                found.setdefault(scope, []).append(target.value)
    return found


def _touched_by_body(body: list[ast.stmt]) -> frozenset[str] | None:
    touched: set[str] = set()
    for statement in body:
        names = _touched_by_statement(statement)
        if names is None:
            return None
        touched |= names
    return frozenset(touched)


def _touched_by_statement(statement: ast.stmt) -> set[str] | None:
    """The names that a harmless statement changes: it notes the call, counts it, or returns a constant."""
    if isinstance(statement, (ast.Pass, ast.Global, ast.Nonlocal)):
        return set()
    if isinstance(statement, ast.Return):
        return set() if statement.value is None or isinstance(statement.value, ast.Constant) else None
    if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
        return {statement.target.id}
    if not isinstance(statement, ast.Expr):
        return None
    value = statement.value
    if isinstance(value, ast.Call):
        notes = isinstance(value.func, ast.Attribute) and value.func.attr in ("add", "append")
        return {node.id for node in nodes_of([value]) if isinstance(node, ast.Name)} if notes else None
    return set() if isinstance(value, ast.Constant) else None
