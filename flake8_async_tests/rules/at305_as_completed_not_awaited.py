"""AT305: a loop over as_completed() that does not await what it gets."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.uses.handover import is_shared, reads
from flake8_async_tests.rule import Finding, Knows, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

# In these a future is looked at. Anything else may hand it on to somebody who awaits it.
_LOOKS = (ast.Assert, ast.Attribute, ast.Compare, ast.Expr, ast.FormattedValue, ast.Subscript, ast.UnaryOp)


@rule("AT305", "as-completed-not-awaited", knows=Knows.FILE, calls=("asyncio.as_completed",))
def check(module: Module) -> Iterator[Finding]:
    for loop, scope in module.of_kind(ast.For):
        target = _future_in(module, loop, scope)
        if target is not None and not _is_seen_to(module, target, scope):
            yield Finding(
                loop,
                f"{target.id} is never awaited in the loop over as_completed(): results and failures are lost"
                f" (await {target.id})",
            )


def _future_in(module: Module, loop: ast.For, scope: Scope) -> ast.Name | None:
    """The name that holds each future in turn, when a loop is one over as_completed()."""
    source, target = module.value_of(loop.iter, scope), loop.target
    if isinstance(source, ast.Call) and source.args and module.qualified(source.func, scope) == "builtins.enumerate":
        if not isinstance(target, (ast.Tuple, ast.List)) or len(target.elts) != 2:
            return None
        source, target = module.value_of(source.args[0], scope), target.elts[1]
    if not isinstance(source, ast.Call) or module.qualified(source.func, scope) != "asyncio.as_completed":
        return None
    return target if isinstance(target, ast.Name) else None


def _is_seen_to(module: Module, name: ast.Name, scope: Scope) -> bool:
    """Whether what a name gets may be awaited by somebody."""
    return is_shared(module, name.id, scope) or any(
        not isinstance(scope.parents[load], _LOOKS) for load in reads(module, name, scope)
    )
