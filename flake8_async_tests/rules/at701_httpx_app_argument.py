"""AT701: an httpx client is given `app=`, which httpx 0.28 no longer takes."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.edits import Spelled, insert_after, insert_before, safe, spell, text_of
from flake8_async_tests.inference.awaiting.consumption import is_expected_error
from flake8_async_tests.inference.places.precautions import is_reckoned_with
from flake8_async_tests.inference.replacing.replaced import function_may_be_replaced
from flake8_async_tests.rule import Finding, Fix, Knows, rule
from flake8_async_tests.source.calls import has_double_star, keyword_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module

TRANSPORTS = {"httpx.AsyncClient": "ASGITransport", "httpx.Client": "WSGITransport"}


@rule("AT701", "httpx-app-argument", knows=Knows.FILE, fix="safe", calls=TRANSPORTS)
def check(module: Module) -> Iterator[Finding]:
    for call in module.calls(*TRANSPORTS):
        for keyword in call.node.keywords:
            if keyword.arg == "app" and not _is_expected(module, call) and not function_may_be_replaced(call):
                client = call.name.rpartition(".")[2]
                yield Finding(
                    keyword,
                    f"{client}(app=..) is a TypeError since httpx 0.28"
                    f" (pass transport=httpx.{TRANSPORTS[call.name]}(app=..))",
                    _fix(module, call, keyword),
                )


def _is_expected(module: Module, call: Call) -> bool:
    """Whether the error is what is waited for, or other versions of httpx are provided for."""
    error = "builtins.TypeError"
    return is_expected_error(module, call.node, call.scope, error) or is_reckoned_with(
        module, call.node, call.scope, error
    )


def _fix(module: Module, call: Call, keyword: ast.keyword) -> Fix | None:
    transport = _transport(module, call)
    if transport is None or has_double_star(call.node) or keyword_value(call.node, "transport") is not None:
        return None
    before, after = insert_before(keyword, f"transport={transport.text}("), insert_after(keyword, ")")
    return safe(before, after, names=[transport])


def _transport(module: Module, call: Call) -> Spelled | None:
    """The transport from the library that the client is from: httpx and its successor may both be there."""
    client = call.node.func
    if isinstance(client, ast.Attribute):
        return Spelled(f"{text_of(module, client.value)}.{TRANSPORTS[call.name]}")
    owner = module.names.binding_scope(client.id, call.scope) if isinstance(client, ast.Name) else None
    bindings = owner.bindings[client.id] if isinstance(client, ast.Name) and owner is not None else []
    if not all(isinstance(binding, ast.ImportFrom) and binding.module == "httpx" for binding in bindings):
        return None
    return spell(module, call.scope, "httpx", TRANSPORTS[call.name], line=call.node.lineno)
