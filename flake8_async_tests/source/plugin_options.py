"""The options that a plugin of pytest registers."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.functions import Function
    from flake8_async_tests.source.module import Module


_HOOK = "pytest_addoption"


def may_register(plugin: Module, option: str) -> bool:
    """Whether a file registers an option of the configuration, or one whose name cannot be read.

    Whoever else gets the parser may register anything, and so may a hook that stands in another file.
    """
    provided = plugin.provided_fixtures
    modules = (plugin, *provided.star_modules)
    return (
        not provided.complete
        or any(name in (option, None) for module in modules for name in _registered(module))
        or any(_hands_parser_on(module) for module in modules)
    )


def _hands_parser_on(plugin: Module) -> bool:
    functions = [plugin.function_of_node(binding) for binding in plugin.scope.bindings.get(_HOOK, ())]
    return any(function is None or _gives_away_first_parameter(function) for function in functions)


def _gives_away_first_parameter(hook: Function) -> bool:
    parents = hook.scope.parents
    return any(
        load.id in hook.parameters[:1] and isinstance(parents[load], (ast.Call, ast.keyword))
        for load in hook.scope.loads
    )


def is_pytest_asyncio(module: Module) -> bool:
    """Whether a file is pytest-asyncio's own, or that of a copy of it: it registers what only pytest-asyncio has."""
    return "asyncio_mode" in _registered(module)


def _registered(plugin: Module) -> Iterator[str | None]:
    for call in plugin.method_calls("addini"):
        argument = call.argument(0, "name")
        value = plugin.value_of(argument, call.scope) if argument is not None else None
        yield value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None
