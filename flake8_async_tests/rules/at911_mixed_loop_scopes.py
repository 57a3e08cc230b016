"""AT911: tests side by side that do not share one event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.loops import loop_of_test
from flake8_async_tests.record import record
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.functions import ClassKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope


@record
class _Marked:
    """The first test of a class body or module that has a mark of its own, and the loop scope that this gives."""

    name: str
    loop_scope: str


@rule("AT911", "mixed-loop-scopes", knows=Knows.CONFIG)
def check(module: Module) -> Iterator[Finding]:
    firsts: dict[Scope, _Marked] = {}
    for test in module.async_tests:
        mark = next(iter(test.function.own_marks.named("asyncio")), None)
        # unittest runs its tests on loops of its own.
        if mark is None or test.kind in (ClassKind.ISOLATED, ClassKind.TESTCASE):
            continue
        scope = loop_of_test(test).scope
        if scope is None:
            continue
        first = firsts.setdefault(test.function.outer, _Marked(test.function.name, scope))
        if scope != first.loop_scope:
            yield Finding(
                mark.node,
                f"the mark runs {test.function.name} on the loop of the {scope}, while {first.name} beside it runs on"
                f" that of the {first.loop_scope}: what one leaves on its loop the other cannot use"
                " (give them the same loop_scope)",
            )
