"""AT512: an event loop policy is set."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.backends import runs_on_trio
from flake8_async_tests.inference.places import clears_up, place_of
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module


@rule("AT512", "event-loop-policy-set", knows=Knows.FILE)
def check(module: Module) -> Iterator[Finding]:
    calls = module.calls("asyncio.set_event_loop_policy")
    for call in calls:
        if _gives_back(call, calls) or runs_on_trio(module, call.scope):
            continue
        yield Finding(
            call.node,
            "asyncio.set_event_loop_policy() is overridden by pytest-asyncio's own policy and deprecated since Python"
            " 3.14 (choose the loop by the hook pytest_asyncio_loop_factories)",
        )


def _gives_back(call: Call, calls: list[Call]) -> bool:
    """Whether the default policy is put back: in teardown, or after another one was set in the same function."""
    policy = call.argument(0, "policy")
    if not isinstance(policy, ast.Constant) or policy.value is not None:
        return False
    if clears_up(call.module, call.node, call.scope):
        return True
    return any(other.scope is call.scope and place_of(other.node) < place_of(call.node) for other in calls)
