"""AT701: an httpx client is given `app=`, which httpx 0.28 no longer takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module

TRANSPORTS = {"httpx.AsyncClient": "ASGITransport", "httpx.Client": "WSGITransport"}


@rule("AT701", "httpx-app-argument", knows=Knows.FILE)
def check(module: Module) -> Iterator[Finding]:
    for call in module.calls(*TRANSPORTS):
        for keyword in call.node.keywords:
            if keyword.arg == "app":
                client = call.name.rpartition(".")[2]
                yield Finding(
                    keyword,
                    f"{client}(app=..) is a TypeError since httpx 0.28"
                    f" (pass transport=httpx.{TRANSPORTS[call.name]}(app=..))",
                )
