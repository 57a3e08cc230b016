"""Clients, sessions and engines in view: what is built, annotated, or given by a fixture that can be read.

The libraries are httpx, aiohttp, Starlette's `TestClient` and SQLAlchemy's asyncio extension.
"""

from __future__ import annotations

import ast
from enum import Enum
from typing import TYPE_CHECKING

from flake8_async_tests.inference.replacing.patches import is_mocker, patched_parameters
from flake8_async_tests.inference.replacing.replaced import Replacements, method_may_be_replaced
from flake8_async_tests.inference.values.bindings import root_of
from flake8_async_tests.inference.values.elsewhere import find_elsewhere, function_meant
from flake8_async_tests.inference.values.flow import Binding, bindings_at, is_assigned_at
from flake8_async_tests.inference.values.flow import Kind as How
from flake8_async_tests.inference.values.instances import (
    annotated_in_class_body,
    given_in_class_body,
    given_to_attribute,
)
from flake8_async_tests.source.annotations import class_annotated
from flake8_async_tests.source.calls import keyword_value

if TYPE_CHECKING:
    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# How many steps (a name, a fixture, a function that hands it on) are followed from an expression.
_DEPTH = 10


class Kind(Enum):
    """What an expression holds, by the class that one would name in an annotation."""

    HTTPX_ASYNC_CLIENT = "httpx.AsyncClient"
    HTTPX_CLIENT = "httpx.Client"
    HTTPX_RESPONSE = "httpx.Response"
    AIOHTTP_SESSION = "aiohttp.ClientSession"
    AIOHTTP_RESPONSE = "aiohttp.ClientResponse"
    TEST_CLIENT = "starlette.testclient.TestClient"
    ASYNC_ENGINE = "sqlalchemy.ext.asyncio.AsyncEngine"
    ASYNC_CONNECTION = "sqlalchemy.ext.asyncio.AsyncConnection"
    ASYNC_SESSION = "sqlalchemy.ext.asyncio.AsyncSession"
    ASYNC_SESSIONMAKER = "sqlalchemy.ext.asyncio.async_sessionmaker"

    @property
    def coroutine_methods(self) -> frozenset[str]:
        """The methods that give something that has to be awaited."""
        return _COROUTINE_METHODS.get(self, frozenset())


HTTP_METHODS = frozenset({"delete", "get", "head", "options", "patch", "post", "put", "request"})
"""The request methods that all the clients have."""

_EXECUTORS = frozenset({"close", "commit", "execute", "invalidate", "rollback", "run_sync", "scalar", "scalars"})
_COROUTINE_METHODS = {
    Kind.HTTPX_ASYNC_CLIENT: HTTP_METHODS | {"aclose", "send"},
    Kind.HTTPX_RESPONSE: frozenset({"aclose", "aread"}),
    Kind.AIOHTTP_SESSION: HTTP_METHODS | {"close", "ws_connect"},
    Kind.AIOHTTP_RESPONSE: frozenset({"json", "read", "text"}),
    Kind.ASYNC_ENGINE: frozenset({"dispose", "raw_connection"}),
    Kind.ASYNC_CONNECTION: _EXECUTORS
    | {"aclose", "exec_driver_sql", "execution_options", "get_isolation_level", "get_raw_connection", "start"},
    Kind.ASYNC_SESSION: _EXECUTORS
    | {
        "aclose",
        "connection",
        "delete",
        "delete_all",
        "exec",
        "flush",
        "get",
        "get_one",
        "merge",
        "merge_all",
        "refresh",
        "reset",
        "stream",
        "stream_scalars",
    },
}

_BY_CLASS = {kind.value: kind for kind in Kind} | {"sqlmodel.ext.asyncio.session.AsyncSession": Kind.ASYNC_SESSION}
_BY_CALL = _BY_CLASS | {
    "sqlalchemy.ext.asyncio.async_engine_from_config": Kind.ASYNC_ENGINE,
    "sqlalchemy.ext.asyncio.create_async_engine": Kind.ASYNC_ENGINE,
}
_RESPONSES = {
    Kind.HTTPX_ASYNC_CLIENT: Kind.HTTPX_RESPONSE,
    Kind.AIOHTTP_SESSION: Kind.AIOHTTP_RESPONSE,
}

