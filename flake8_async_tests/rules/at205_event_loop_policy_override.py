"""AT205: a fixture that replaces pytest-asyncio's `event_loop_policy`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.precautions import is_for_some_versions
from flake8_async_tests.rule import Finding, Knows, rule
from flake8_async_tests.source.plugin_options import is_pytest_asyncio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.fixtures import Fixture
    from flake8_async_tests.source.module import Module

# The fixture has been deprecated since then.
_FIRST_WITH_HOOK = (1, 4)
_REMEDY = "use the hook pytest_asyncio_loop_factories"


@rule("AT205", "event-loop-policy-override", knows=Knows.CONFIG)
def check(module: Module) -> Iterator[Finding]:
    has_hook = module.options.pytest_asyncio >= _FIRST_WITH_HOOK
    for fixture in module.fixtures:
        if fixture.name != "event_loop_policy" or fixture.function.is_nested:
            continue
        if is_pytest_asyncio(module) or _is_disabled(module):
            continue
        if not _gives_a_value(fixture):
            yield Finding(
                fixture.function.node,
                "fixture event_loop_policy returns nothing: pytest-asyncio takes the default policy, and what was set"
                f" here is lost ({_REMEDY if has_hook else 'return the policy'})",
            )
        elif has_hook and not is_for_some_versions(module, fixture.function.node, fixture.function.outer):
            yield Finding(
                fixture.function.node,
                "fixture event_loop_policy is deprecated since pytest-asyncio 1.4 and will have no effect some day"
                f" ({_REMEDY})",
            )


def _is_disabled(module: Module) -> bool:
    return "asyncio" in module.project.config_for(module.directory).disabled_plugins


def _gives_a_value(fixture: Fixture) -> bool:
    if isinstance(fixture.function.node.body[-1], ast.Raise):
        # For heirs to override: it gives none, but drops no policy either.
        return True
    for node in fixture.function.scope.of(ast.Return, ast.Yield, ast.YieldFrom):
        assert isinstance(node, (ast.Return, ast.Yield, ast.YieldFrom))
        if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
            return True
    return False
