"""Whether a result is looked at, or only dropped, counted, or checked for emptiness."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.awaiting.candidates import UNITTEST_ASSERTIONS
from flake8_async_tests.inference.places.assertions import (
    assertion_that_denies,
    assertion_that_holds,
    is_unittest_assertion,
)
from flake8_async_tests.inference.uses.handover import is_log_call, is_shared, reads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_COUNTING_CALLS = frozenset({"builtins.all", "builtins.bool", "builtins.isinstance", "builtins.len"})
_COUNTING_ASSERTIONS = frozenset({"assertFalse", "assertIsInstance", "assertIsNotNone", "assertTrue"})
# They say nothing of what is in a list, but much of one of its parts.
_OF_PART = frozenset({"assertFalse", "assertIsInstance", "builtins.isinstance"})
_NOTHING: frozenset[str] = frozenset()
_EQUAL = ("assertCountEqual", "assertEqual", "assertSetEqual")
# What shows a value to whoever runs the tests.
_SHOWING = frozenset({"builtins.print", "pprint.pprint", "pytest.fail", "warnings.warn"})
# Where a method of a `TestCase` takes what it says when it fails, if that is not behind two values.
_MESSAGE_AT = {"assertFalse": 1, "assertIsNone": 1, "assertIsNotNone": 1, "assertTrue": 1, "fail": 0}


def is_only_counted(
    module: Module,
    result: ast.expr,
    scope: Scope,
    *,
    holds_outcomes: bool = False,
    passes_over: Callable[[Module, ast.Name, Scope], bool] | None = None,
) -> bool:
    """Whether what is in a result is never looked at: not where it stands, and not under a name it is given.

    Where the parts of the result are the very outcomes, asking for the class of one is a look. Further uses that do not
    look, of names that it is given, are for the caller to tell.
    """
    result = result if holds_outcomes else _with_part(result, scope)
    parent = scope.parents[result]
    if isinstance(parent, ast.NamedExpr):
        # It may be looked at where it stands, and then by its name.
        if not _counts(module, parent if holds_outcomes else _with_part(parent, scope), scope, _NOTHING):
            return False
    elif not isinstance(parent, (ast.Assign, ast.AnnAssign)):
        return _counts(module, result, scope, _NOTHING)
    targets = parent.targets if isinstance(parent, ast.Assign) else [parent.target]
    return all(
        isinstance(name, ast.Name)
        and not is_shared(module, name.id, scope)
        and all(
            _counts(module, load if holds_outcomes else _with_part(load, scope), scope, looks)
            or (passes_over is not None and passes_over(module, load, scope))
            for load in reads(module, name, scope)
        )
        for target in targets
        for name, looks in _names_of_parts(target, holds_outcomes)
    )


def _with_part(value: ast.expr, scope: Scope) -> ast.expr:
    """The part of a result that is meant by its number: `(await wait(tasks))[0]`."""
    parent = scope.parents[value]
    is_part = isinstance(parent, ast.Subscript) and isinstance(parent.slice, ast.Constant)
    return parent if is_part and isinstance(parent, ast.Subscript) else value


def _names_of_parts(target: ast.expr, holds_outcomes: bool) -> Iterator[tuple[ast.expr, frozenset[str]]]:
    """What a target gives a name, itself or its parts, with what looks at that."""
    if not isinstance(target, (ast.Tuple, ast.List)):
        yield target, _NOTHING
        return
    for name in target.elts:
        yield name, _OF_PART if holds_outcomes else _NOTHING


def _counts(module: Module, value: ast.expr, scope: Scope, looks: frozenset[str]) -> bool:
    """Whether a value is where only its truth or its length matters, or is shown; what looks at it is named."""
    child: ast.AST = value
    parent = scope.parents[child]
    while isinstance(parent, ast.BoolOp):
        child, parent = parent, scope.parents[parent]
    if isinstance(parent, (ast.Assert, ast.Expr)):
        return True
    if isinstance(parent, (ast.If, ast.While)):
        return not looks
    if isinstance(parent, ast.UnaryOp):
        return isinstance(parent.op, ast.Not) and not looks
    if isinstance(parent, ast.Compare):
        others = [other for other in (parent.left, *parent.comparators) if other is not child]
        if not any(isinstance(operator, (ast.In, ast.NotIn)) for operator in parent.ops) and all(map(_is_none, others)):
            return not looks or _is_presence(parent, scope)
        return all(_is_empty_set(module, other, scope) for other in others)
    if isinstance(parent, ast.Call) and child is not parent.func:
        method = parent.func.attr if isinstance(parent.func, ast.Attribute) else ""
        if method in _COUNTING_ASSERTIONS:
            return method not in looks
        if module.qualified(parent.func, scope) == "builtins.any":
            # That none is true is said of a failure as well, which is true.
            return assertion_that_holds(parent, scope) is not None
        if module.qualified(parent.func, scope) in _COUNTING_CALLS:
            return module.qualified(parent.func, scope) not in looks
        if is_unittest_assertion(parent, *_EQUAL) and child in parent.args[:2]:
            return all(_is_empty_set(module, other, scope) for other in parent.args[:2] if other is not child)
    return _is_shown(module, child, scope)


def _is_presence(compare: ast.Compare, scope: Scope) -> bool:
    """Whether a test asserts that something is not None, which an exception is not either."""
    return isinstance(compare.ops[0], (ast.IsNot, ast.NotEq)) and assertion_that_holds(compare, scope) is not None


def _is_shown(module: Module, value: ast.AST, scope: Scope) -> bool:
    """Whether a value, or a text with it, is printed, logged, or said when something fails."""
    child, parent = value, scope.parents[value]
    while isinstance(parent, (ast.FormattedValue, ast.JoinedStr)):
        child, parent = parent, scope.parents[parent]
    if isinstance(parent, ast.Assert):
        return child is parent.msg
    if isinstance(parent, ast.keyword):
        return parent.arg == "msg"
    if not isinstance(parent, ast.Call) or child is parent.func:
        return False
    if isinstance(scope.parents[parent], ast.Raise):
        # Of an exception itself, which may be handed over whole, more can become.
        return isinstance(child, ast.JoinedStr)
    name = module.qualified(parent.func, scope)
    return name in _SHOWING or is_log_call(module, parent, scope) or _is_message(parent, child)


def _is_message(call: ast.Call, argument: ast.AST) -> bool:
    """Whether an argument is what a method of a `TestCase` says when it fails."""
    if not is_unittest_assertion(call, *UNITTEST_ASSERTIONS, *_MESSAGE_AT):
        return False
    assert isinstance(call.func, ast.Attribute)
    position = _MESSAGE_AT.get(call.func.attr, 2)
    return argument in call.args[position : position + 1]


def is_asserted_to_number(module: Module, name: ast.Name, scope: Scope, number: int) -> bool:
    """Whether a test fails unless there are so many in what is bound to a name: `assert len(done) == 2`.

    None at all, or all that there can be.
    """
    return any(_says_number(module, load, scope, number) for load in reads(module, name, scope))


def _says_number(module: Module, value: ast.expr, scope: Scope, number: int) -> bool:
    parent = scope.parents[value]
    if isinstance(parent, ast.Call) and module.qualified(parent.func, scope) == "builtins.len":
        value = parent
    if number == 0 and assertion_that_denies(module, value, scope):
        return True
    if number == 1 and assertion_that_holds(value, scope):
        return True
    expected = _expected_for(value, scope)
    if isinstance(expected, ast.Constant):
        return expected.value == number
    return number == 0 and _is_empty_set(module, expected, scope)


def _expected_for(value: ast.expr, scope: Scope) -> ast.expr | None:
    """What a test says that a value equals: `assert x == y`, `assertEqual(x, y)`, `assert (w, x) == (v, y)`."""
    parent = scope.parents[value]
    if isinstance(parent, ast.Tuple):
        whole = _expected_for(parent, scope)
        return dict(zip(parent.elts, whole.elts, strict=False)).get(value) if isinstance(whole, ast.Tuple) else None
    if isinstance(parent, ast.Call):
        pair = parent.args[:2] if is_unittest_assertion(parent, *_EQUAL) else []
    elif isinstance(parent, ast.Compare) and len(parent.ops) == 1 and isinstance(parent.ops[0], ast.Eq):
        pair = [parent.left, *parent.comparators] if assertion_that_holds(parent, scope) is not None else []
    else:
        return None
    return next((other for other in pair if other is not value), None) if value in pair else None


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_empty_set(module: Module, node: ast.expr | None, scope: Scope) -> bool:
    return (
        isinstance(node, ast.Call)
        and module.qualified(node.func, scope) in ("builtins.set", "builtins.frozenset")
        and not node.args
    )
