"""AT601: `time.sleep` in a coroutine stops the event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.edits import can_await, replace, spell, unsafe
from flake8_async_tests.inference.places.backends import runs_on_trio
from flake8_async_tests.inference.replacing.replaced import function_may_be_replaced
from flake8_async_tests.inference.values.numbers import number_of
from flake8_async_tests.rule import Finding, Fix, Knows, rule
from flake8_async_tests.runner import runner_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope


@rule("AT601", "blocking-sleep", knows=Knows.FILE, fix="unsafe", calls=("time.sleep",))
def check(module: Module) -> Iterator[Finding]:
    for call in module.calls("time.sleep"):
        function = call.function
        if function is None or not function.is_async or number_of(call.argument(0, "secs")) == 0:
            continue
        if not function_may_be_replaced(call):
            library = _library(module, call.scope)
            remedy = f"await {library}.sleep()" if library else "await asyncio.sleep() or trio.sleep()"
            yield Finding(
                call.node,
                f"time.sleep() in async {function.name} stops the event loop: nothing else runs, and no timeout can"
                f" interrupt it ({remedy})",
                _fix(call, library),
            )


def _fix(call: Call, library: str) -> Fix | None:
    module = call.module
    if not library or not call.is_statement or not can_await(module, call.node, call.scope):
        return None
    library = _library(module, call.scope)
    name = spell(module, call.scope, library, "sleep", line=call.node.lineno)
    return unsafe(replace(call.node.func, f"await {name.text}"), names=[name]) if name is not None else None


def _library(module: Module, scope: Scope) -> str:
    """Whose sleep is the one to await; "" where it may be trio's, or asyncio's as well."""
    if module.imports("anyio"):
        # Its own does on whatever backend the code runs.
        return "anyio"
    if runs_on_trio(module, scope):
        return "trio"
    if module.imports("trio"):
        return ""
    # The import that the fix of one function adds must not decide about that of another: the whole file is asked.
    is_unknown = any(test.function.is_async and runner_of(test).is_unknown for test in module.tests)
    return "" if is_unknown and not module.imports("asyncio") else "asyncio"
