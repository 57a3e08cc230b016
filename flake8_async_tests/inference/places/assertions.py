"""What a test asserts."""

from __future__ import annotations

import ast
from bisect import bisect_right
from typing import TYPE_CHECKING

from flake8_async_tests.inference.places.parts import end_of, names_in, nodes_of, place_of
from flake8_async_tests.inference.places.suspension import block_of
from flake8_async_tests.source.calls import keyword_value, receiver_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flake8_async_tests.source.calls import Call
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import Scope

_SWALLOWING = frozenset({"contextlib.suppress", "pytest.raises"})
# What fills a list, set or queue by its own method.
_FILLING = ("add", "append", "appendleft", "extend", "insert")


def assertion_that_holds(node: ast.expr, scope: Scope) -> ast.Assert | ast.Call | None:
    """The assertion that fails unless an expression is true: `assert x`, `assert x and y`, `self.assertTrue(x)`."""
    child: ast.AST = node
    parent = scope.parents[child]
    while _needs(parent, child):
        child, parent = parent, scope.parents[parent]
    if isinstance(parent, ast.Assert):
        return parent if child is parent.test else None
    return _asserts_true(parent, child) if isinstance(parent, ast.Call) else None


def assertion_of(call: Call) -> ast.Assert | ast.Call | None:
    """The same for a call of which the walk noted what it stands in, or that it is an argument."""
    if call.holder is not None:
        return call.holder if isinstance(call.holder, ast.Assert) else None
    return _asserts_true(call.module.index.handed_to[call.node], call.node)


def assertion_that_denies(module: Module, node: ast.expr, scope: Scope) -> ast.Assert | ast.Call | None:
    """The assertion that fails if an expression is true: `assert not x`, `assert x is False`, `self.assertFalse(x)`."""
    parent = scope.parents[node]
    if isinstance(parent, ast.Call):
        return parent if _is_given_to(parent, node, "assertFalse") or _equals(parent, node, value=False) else None
    if isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not):
        return assertion_of_each(module, parent, scope)
    is_denied = isinstance(parent, ast.Compare) and _is_compared_with(parent, node, value=False)
    return assertion_that_holds(parent, scope) if is_denied and isinstance(parent, ast.Compare) else None


def assertion_of_each(module: Module, node: ast.expr, scope: Scope) -> ast.Assert | ast.Call | None:
    """The assertion that fails unless an expression is true, also where it is said of all: `all(x for each in y)`."""
    parent = scope.parents[node]
    if isinstance(parent, (ast.GeneratorExp, ast.ListComp)) and node is parent.elt:
        if any(part.ifs for part in parent.generators):
            return None
        call = scope.parents[parent]
        is_all = isinstance(call, ast.Call) and module.qualified(call.func, scope) == "builtins.all"
        return assertion_that_holds(call, scope) if is_all and isinstance(call, ast.Call) else None
    return assertion_that_holds(node, scope)


def _asserts_true(call: ast.Call, node: ast.AST) -> ast.Call | None:
    """The call itself, when it is an `assertTrue` of something, or an `assertIs` of it and `True`."""
    return call if _is_given_to(call, node, "assertTrue") or _equals(call, node, value=True) else None


def _equals(call: ast.Call, node: ast.AST, *, value: bool) -> bool:
    """Whether a call is that of a method of a `TestCase` which says that an expression is `True`, or `False`."""
    return (
        is_unittest_assertion(call, "assertEqual", "assertIs")
        and len(call.args) > 1
        and node in call.args[:2]
        and any(isinstance(other, ast.Constant) and other.value is value for other in call.args[:2])
    )


def _is_given_to(call: ast.Call, node: ast.AST, method: str) -> bool:
    """Whether a call is that of a method of a `TestCase` which says something of one expression, of this one."""
    return is_unittest_assertion(call, method) and (node in call.args[:1] or node is keyword_value(call, "expr"))


def _needs(parent: ast.AST, child: ast.AST) -> bool:
    """Whether an expression is true only if the one in it is."""
    if isinstance(parent, ast.BoolOp):
        return isinstance(parent.op, ast.And)
    return isinstance(parent, ast.Compare) and _is_compared_with(parent, child, value=True)


def _is_compared_with(compare: ast.Compare, node: ast.AST, *, value: bool) -> bool:
    """Whether a comparison asks whether an expression is `True`, or `False`."""
    other = compare.comparators[0]
    return (
        node is compare.left
        and len(compare.ops) == 1
        and isinstance(other, ast.Constant)
        and other.value is value
        and isinstance(compare.ops[0], (ast.Is, ast.Eq))
    )


def is_unittest_assertion(call: ast.Call, *methods: str) -> bool:
    """Whether a call is that of one of these methods of a `TestCase`."""
    function = call.func
    return isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.attr in methods


def required_parts(test: ast.expr) -> list[ast.expr]:
    """The expressions that all must be true for an assertion to hold: those joined by `and`."""
    parts: list[ast.expr] = []
    todo = [test]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
            todo += node.values
        else:
            parts.append(node)
    return parts


def always_fails(module: Module, statement: ast.stmt, scope: Scope) -> bool:
    """Whether a statement says that it must not be reached: `pytest.fail()`, `assert False`, a `raise`."""
    if isinstance(statement, ast.Raise):
        return True
    if isinstance(statement, ast.Assert):
        return isinstance(statement.test, ast.Constant) and not statement.test.value
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        call = statement.value
        return module.qualified(call.func, scope) == "pytest.fail" or is_unittest_assertion(call, "fail")
    return False


