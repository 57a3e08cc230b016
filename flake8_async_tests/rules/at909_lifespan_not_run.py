"""AT909: a test client that never runs the app's start-up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.inference.lifespans import is_entered, is_started_in_view, start_up_of
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module

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
        if start_up:
            yield Finding(
                call.node,
                f"{call.name.rpartition('.')[2]}() does not start the app, which has {start_up}: what it sets up then"
                f" is missing in the test ({_REMEDIES[call.name]})",
            )
