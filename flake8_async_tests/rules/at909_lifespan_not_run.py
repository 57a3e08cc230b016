"""AT909: a test client that never runs the app's start-up."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.clients.lifespans import is_entered, is_started_in_view, start_up_of
from flake8_async_tests.requesters import requesting_tests_anywhere
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.tests import Test

_TRANSPORT = "httpx.ASGITransport"
_CLIENT = "starlette.testclient.TestClient"

_REMEDIES = {
    _TRANSPORT: "enter app.router.lifespan_context(app), or a LifespanManager, around the client",
    _CLIENT: "enter the client by with",
}


@rule("AT909", "lifespan-not-run", knows=Knows.PROJECT)
def check(module: Module) -> Iterator[Finding]:
    calls = module.calls(*_REMEDIES)
    if not calls or is_started_in_view(module):
        return
    for call in calls:
        app = call.argument(0, "app")
        if app is None or (call.name == _CLIENT and is_entered(call)):
            continue
        start_up = start_up_of(module, app, call.scope)
        if start_up and not (call.name == _CLIENT and _is_entered_by_tests(call)):
            yield Finding(
                call.node,
                f"{call.name.rpartition('.')[2]}() does not start the app, which has {start_up}: what it sets up then"
                f" is missing in the test ({_REMEDIES[call.name]})",
            )


def _is_entered_by_tests(client: Call) -> bool:
    """Whether a fixture gives the client to tests of other files, one of which enters it."""
    module = client.module
    function = module.function_at(client.scope)
    fixture = module.fixture_of(function) if function is not None else None
    if fixture is None or module.matches_python_files:
        return False
    return any(_enters(test, fixture.name) for test, _ in requesting_tests_anywhere(fixture))


def _enters(test: Test, name: str) -> bool:
    """Whether a test enters what a fixture of that name gives it."""
    return any(
        isinstance(item.context_expr, ast.Name) and item.context_expr.id == name
        for block in test.function.scope.of(ast.With)
        if isinstance(block, ast.With)
        for item in block.items
    )