def asserts(module: Module, statement: ast.stmt, scope: Scope) -> bool:
    """Whether a statement is an assertion: an `assert`, a method `assert..`, or one that always fails."""
    if isinstance(statement, ast.Assert) or always_fails(module, statement, scope):
        return True
    value = statement.value if isinstance(statement, ast.Expr) else None
    call = value.value if isinstance(value, ast.Await) else value
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr.startswith("assert")


def assertions_after(module: Module, node: ast.stmt, scope: Scope) -> Iterator[ast.stmt]:
    """The assertions that follow a statement: in its block and in the blocks around it.

    They may stand within a `with`, in an `if` all of whose branches assert something, and in a loop over what was there
    before.
    """
    parents = scope.parents
    heads: dict[ast.AST, ast.stmt] = {}
    at: ast.AST = node
    while at is not scope.node:
        if isinstance(at, ast.stmt):
            heads[parents[at]] = at
        at = parents[at]
    assertions = _assertions_of(module, scope)
    for after in assertions[bisect_right(assertions, end_of(node), key=place_of) :]:
        outer = after
        while parents[outer] not in heads:
            around = parents[outer]
            if not isinstance(around, ast.stmt) or not _is_sure_to_assert(module, around, node, scope):
                break
            outer = around
        head = heads.get(parents[outer])
        if head is not None and block_of(head, scope) is block_of(outer, scope):
            yield after


def _is_sure_to_assert(module: Module, block: ast.stmt, node: ast.stmt, scope: Scope) -> bool:
    """Whether an assertion within a block says what one after it would, whatever came of a statement before it.

    A `with` must not take what is raised in it, an `if` must have an assertion in each branch, and a loop must have
    something to go over.
    """
    if isinstance(block, ast.If):
        return _asserts_in_each_branch(module, block, scope)
    if isinstance(block, ast.For):
        return _goes_over_something(module, block, node, scope)
    return isinstance(block, (ast.With, ast.AsyncWith)) and not _takes_failures(module, block, scope)


def _asserts_in_each_branch(module: Module, block: ast.If, scope: Scope) -> bool:
    return all(
        any(
            asserts(module, each, scope) or (isinstance(each, ast.If) and _asserts_in_each_branch(module, each, scope))
            for each in branch
        )
        for branch in (block.body, block.orelse)
    )


def _goes_over_something(module: Module, loop: ast.For, node: ast.stmt, scope: Scope) -> bool:
    """Whether a loop has something to go over whatever came of a statement before it: the test filled it itself."""
    before = place_of(node)
    names = names_in(loop.iter)
    bindings = (binding for name in names for binding in scope.bindings.get(name, ()))
    if any(place_of(binding) < before and _is_filled(scope.parents.get(binding)) for binding in bindings):
        return True
    return any(
        call.scope is scope
        and place_of(call.node) < before
        and isinstance(receiver := receiver_of(call.node), ast.Name)
        and receiver.id in names
        for call in module.method_calls(*_FILLING)
    )


def _is_filled(assignment: ast.AST | None) -> bool:
    """Whether what is assigned has items at once: `[1, 2]`, `[start(each) for each in names]`."""
    if not isinstance(assignment, (ast.Assign, ast.AnnAssign)):
        return False
    value = assignment.value
    if isinstance(value, (ast.List, ast.Set, ast.Tuple)):
        return bool(value.elts)
    return isinstance(value, (ast.ListComp, ast.SetComp))


def _takes_failures(module: Module, block: ast.With | ast.AsyncWith, scope: Scope) -> bool:
    """Whether a block swallows or expects what is raised in it."""
    entered = [item.context_expr for item in block.items]
    return any(
        module.qualified(call.func, scope) in _SWALLOWING or is_unittest_assertion(call, "assertRaises")
        for call in entered
        if isinstance(call, ast.Call)
    )


def _assertions_by_scope(_: Module) -> dict[Scope, list[ast.stmt]]:  # filled on demand
    return {}


def _assertions_of(module: Module, scope: Scope) -> list[ast.stmt]:
    """The statements of a scope that assert something, in their order."""
    by_scope = module.fact(_assertions_by_scope)
    found = by_scope.get(scope)
    if found is None:
        statements = [node for node in scope.of(ast.Assert, ast.Expr, ast.Raise) if isinstance(node, ast.stmt)]
        found = by_scope[scope] = sorted((node for node in statements if asserts(module, node, scope)), key=place_of)
    return found


def holds_assertion(module: Module, body: Sequence[ast.stmt], scope: Scope) -> bool:
    """Whether a block asserts something itself: by `assert`, or by `self.assert..` of a `TestCase`."""
    receiver = _test_case(module, scope)
    return any(isinstance(node, ast.Assert) or _is_on(node, receiver) for node in nodes_of(body))


def asserted_by(module: Module, assertion: ast.stmt, scope: Scope) -> list[ast.AST]:
    """What an assertion is about: of `self.assertEqual(..)` only the arguments."""
    value = assertion.value if isinstance(assertion, ast.Expr) else None
    if isinstance(value, ast.Call) and _is_on(value, _test_case(module, scope)):
        return [*value.args, *value.keywords]
    return [assertion]


def _test_case(module: Module, scope: Scope) -> str:
    """The name of the test case in one of its methods."""
    function = module.function_at(scope)
    return function.parameters[0] if function is not None and function.is_method and function.parameters else ""


def _is_on(node: ast.AST, receiver: str) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    owner = node.func.value
    return isinstance(owner, ast.Name) and owner.id == receiver and node.func.attr.startswith("assert")
