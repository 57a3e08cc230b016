"""Whether something may stand in for a function of a library: the question of `replaced`, asked once for each scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flake8_async_tests.inference.replaced import path_may_be_replaced

if TYPE_CHECKING:
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope


def may_be_faked(module: Module, dotted: str, scope: Scope) -> bool:
    """Whether a function (`time.sleep`) may be something else where a scope calls it."""
    answers = module.fact(_answers)
    key = (dotted, scope)
    if key not in answers:
        answers[key] = path_may_be_replaced(module, dotted, scope)
    return answers[key]


def _answers(module: Module) -> dict[tuple[str, Scope], bool]:  # noqa: ARG001  # filled on demand
    return {}