_SYNC_CLIENTS = frozenset({Kind.HTTPX_CLIENT, Kind.TEST_CLIENT})

# What a call of a method gives at once, when it is awaited, and when it is entered by `async with`.
_CALLED = {
    **{(kind, method): Kind.HTTPX_RESPONSE for kind in _SYNC_CLIENTS for method in HTTP_METHODS},
    (Kind.ASYNC_ENGINE, "execution_options"): Kind.ASYNC_ENGINE,
}
_AWAITED = {
    **{(kind, method): response for kind, response in _RESPONSES.items() for method in HTTP_METHODS},
    (Kind.HTTPX_ASYNC_CLIENT, "send"): Kind.HTTPX_RESPONSE,
    (Kind.ASYNC_ENGINE, "connect"): Kind.ASYNC_CONNECTION,
    (Kind.ASYNC_SESSION, "connection"): Kind.ASYNC_CONNECTION,
    (Kind.ASYNC_CONNECTION, "execution_options"): Kind.ASYNC_CONNECTION,
    (Kind.ASYNC_CONNECTION, "start"): Kind.ASYNC_CONNECTION,
}
_ENTERED = {
    **{(Kind.AIOHTTP_SESSION, method): Kind.AIOHTTP_RESPONSE for method in HTTP_METHODS},
    (Kind.HTTPX_ASYNC_CLIENT, "stream"): Kind.HTTPX_RESPONSE,
    (Kind.ASYNC_ENGINE, "begin"): Kind.ASYNC_CONNECTION,
    (Kind.ASYNC_ENGINE, "connect"): Kind.ASYNC_CONNECTION,
    (Kind.ASYNC_SESSIONMAKER, "begin"): Kind.ASYNC_SESSION,
}
_METHODS = frozenset(method for table in (_CALLED, _AWAITED, _ENTERED) for _, method in table)
_ENTER_THEMSELVES = frozenset(Kind) - {Kind.ASYNC_ENGINE, Kind.ASYNC_SESSIONMAKER}
_ENTERING_METHODS = frozenset({"enter_async_context", "enterAsyncContext"})
_SYNC_ENTERING_METHODS = frozenset({"enter_context", "enterContext"})


def kind_of(module: Module, node: ast.expr, scope: Scope) -> Kind | None:
    """What an expression certainly holds where it stands, or None."""
    return _kind(module, node, scope, _DEPTH)


def kind_annotated(module: Module, node: ast.expr | None, scope: Scope) -> Kind | None:
    """What an annotation promises."""
    return _BY_CLASS.get(class_annotated(module, node, scope)) if node is not None else None


def fixture_behind(function: Function, name: str) -> Fixture | None:
    """The fixture that a parameter of a test or of another fixture receives, when it can be read."""
    module = function.module
    fixture = module.fixture_of(function)
    if fixture is not None:
        klass, requests = function.klass, fixture.requests
    else:
        test = module.test_of(function)
        if test is None:
            return None
        klass, requests = test.klass, test.requests
    if name not in requests:
        return None
    beyond = fixture if fixture is not None and fixture.name == name else None
    return module.fixture_graph.find(name, klass, beyond=beyond)


def may_be_replaced(module: Module, name: str, scope: Scope) -> bool:
    """Whether a mock may stand in where a class or function of a library is called: a patch here or in a conftest."""
    word = name.rpartition(".")[2]
    if module.fact(Replacements).reaching(word, scope):
        return True
    conftests = module.project.conftests(module.directory).modules
    quoted = (f'{word}"', f"{word}'")
    return any(conftest is not module and any(text in conftest.text for text in quoted) for conftest in conftests)


def _kind(module: Module, node: ast.expr, scope: Scope, depth: int) -> Kind | None:
    if depth <= 0:
        return None
    if isinstance(node, (ast.Name, ast.Attribute)):
        return _of_name(module, node, scope, depth)
    if isinstance(node, ast.Call):
        return _of_call(module, node, scope, depth)
    if isinstance(node, ast.Await):
        return _awaited(module, node.value, scope, depth)
    if isinstance(node, ast.NamedExpr):
        return _kind(module, node.value, scope, depth - 1)
    return None


