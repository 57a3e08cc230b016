"""AT911: tests side by side that do not share one event loop."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.project.problems import TEST_LOOP_SCOPE, loop_scope
from flake8_async_tests.record import record
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.calls import has_double_star, keyword_value
from flake8_async_tests.source.fixtures import SCOPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.marks import Mark
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
        scope = _loop_scope(module, mark, test.function.outer) if mark is not None else None
        if mark is None or scope is None:
            continue
        first = firsts.setdefault(test.function.outer, _Marked(test.function.name, scope))
        if scope != first.loop_scope:
            yield Finding(
                mark.node,
                f"the mark runs {test.function.name} on the loop of the {scope}, while {first.name} beside it runs on"
                f" that of the {first.loop_scope}: what one leaves on its loop the other cannot use"
                " (give them the same loop_scope)",
            )


def _loop_scope(module: Module, mark: Mark, scope: Scope) -> str | None:
    """The loop scope that a mark gives, None when it cannot be told."""
    if mark.call is not None:
        if has_double_star(mark.call):
            return None
        for keyword in ("loop_scope", "scope"):
            given = keyword_value(mark.call, keyword)
            if given is not None:
                value = module.value_of(given, scope)
                if not isinstance(value, ast.Constant):
                    return None
                if value.value is not None:
                    return value.value if value.value in SCOPES else None
    config = module.project.config_for(module.directory)
    return loop_scope(config.get(TEST_LOOP_SCOPE), "function") if config.known else None
