"""What becomes of a value where it stands: whether it is needed at once, and for what."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flake8_async_tests.inference.awaiting.candidates import LOOKING_BUILTINS, UNITTEST_ASSERTIONS
from flake8_async_tests.inference.places.parts import RAISING, contexts_around
from flake8_async_tests.inference.values.receivers import method_with_first_parameter
from flake8_async_tests.source.calls import keyword_value
from flake8_async_tests.source.functions import ClassKind

if TYPE_CHECKING:
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_LOOKERS = frozenset(f"builtins.{name}" for name in LOOKING_BUILTINS)
_LOOK_AT_ELEMENTS = frozenset({"builtins.all", "builtins.any"})

# Asked for by who knows that it is a coroutine.
_COROUTINES_OWN = frozenset({"close", "send", "throw"})


def need_of(module: Module, node: ast.expr, scope: Scope) -> str:
    """What the value of an expression is needed for at once, in words that follow "is"; "" when it is not."""
    node, parent = _passed_up(node, scope)
    if isinstance(parent, ast.Attribute):
        return "" if is_coroutines_own(parent.attr) else f"asked for its {parent.attr}"
    if isinstance(parent, ast.Subscript):
        return "subscripted" if node is parent.value else ""
    if isinstance(parent, ast.FormattedValue):
        return "formatted"
    return check_of(module, node, scope) or _test_of(node, parent) or _look_of(module, node, parent, scope)


def check_of(module: Module, node: ast.expr, scope: Scope) -> str:
    """Whether a value is asserted or compared, in words that follow "is"; "" when it is not."""
    node, parent = _passed_up(node, scope)
    if isinstance(parent, ast.Compare):
        return "compared" if _tells_values_apart(parent, node) else ""
    call = scope.parents.get(parent) if isinstance(parent, ast.keyword) and parent.arg != "msg" else parent
    if isinstance(call, ast.Call) and node is not call.func:
        name = unittest_method(module, call.func, scope)
        return f"given to {name}()" if name in UNITTEST_ASSERTIONS else ""
    at: ast.AST = node
    while isinstance(parent, ast.BoolOp) or (isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)):
        at, parent = parent, scope.parents[parent]
    return "asserted" if isinstance(parent, ast.Assert) and at is parent.test else ""


def is_coroutines_own(attribute: str) -> bool:
    """Whether an attribute is one that coroutines have."""
    return attribute in _COROUTINES_OWN or attribute.startswith(("cr_", "__"))


def unittest_method(module: Module, node: ast.expr, scope: Scope) -> str:
    """The name of a method that a test case has from unittest (`self.assertTrue`), or ""."""
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return ""
    method = method_with_first_parameter(module, node.value, scope)
    if method is None or method.klass is None:
        return ""
    # A plain class may be there to be mixed into test cases.
    classes = [klass for klass in (method.klass, *method.klass.subclasses) if klass.kind is not ClassKind.PLAIN]
    return node.attr if classes and all(klass.find_method(node.attr) is None for klass in classes) else ""


def _passed_up(node: ast.expr, scope: Scope) -> tuple[ast.expr, ast.AST | None]:
    """The widest expression around that has the same value, and what that stands in."""
    while True:
        parent = scope.parents.get(node)
        if isinstance(parent, ast.IfExp):
            passes = node is not parent.test
        elif isinstance(parent, ast.BoolOp):
            passes = node is parent.values[-1]
        else:
            passes = isinstance(parent, ast.NamedExpr)
        if not passes:
            return node, parent
        assert isinstance(parent, ast.expr)
        node = parent


def _tells_values_apart(compare: ast.Compare, node: ast.expr) -> bool:
    """Whether a comparison looks at the value of an operand, or asks whether it is None; not at what object it is."""
    operands = [compare.left, *compare.comparators]
    for operator, left, right in zip(compare.ops, operands, operands[1:], strict=False):
        if node is left or node is right:
            other = right if node is left else left
            if not isinstance(operator, (ast.Is, ast.IsNot)):
                return True
            if isinstance(other, ast.Constant) and other.value is None:
                return True
    return False


def _test_of(node: ast.expr, parent: ast.AST | None) -> str:
    if isinstance(parent, (ast.If, ast.While, ast.IfExp)):
        is_tested = node is parent.test
    elif isinstance(parent, ast.comprehension):
        is_tested = node is not parent.iter
    elif isinstance(parent, ast.UnaryOp):
        is_tested = isinstance(parent.op, ast.Not)
    else:
        # The last operand of an `and` or `or` is passed on instead.
        is_tested = isinstance(parent, (ast.BoolOp, ast.match_case))
    return "tested for truth" if is_tested else ""


def _look_of(module: Module, node: ast.expr, parent: ast.AST | None, scope: Scope) -> str:
    if isinstance(parent, (ast.For, ast.AsyncFor, ast.comprehension, ast.Starred)):
        return "iterated over"
    if isinstance(parent, ast.Assign):
        is_unpacked = any(isinstance(target, (ast.Tuple, ast.List)) for target in parent.targets)
        return "unpacked" if is_unpacked else ""
    if isinstance(parent, ast.Call):
        name = module.qualified(parent.func, scope)
        return f"given to {_last_word(name)}()" if name in _LOOKERS and node in parent.args else ""
    if isinstance(parent, (ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.List, ast.Set, ast.Tuple)):
        call = scope.parents.get(parent)
        if isinstance(call, ast.Call) and parent in call.args:
            name = module.qualified(call.func, scope)
            return f"looked at by {_last_word(name)}()" if name in _LOOK_AT_ELEMENTS else ""
    return ""


def _last_word(name: str) -> str:
    return name.rpartition(".")[2]


# -- on purpose --------------------------------------------------------------------------------------------------------

_WARNED = {
    "pytest.warns": "pytest.warns()",
    ".assertWarns": "assertWarns()",
    ".assertWarnsRegex": "assertWarnsRegex()",
}
_KEYWORDS = ("expected_exception", "expected_warning", "category")
_NEVER_AWAITED = frozenset({"builtins.RuntimeWarning", "builtins.Warning"})


def is_left_alone_on_purpose(module: Module, node: ast.AST, scope: Scope) -> bool:
    """Whether a test looks for the very warning that a coroutine gives which is never awaited."""
    for name, call in contexts_around(module, node, scope):
        if name == "warnings.catch_warnings" or (name in _WARNED and may_be_never_awaited(module, call, scope)):
            return True
    function = module.function_at(scope)
    if function is None:
        return False
    if "recwarn" in function.parameters:
        return True
    given = [value for mark in function.own_marks.named("filterwarnings") if mark.call for value in mark.call.args]
    return any(isinstance(value, ast.Constant) and "never awaited" in str(value.value) for value in given)


def may_be_never_awaited(module: Module, call: ast.Call, scope: Scope) -> bool:
    """Whether the warnings that `pytest.warns` or `assertWarns` waits for include that of an un-awaited coroutine."""
    kinds = kinds_expected(module, call, scope)
    return not kinds or "" in kinds or not kinds.isdisjoint(_NEVER_AWAITED)


def is_expected_error(module: Module, node: ast.AST, scope: Scope, error: str) -> bool:
    """Whether a node stands under `pytest.raises`, `assertRaises` or the like that wait for this very error."""
    return any(
        name in RAISING and error in kinds_expected(module, call, scope)
        for name, call in contexts_around(module, node, scope)
    )


def kinds_expected(module: Module, call: ast.Call, scope: Scope) -> frozenset[str]:
    """The exceptions or warnings that `pytest.raises`, `assertWarns` and the like wait for, "" for what is unknown."""
    expected = call.args[0] if call.args else None
    for keyword in _KEYWORDS:
        expected = expected or keyword_value(call, keyword)
    if expected is None:
        return frozenset()
    expected = module.value_of(expected, scope)
    kinds = expected.elts if isinstance(expected, ast.Tuple) else [expected]
    return frozenset(module.qualified(kind, scope) for kind in kinds)
