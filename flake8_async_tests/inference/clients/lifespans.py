"""What an ASGI app does when it starts, and what in a test file makes it do so."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from flake8_async_tests.inference.clients.constructions import constructions_of
from flake8_async_tests.inference.uses.handover import captures, is_inert_call, loads_of
from flake8_async_tests.inference.values.elsewhere import function_meant
from flake8_async_tests.source.calls import keyword_value, receiver_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_APPS = frozenset(
    {
        "fastapi.FastAPI",
        "fastapi.applications.FastAPI",
        "litestar.Litestar",
        "litestar.app.Litestar",
        "starlette.applications.Starlette",
    }
)
_REGISTERING = ("add_event_handler", "on_event")
_ENTERING_METHODS = ("__enter__", "enterContext", "enter_context")
# As an attribute or the name of one: nothing tells whose it is, and in doubt it is the app's router's.
_STARTING = re.compile(r"\.lifespan_context\b|[\"']lifespan_context[\"']|\.router\.startup\(")


def start_up_of(module: Module, app: ast.expr, scope: Scope) -> str:
    """What an app in view does when it starts, in words; "" when it does nothing, or is not in view."""
    for built in constructions_of(module, app, scope):
        if built.name not in _APPS:
            return ""
        for keyword, words in (("lifespan", "a lifespan"), ("on_startup", "startup handlers")):
            given = keyword_value(built.node, keyword)
            if given is not None and not _may_be_nothing(built.module, given, built.scope):
                return "" if _is_called(module, built, given) else words
        if any(True for _ in _registrations(built)):
            return "startup handlers"
    return ""


def _may_be_nothing(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether that is no lifespan and no handler, or one only where something else says so."""
    if isinstance(node, ast.IfExp):
        return any(_may_be_nothing(module, each, scope) for each in (node.body, node.orelse))
    value = module.value_of(node, scope)
    if isinstance(value, ast.Name):
        owner = module.names.binding_scope(value.id, scope)
        return owner is not None and any(isinstance(binding, ast.arg) for binding in owner.bindings[value.id])
    return (isinstance(value, ast.Constant) and not value.value) or (
        isinstance(value, (ast.List, ast.Tuple)) and not value.elts
    )


def _registrations(built: Call) -> Iterator[Call]:
    """The calls that register a startup handler with an app, beside where it is built."""
    module = built.module
    for call in module.method_calls(*_REGISTERING):
        event = call.argument(0, "event_type")
        receiver = receiver_of(call.node)
        if isinstance(receiver, ast.Attribute) and receiver.attr == "router":
            receiver = receiver.value
        if receiver is None or not isinstance(event, ast.Constant) or event.value != "startup":
            continue
        if any(each.node is built.node for each in constructions_of(module, receiver, call.scope)):
            yield call


def is_started_in_view(module: Module) -> bool:
    """Whether the file, or a conftest above it, has means to run some app's lifespan."""
    return any(map(_starts_apps, _in_view(module)))


def _starts_apps(module: Module) -> bool:
    return module.imports("asgi_lifespan") or bool(_STARTING.search(module.text))


def _in_view(module: Module) -> list[Module]:
    conftests = module.project.conftests(module.directory).modules
    return [module, *(conftest for conftest in conftests if conftest is not module)]


def _is_called(module: Module, built: Call, lifespan: ast.expr) -> bool:
    """Whether a test or fixture enters the lifespan function itself (`async with lifespan(app):`)."""
    function = function_meant(built.module, lifespan, built.scope)
    if function is None:
        return False
    return any(
        function_meant(each, node.func, scope) is function
        for each in _in_view(module)
        for tail in each.names.tails_of(function.name)
        for node, scope, _ in each.index.calls.get(tail, ())
    )


def is_entered(client: Call) -> bool:
    """Whether a client is entered by a `with`, or may be by whoever it is given to."""
    parent = client.parent
    if isinstance(parent, (ast.withitem, ast.keyword)) or (isinstance(parent, ast.Call) and client.node in parent.args):
        return True
    if isinstance(client.scope.node, ast.Lambda) or (
        isinstance(parent, ast.Return) and client.scope.parent is not None and client.scope.parent.is_function
    ):
        # Who calls that may enter what it gives.
        return True
    return client.node in client.module.fact(_made_by) or _is_handed_over(client)


def _made_by(module: Module) -> set[ast.Call]:
    """The calls that made, or may have made, what is entered somewhere in a file."""
    entered = _entered_in(module)
    return {made.node for expression, scope in entered for made in constructions_of(module, expression, scope)}


def _is_handed_over(client: Call) -> bool:
    """Whether somebody is given the client by its name, who may enter it."""
    module, scope = client.module, client.scope
    if not isinstance(client.parent, ast.Assign):
        return False
    names = [target.id for target in client.parent.targets if isinstance(target, ast.Name)]
    reads = [(read, scope) for name in names for read in loads_of(module, name, scope)]
    reads += [capture for name in names for capture in captures(module, name, scope)]
    return any(_may_be_entered_by_callee(module, read, within) for read, within in reads)


def _may_be_entered_by_callee(module: Module, node: ast.Name, scope: Scope) -> bool:
    """Whether a name is given to a function that enters one of its parameters, or that is not in view."""
    parent = scope.parents[node]
    call = scope.parents[parent] if isinstance(parent, ast.keyword) else parent
    if not isinstance(call, ast.Call) or call.func is node or is_inert_call(module, call, scope):
        return False
    callee = function_meant(module, call.func, scope)
    return callee is None or any(
        isinstance(entered, ast.Name) and entered.id in callee.parameters
        for entered, within in _entered_in(callee.module)
        if within is callee.scope
    )


def _entered_in(module: Module) -> Iterator[tuple[ast.expr, Scope]]:
    for block, scope in module.of_kind(ast.With):
        for item in block.items:
            yield item.context_expr, scope
    for call in module.method_calls(*_ENTERING_METHODS):
        assert isinstance(call.node.func, ast.Attribute)
        yield call.node.args[0] if call.node.args else call.node.func.value, call.scope
