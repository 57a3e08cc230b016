"""The options that a plugin of pytest registers."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module


def may_register(plugin: Module, option: str) -> bool:
    """Whether a file registers an option of the configuration, or one whose name cannot be read."""
    return any(name in (option, None) for name in _registered(plugin))


def is_pytest_asyncio(module: Module) -> bool:
    """Whether a file is pytest-asyncio's own, or that of a copy of it: it registers what only pytest-asyncio has."""
    return "asyncio_mode" in _registered(module)


def _registered(plugin: Module) -> Iterator[str | None]:
    for call in plugin.method_calls("addini"):
        argument = call.argument(0, "name")
        value = plugin.value_of(argument, call.scope) if argument is not None else None
        yield value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None
