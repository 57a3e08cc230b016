"""Whether a call fits a signature: one that does not raises a TypeError at once, coroutine function or not."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.record import record

if TYPE_CHECKING:
    from flake8_async_tests.source.walk import FunctionNode


@record
class Signature:
    """The parameters of a function, without their defaults and annotations."""

    positional: tuple[str, ...]
    positional_only: int
    keyword_only: frozenset[str]
    required: frozenset[str]
    takes_more: bool
    """Whether there is a `*args`."""
    takes_any_keyword: bool

    def accepts(self, call: ast.Call, *, bound: int) -> bool:
        """Whether a call can be made, with as many leading parameters filled by Python itself as `bound` says."""
        if any(isinstance(argument, ast.Starred) for argument in call.args):
            return True
        if any(keyword.arg is None for keyword in call.keywords):
            return True
        given = bound + len(call.args)
        if given > len(self.positional) and not self.takes_more:
            return False
        filled = set(self.positional[:given])
        by_keyword = set(self.positional[self.positional_only :]) | self.keyword_only
        for keyword in call.keywords:
            assert keyword.arg is not None
            if keyword.arg not in by_keyword:
                if not self.takes_any_keyword:
                    return False
            elif keyword.arg in filled:
                return False
            else:
                filled.add(keyword.arg)
        return self.required <= filled


def signature_of(node: FunctionNode) -> Signature:
    arguments = node.args
    positional = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    required = positional[: len(positional) - len(arguments.defaults)]
    required += [
        argument.arg
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    ]
    return Signature(
        positional=tuple(positional),
        positional_only=len(arguments.posonlyargs),
        keyword_only=frozenset(argument.arg for argument in arguments.kwonlyargs),
        required=frozenset(required),
        takes_more=arguments.vararg is not None,
        takes_any_keyword=arguments.kwarg is not None,
    )
