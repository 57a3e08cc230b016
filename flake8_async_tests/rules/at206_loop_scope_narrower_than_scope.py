"""AT206: a fixture is kept for longer than the loop that it runs on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.edits import add_argument_behind, replace, safe, spell
from flake8_async_tests.loops import FIXTURE_OPTION, is_narrower, is_run_by_asyncio, loop_of_fixture
from flake8_async_tests.requesters import is_asked_for_with_anyio
from flake8_async_tests.rule import Finding, Fix, Knows, rule
from flake8_async_tests.source.calls import has_double_star

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.module import Module


@rule("AT206", "loop-scope-narrower-than-scope", knows=Knows.PROJECT, fix="safe")
def check(module: Module) -> Iterator[Finding]:
    for fixture in module.fixtures:
        if fixture.scope in (None, "function") or not is_run_by_asyncio(fixture, module):
            continue
        loop = loop_of_fixture(fixture, module)
        if loop.scope is None or not is_narrower(loop.scope, fixture.scope):
            continue
        if fixture.is_async and is_asked_for_with_anyio(fixture):
            continue
        decided = f" ({FIXTURE_OPTION}, {loop.decided_by})" if loop.decided_by else ""
        decorator = "" if fixture.library == "pytest_asyncio" else "pytest_asyncio.fixture with "
        yield Finding(
            fixture.decorator.node,
            f"fixture {fixture.name} has the scope {fixture.scope} but runs on the {loop.scope} loop{decided}, which"
            f' ends earlier: ScopeMismatch (use {decorator}loop_scope="{fixture.scope}")',
            _fix(fixture),
        )


def _fix(fixture: Fixture) -> Fix | None:
    call = fixture.decorator.call
    if call is None or call is not fixture.decorator.node or has_double_star(call):
        return None
    keywords = {keyword.arg: keyword for keyword in call.keywords}
    if "loop_scope" in keywords:
        return safe(replace(keywords["loop_scope"].value, f'"{fixture.scope}"'))
    argument = add_argument_behind(fixture.module, keywords["scope"], f'loop_scope="{fixture.scope}"')
    if fixture.library == "pytest_asyncio":
        return safe(argument)
    # pytest's own decorator takes no loop scope.
    name = spell(fixture.module, fixture.function.outer, "pytest_asyncio", "fixture", line=call.lineno)
    return safe(replace(call.func, name.text), argument, names=[name]) if name is not None else None