# -- calls ------------------------------------------------------------------------------------------------------------


def _of_call(module: Module, node: ast.Call, scope: Scope, depth: int) -> Kind | None:
    name = module.qualified(node.func, scope)
    if name in _BY_CALL:
        return _BY_CALL[name]
    if name == "sqlalchemy.orm.sessionmaker":
        made = keyword_value(node, "class_")
        is_async = made is not None and _BY_CLASS.get(module.qualified(made, scope)) is Kind.ASYNC_SESSION
        return Kind.ASYNC_SESSIONMAKER if is_async else None
    if isinstance(node.func, ast.Attribute):
        if node.func.attr in _METHODS:
            return _by_method(_CALLED, module, node.func, scope, depth)
        if node.func.attr in _SYNC_ENTERING_METHODS and len(node.args) == 1:
            return _entered_sync(module, node.args[0], scope, depth - 1)
    if _kind(module, node.func, scope, depth - 1) is Kind.ASYNC_SESSIONMAKER:
        return Kind.ASYNC_SESSION
    function = function_meant(module, node.func, scope)
    return _given_by(function, depth) if function is not None and not function.is_async else None


def _awaited(module: Module, node: ast.expr, scope: Scope, depth: int) -> Kind | None:
    if not isinstance(node, ast.Call):
        return None
    if isinstance(node.func, ast.Attribute):
        if node.func.attr in _METHODS:
            return _by_method(_AWAITED, module, node.func, scope, depth)
        if node.func.attr in _ENTERING_METHODS and len(node.args) == 1:
            return _entered(module, node.args[0], scope, depth - 1)
        if node.func.attr == "__aenter__":
            return _entered(module, node.func.value, scope, depth - 1)
    function = function_meant(module, node.func, scope)
    return _given_by(function, depth) if function is not None and function.is_coroutine_function else None


def _entered(module: Module, node: ast.expr, scope: Scope, depth: int) -> Kind | None:
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
            return _by_method(_ENTERED, module, node.func, scope, depth)
        function = function_meant(module, node.func, scope)
        if function is not None and _makes_context_manager(function):
            return _given_by(function, depth)
    kind = _kind(module, node, scope, depth - 1)
    return kind if kind in _ENTER_THEMSELVES else None


def _entered_sync(module: Module, node: ast.expr, scope: Scope, depth: int) -> Kind | None:
    kind = _kind(module, node, scope, depth)
    return kind if kind in _SYNC_CLIENTS else None


def _by_method(
    table: dict[tuple[Kind, str], Kind], module: Module, function: ast.Attribute, scope: Scope, depth: int
) -> Kind | None:
    receiver = _kind(module, function.value, scope, depth - 1)
    given = table.get((receiver, function.attr)) if receiver is not None else None
    if given is None or is_assigned_at(module, function, scope):
        return None
    # What stands in for the method may give anything.
    return None if method_may_be_replaced(module, function, scope, of_library=True) else given


def _makes_context_manager(function: Function) -> bool:
    return any(decorator.name == "contextlib.asynccontextmanager" for decorator in function.decorators)


# -- names ------------------------------------------------------------------------------------------------------------


def _of_name(module: Module, node: ast.Name | ast.Attribute, scope: Scope, depth: int) -> Kind | None:
    known = module.fact(_kinds_by_name)
    if node not in known:
        # Set before it is worked out, so that names which hold each other end.
        known[node] = None
        known[node] = _look_up(module, node, scope, depth)
    return known[node]


def _kinds_by_name(_: Module) -> dict[ast.expr, Kind | None]:
    """What is known so far of the names that were asked for."""
    return {}


def _look_up(module: Module, node: ast.Name | ast.Attribute, scope: Scope, depth: int) -> Kind | None:
    bindings = bindings_at(module, node, scope) or given_in_class_body(module, node, scope)
    if bindings and all(binding.kind is not How.IMPORTED for binding in bindings):
        kinds = {_bound(module, binding, depth - 1) for binding in bindings}
        return (kinds.pop() if len(kinds) == 1 else None) or _declared(module, node, scope, depth)
    declared = _declared(module, node, scope, depth)
    if declared is not None:
        return declared
    elsewhere = find_elsewhere(module, module.qualified(node, scope), is_assigned=True)
    if elsewhere is None or elsewhere.value is None:
        return None
    return _kind(elsewhere.module, elsewhere.value, elsewhere.module.scope, depth - 1)


