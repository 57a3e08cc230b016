"""Which calls give a coroutine: those of the *known coroutine functions*, and where nothing awaits one."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.awaiting.candidates import CLIENTS, Candidates
from flake8_async_tests.inference.awaiting.definitions import meaning_of, method_of
from flake8_async_tests.inference.clients.known import kind_of
from flake8_async_tests.inference.mocks.known import mocks_of
from flake8_async_tests.inference.replacing.replaced import method_may_be_replaced
from flake8_async_tests.inference.values.bindings import path_of
from flake8_async_tests.inference.values.flow import Binding, Kind, bindings_at, is_assigned_at
from flake8_async_tests.source.calls import Call
from flake8_async_tests.source.coroutines import CoroutineFunction
from flake8_async_tests.source.known_coroutines import UNKNOWN_SIGNATURE

if TYPE_CHECKING:
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# How many names are followed from one to the next (`f = fetch`).
_MOST_ALIASES = 4


def coroutine_function_called(call: Call) -> str:
    """The name to show of the known coroutine function that a call calls, "" when it is none.

    A call that does not fit the function's signature is none either: it raises a TypeError at once.
    """
    found = _found(call.module, call.node.func, call.scope)
    if found is None or not found.function.accepts(call.node, through_instance=found.through_instance):
        return ""
    return found.shown


def fits_for_sure(call: Call) -> bool:
    """Whether a call of a known coroutine function is known not to raise a TypeError at once."""
    found = _found(call.module, call.node.func, call.scope)
    return found is not None and found.function.signature is not None


def coroutine_function_named(module: Module, node: ast.expr, scope: Scope) -> str:
    """The name to show of the known coroutine function that an expression is (not a call of it), or ""."""
    found = _found(module, node, scope)
    return found.shown if found is not None else ""


def suspects(module: Module) -> list[Call]:
    """The calls that may be of known coroutine functions, by their names, and are dropped or may be looked at.

    What they are of costs something to find out: who asks should look first whether it matters where they stand.
    """
    return module.fact(_suspects)


def may_be_of_coroutine_function(module: Module, call: ast.Call, scope: Scope) -> bool:
    """Whether a call may be of a known coroutine function: the cheap question, to be asked first."""
    return module.fact(Candidates).may_be_function(call.func, scope)


def words_of_coroutine_functions(module: Module) -> set[str]:
    """The last words of all calls that may be so, unless they are awaited or returned: the cheapest question."""
    return module.fact(Candidates).words


def _suspects(module: Module) -> list[Call]:
    found = [Call(module, node, scope, None, holder) for node, scope, holder in module.fact(Candidates).calls()]
    found.sort(key=lambda call: (call.node.lineno, call.node.col_offset))
    return found


class _Found:
    """A known coroutine function, as it is reached from some place."""

    __slots__ = ("function", "shown", "through_instance")

    def __init__(self, function: CoroutineFunction, node: ast.expr, *, through_instance: bool = False) -> None:
        self.function = function
        self.shown = path_of(node) or (f"(...).{node.attr}" if isinstance(node, ast.Attribute) else "(...)")
        self.through_instance = through_instance


def _found(module: Module, node: ast.expr, scope: Scope) -> _Found | None:
    known = module.fact(_answers)
    if node not in known:
        known[node] = _look_up(module, node, scope, _MOST_ALIASES)
    return known[node]


def _answers(_: Module) -> dict[ast.expr, _Found | None]:  # filled when one is asked for
    return {}


def _look_up(module: Module, node: ast.expr, scope: Scope, aliases: int) -> _Found | None:
    candidates = module.fact(Candidates)
    if not isinstance(node, (ast.Name, ast.Attribute)):
        return None
    found = _defined(module, node, scope) if candidates.may_be_defined(node, scope) else None
    if found is None and candidates.may_hold_function(node):
        found = _mocked(module, node, scope) or _assigned(module, node, scope, aliases)
    return found


def _defined(module: Module, node: ast.Name | ast.Attribute, scope: Scope) -> _Found | None:
    """A function or method of this file, of the project or of a library."""
    if isinstance(node, ast.Name) or module.qualified(node, scope):
        meaning = meaning_of(module, node, scope)
        return _Found(meaning, node) if isinstance(meaning, CoroutineFunction) else None
    method, through_instance = method_of(module, node, scope)
    if method is not None:
        return _Found(method, node, through_instance=through_instance)
    kind = kind_of(module, node.value, scope) if module.fact(Candidates).may_be_of_client(node) else None
    if kind not in CLIENTS or node.attr not in kind.coroutine_methods:
        return None
    if is_assigned_at(module, node, scope) or method_may_be_replaced(module, node, scope, of_library=True):
        return None
    return _Found(UNKNOWN_SIGNATURE, node)


def _mocked(module: Module, node: ast.expr, scope: Scope) -> _Found | None:
    """A name or attribute that was itself bound to an AsyncMock, not the child of one."""
    mocks = mocks_of(module).at(node, scope)
    if mocks and all(mock.kind.is_async and not mock.path for mock in mocks):
        return _Found(UNKNOWN_SIGNATURE, node)
    return None


def _assigned(module: Module, node: ast.expr, scope: Scope, aliases: int) -> _Found | None:
    """A name or path to which a known coroutine function was assigned."""
    found = [_given(module, binding, aliases) for binding in bindings_at(module, node, scope)]
    first = found[0] if found else None
    if first is None or None in found:
        return None
    return _Found(first.function, node, through_instance=first.through_instance)


def _given(module: Module, binding: Binding, aliases: int) -> _Found | None:
    if binding.kind is not Kind.ASSIGNED or binding.value is None or not aliases:
        return None
    return _look_up(module, binding.value, binding.scope, aliases - 1)
