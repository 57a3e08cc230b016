"""AT109: an asyncio mark with arguments that pytest-asyncio refuses."""

from __future__ import annotations

import ast
from difflib import get_close_matches
from typing import TYPE_CHECKING

from flake8_async_tests.rule import Finding, Knows, brief, rule
from flake8_async_tests.source.calls import keyword_value
from flake8_async_tests.source.fixtures import SCOPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module

_KEYWORDS = ("loop_scope", "loop_factories")
_OLD_KEYWORD = "scope"
_NO_FUNCTIONS = (
    ast.Constant,
    ast.Dict,
    ast.JoinedStr,
    ast.Lambda,
    ast.List,
    ast.Set,
    ast.Tuple,
)
_CONSEQUENCE = "pytest-asyncio refuses it and the module is not collected (ignored before 0.24)"


@rule("AT109", "invalid-asyncio-mark", knows=Knows.FILE, calls=("pytest.mark.asyncio",))
def check(module: Module) -> Iterator[Finding]:
    for call in module.calls("pytest.mark.asyncio"):
        fault, remedy = _fault(call)
        if fault:
            yield Finding(call.node, f"asyncio mark with {fault}: {_CONSEQUENCE}" + (f" ({remedy})" if remedy else ""))


def _fault(call: Call) -> tuple[str, str]:
    """What is wrong with a mark, and what to do about it, as far as that can be told; both empty where nothing is."""
    node = call.node
    if node.args and _is_certainly_no_decoration(call):
        return "a positional argument", "it takes only keywords, such as loop_scope"
    names = [keyword.arg for keyword in node.keywords if keyword.arg is not None]
    for name in names:
        if name not in (*_KEYWORDS, _OLD_KEYWORD):
            close = get_close_matches(name, _KEYWORDS, n=1, cutoff=0.5)
            return f"the unknown argument {name}", f"did you mean {close[0]}?" if close else ""
    if _OLD_KEYWORD in names and "loop_scope" in names:
        return "both scope and loop_scope", "loop_scope alone is right"
    scope = keyword_value(node, "loop_scope")
    value = call.module.value_of(scope, call.scope) if scope is not None else None
    # Whatever is not true counts as none given.
    if isinstance(value, ast.Constant) and value.value and value.value not in SCOPES:
        return f"the loop_scope {brief(value.value)}", f"use one of {', '.join(SCOPES)}"
    return "", ""


def _is_certainly_no_decoration(call: Call) -> bool:
    """`mark.asyncio(some_function)` puts the mark on the function, though not on a lambda: any name may be one."""
    arguments = call.node.args
    if any(isinstance(argument, ast.Starred) for argument in arguments):
        return False
    if len(arguments) > 1 or call.node.keywords:
        return True
    return isinstance(call.module.value_of(arguments[0], call.scope), _NO_FUNCTIONS)