def _declared(module: Module, node: ast.Name | ast.Attribute, scope: Scope, depth: int) -> Kind | None:
    """What the body of a class says that `self.client` is, where nothing gives it a mock or anything else."""
    if not isinstance(node, ast.Attribute):
        return None
    annotation = annotated_in_class_body(module, node, scope)
    kind = kind_annotated(module, *annotation) if annotation is not None else None
    if kind is None:
        return None
    given = given_to_attribute(module, node, scope)
    if any(
        _bound(module, each, depth - 1) not in (None, kind) or _is_mock_bound(module, each, depth - 1) for each in given
    ):
        return None
    return kind


def _bound(module: Module, binding: Binding, depth: int) -> Kind | None:
    if isinstance(binding.node, ast.arg):
        return _received(module, binding.node, binding.scope, depth)
    if binding.value is None:
        return None
    if binding.kind is How.ENTERED_ASYNC:
        return _entered(module, binding.value, binding.scope, depth)
    if binding.kind is How.ENTERED:
        return _entered_sync(module, binding.value, binding.scope, depth)
    if binding.kind is not How.ASSIGNED:
        return None
    kind = _kind(module, binding.value, binding.scope, depth)
    if kind is None and isinstance(binding.node, ast.AnnAssign) and not _is_mock(module, binding.value, binding.scope):
        return kind_annotated(module, binding.node.annotation, binding.scope)
    return kind


def _received(module: Module, parameter: ast.arg, scope: Scope, depth: int) -> Kind | None:
    """What a parameter receives: as annotated, unless its fixture gives a mock, or as the fixture gives it."""
    function = module.function_at(scope)
    if function is None:
        return None
    annotated = kind_annotated(module, parameter.annotation, function.outer)
    if annotated is not None:
        return None if _receives_mock(function, parameter.arg, depth) else annotated
    fixture = fixture_behind(function, parameter.arg)
    return _given_by(fixture.function, depth) if fixture is not None else None


# -- functions that hand it on --------------------------------------------------------------------------------------


def _given_by(function: Function, depth: int) -> Kind | None:
    """What a fixture or a helper gives: what it yields or returns, else what it is annotated to."""
    module, scope = function.module, function.scope
    values = list(function.values_given())
    kinds = {_kind(module, value, scope, depth - 1) for value in values}
    if len(kinds) == 1 and kinds != {None}:
        return kinds.pop()
    if any(_is_mock(module, value, scope) for value in values):
        return None
    return kind_annotated(module, function.node.returns, function.outer)


def _is_mock(module: Module, node: ast.expr, scope: Scope, depth: int = _DEPTH) -> bool:
    """Whether an expression is a mock: it may be annotated as the class that it stands for."""
    if depth <= 0:
        return False
    if isinstance(node, (ast.Name, ast.Attribute)):
        return any(_is_mock_bound(module, binding, depth - 1) for binding in bindings_at(module, node, scope))
    call = node.value if isinstance(node, ast.Await) else node
    if not isinstance(call, ast.Call):
        return False
    root = root_of(call.func)
    if module.qualified(call.func, scope).startswith("unittest.mock.") or (root and is_mocker(module, root, scope)):
        return True
    function = function_meant(module, call.func, scope)
    return function is not None and _gives_mock(function, depth - 1)


def _is_mock_bound(module: Module, binding: Binding, depth: int) -> bool:
    if isinstance(binding.node, ast.arg):
        function = module.function_at(binding.scope)
        return function is not None and _receives_mock(function, binding.node.arg, depth)
    return binding.value is not None and _is_mock(module, binding.value, binding.scope, depth)


def _receives_mock(function: Function, name: str, depth: int) -> bool:
    """Whether a parameter is given a mock by a fixture or by a `patch` above the function."""
    if name in patched_parameters(function):
        return True
    fixture = fixture_behind(function, name)
    return fixture is not None and _gives_mock(fixture.function, depth)


def _gives_mock(function: Function, depth: int) -> bool:
    return any(_is_mock(function.module, value, function.scope, depth) for value in function.values_given())
