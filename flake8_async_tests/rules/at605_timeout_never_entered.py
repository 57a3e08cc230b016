"""AT605: a timeout is made and never entered, or entered in the wrong way."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.edits import enter_for_rest, insert_before, unsafe
from flake8_async_tests.inference.awaiting.consumption import is_expected_error
from flake8_async_tests.inference.places.backends import runs_on_trio
from flake8_async_tests.inference.places.parts import entered_by, is_last_before_failure
from flake8_async_tests.inference.places.precautions import is_reckoned_with
from flake8_async_tests.inference.replacing.replaced import function_may_be_replaced
from flake8_async_tests.inference.uses.assignments import assignment_by
from flake8_async_tests.inference.uses.handover import is_shared, loads_of
from flake8_async_tests.rule import Finding, Fix, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module

_OF_ASYNCIO = ("asyncio.timeout", "asyncio.timeout_at")
_OF_ANYIO = ("anyio.fail_after", "anyio.move_on_after")
# What a plain `with` comes to: since Python 3.11, and before.
_ERRORS = ("builtins.TypeError", "builtins.AttributeError")


@rule("AT605", "timeout-never-entered", knows=Knows.FILE, fix="unsafe", calls=(*_OF_ASYNCIO, *_OF_ANYIO))
def check(module: Module) -> Iterator[Finding]:
    for call in module.calls(*_OF_ASYNCIO, *_OF_ANYIO):
        problem = _problem(call)
        if not problem or _is_to_raise(call) or function_may_be_replaced(call):
            continue
        if is_reckoned_with(module, call.node, call.scope, *_ERRORS):
            continue
        if call.name in _OF_ASYNCIO and runs_on_trio(module, call.scope):
            continue
        entering = "async with" if call.name in _OF_ASYNCIO else "with"
        yield Finding(call.node, f"{call.name}() {problem} (write {entering} {call.name}(..):)", _fix(call, entering))


def _fix(call: Call, entering: str) -> Fix | None:
    """The plain `with` becomes an async one, and around the rest of the block there is one."""
    if not isinstance(call.scope.node, ast.AsyncFunctionDef):
        return None
    parent = call.parent
    block = call.scope.parents[parent] if isinstance(parent, ast.withitem) else None
    if isinstance(block, ast.With):
        return unsafe(insert_before(block, "async ")) if len(block.items) == 1 else None
    # Around a `yield` it would limit what comes in between, and not at all in a fixture.
    is_generator = call.function is not None and call.function.is_generator
    if isinstance(parent, (ast.Expr, ast.Assign, ast.AnnAssign)) and not is_generator:
        return unsafe(*enter_for_rest(call.module, parent, call.node, call.scope, f"{entering} "))
    return None


def _problem(call: Call) -> str:
    """What is wrong with it, as a message says it; "" when it is entered, or may be."""
    if call.is_statement:
        return "is never entered: nothing has a timeout"
    block = entered_by(call.module, call.node)
    if block is not None:
        is_wrong = isinstance(block, ast.With) and call.name in _OF_ASYNCIO
        return "is entered by a plain with: TypeError" if is_wrong else ""
    assignment = assignment_by(call)
    if assignment is not None and not any(_is_used(call, name) for name in assignment.names):
        return "is assigned and never entered: nothing has a timeout"
    return ""


def _is_to_raise(call: Call) -> bool:
    """Whether it is this that is to fail, and not what comes after it: `pytest.raises(TimeoutError)` waits for that."""
    errors = (*_ERRORS, "")
    return is_last_before_failure(call.module, call.node, call.scope) or any(
        is_expected_error(call.module, call.node, call.scope, error) for error in errors
    )


def _is_used(call: Call, name: ast.Name) -> bool:
    if call.scope.is_function:
        return bool(loads_of(call.module, name.id, call.scope)) or is_shared(call.module, name.id, call.scope)
    # What a module or class binds others may import or ask for.
    return True
