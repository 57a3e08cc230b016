"""AT3: a missing await, or one too many."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tests.mutation.draft import HERE, ImpossibleError
from tests.mutation.mutators import sites
from tests.mutation.mutators.registry import mutator
from tests.mutation.source import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.mutation.draft import Draft
    from tests.mutation.reading import Reading, Test

NEEDS_THE_VALUE = frozenset(
    ["bool", "str", "int", "float", "len", "min", "max", "sum", "sorted", "list", "set", "tuple", "dict", "any", "all"]
)
RAISES = frozenset({"pytest.raises", "pytest.warns"})
RAISING_METHODS = frozenset({"assertRaises", "assertRaisesRegex", "assertWarns", "assertWarnsRegex"})


def _raising_block(reading: Reading, statement: ast.stmt) -> ast.With | ast.AsyncWith | None:
    """The `with pytest.raises(..)` of which a statement is the whole body."""
    parent = reading.source.parents[statement]
    if not isinstance(parent, ast.With) or len(parent.body) != 1 or len(parent.items) != 1:
        return None
    call = parent.items[0].context_expr
    if not isinstance(call, ast.Call):
        return None
    is_method = (
        isinstance(call.func, ast.Attribute)
        and call.func.attr in RAISING_METHODS
        and ast.unparse(call.func.value) == "self"
    )
    return parent if is_method or reading.source.dotted(call.func) in RAISES else None


def _is_warned_of(reading: Reading, node: ast.AST) -> bool:
    """Whether a RuntimeWarning is awaited around a node, or all warnings are caught."""
    for each in reading.source.ancestors(node):
        if isinstance(each, (ast.With, ast.AsyncWith)):
            text = " ".join(ast.unparse(item.context_expr) for item in each.items)
            if "warn" in text.lower():
                return True
        if isinstance(each, FUNCTIONS) and any("warn" in argument.arg for argument in each.args.args):
            return True
    return False


def _doubt(draft: Draft, node: ast.Await) -> str:
    if _is_warned_of(draft.reading, node):
        return "a warning may be expected"
    return draft.reading.doubt_about_coroutine(node.value)


@mutator("AT301", sites.awaited_statements)
def drop_the_await_of_a_statement(draft: Draft, node: ast.Await) -> None:
    """Drop the `await` of a statement."""
    statement = draft.source.statement_of(node)
    if _raising_block(draft.reading, statement) is not None:
        raise ImpossibleError
    draft.drop_await(node)
    draft.expect(node.value)
    draft.doubt_because(_doubt(draft, node))
    # As the whole body of one of several items, it is told as AT303.
    draft.instead = ("AT303",)


def _awaits_of_values(reading: Reading) -> Iterator[ast.Await]:
    """The awaits whose result is needed at once."""
    for node in sites.awaits(reading):
        if _needs_the_value(reading, node):
            yield node


def _needs_the_value(reading: Reading, node: ast.Await) -> bool:
    parent = reading.source.parents[node]
    if isinstance(parent, ast.Compare):
        return not _is_identity_test(parent)
    if isinstance(parent, ast.Subscript):
        return parent.value is node
    if isinstance(parent, (ast.Assert, ast.BoolOp, ast.FormattedValue)):
        return not isinstance(parent, ast.Assert) or parent.test is node
    if isinstance(parent, (ast.UnaryOp, ast.If, ast.While)):
        return isinstance(parent.op, ast.Not) if isinstance(parent, ast.UnaryOp) else parent.test is node
    if isinstance(parent, (ast.For, ast.comprehension)):
        return parent.iter is node
    if isinstance(parent, ast.Attribute):
        return parent.attr not in ("close", "send", "throw") and not parent.attr.startswith("cr_")
    if isinstance(parent, ast.Call) and node in parent.args:
        name = reading.source.dotted(parent.func).removeprefix("builtins.")
        is_assertion = (
            isinstance(parent.func, ast.Attribute)
            and parent.func.attr
            in ("assertTrue", "assertFalse", "assertEqual", "assertIsNone", "assertIn", "assertIsNotNone")
            and ast.unparse(parent.func.value) == "self"
        )
        return is_assertion or name in NEEDS_THE_VALUE
    return False


def _is_identity_test(compare: ast.Compare) -> bool:
    """Whether a comparison asks whether something is this very object; `is None` is no such question."""
    is_none = any(isinstance(each, ast.Constant) and each.value is None for each in compare.comparators)
    return any(isinstance(operator, (ast.Is, ast.IsNot)) for operator in compare.ops) and not is_none


@mutator("AT302", _awaits_of_values)
def drop_the_await_of_a_value(draft: Draft, node: ast.Await) -> None:
    """Drop the `await` of what is asserted, compared, indexed, iterated over or formatted."""
    draft.drop_await(node)
    draft.expect(node.value)
    draft.doubt_because(_doubt(draft, node))


def _assigned_and_asserted(reading: Reading) -> Iterator[tuple[ast.Await, ast.Name]]:
    """`x = await work()`, and the next thing that becomes of `x` is that it is asserted or compared."""
    for node in sites.awaits(reading):
        statement = reading.source.parents[node]
        function = sites.owner(reading, node)
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1 or function is None:
            continue
        target = statement.targets[0]
        block = reading.source.block_of(statement)
        if not isinstance(target, ast.Name):
            continue
        for following in block[block.index(statement) + 1 :]:
            names = [each for each in ast.walk(following) if isinstance(each, ast.Name) and each.id == target.id]
            if names:
                first = min(names, key=lambda each: (each.lineno, each.col_offset))
                parent = reading.source.parents[first]
                if isinstance(parent, ast.Compare) and _is_identity_test(parent):
                    break
                if isinstance(following, ast.Assert) and isinstance(
                    reading.source.parents[first], (ast.Assert, ast.Compare)
                ):
                    yield node, first
                break


@mutator("AT302", _assigned_and_asserted)
def drop_the_await_of_what_is_asserted_later(draft: Draft, site: tuple[ast.Await, ast.Name]) -> None:
    """Drop the `await` of an assignment whose name is asserted or compared next."""
    node, name = site
    draft.drop_await(node)
    draft.expect(name)
    draft.doubt_because(_doubt(draft, node))
    function = sites.owner(draft.reading, node)
    assert function is not None
    if any(f"{name.id}.{own}(" in draft.source.text_of(function) for own in ("close", "send", "throw")):
        draft.doubt_because("it is used as a coroutine")
    for call in draft.source.own_of(function, ast.Call):
        if draft.source.dotted(call.func) == "builtins.isinstance" and ast.unparse(call.args[0]) == name.id:
            kinds = call.args[1].elts if isinstance(call.args[1], ast.Tuple) else [call.args[1]]
            if not all(draft.source.dotted(kind) for kind in kinds):
                draft.doubt_because("it may be asked whether it is a coroutine")


# -- AT303 -------------------------------------------------------------------------------------------------------------


def _awaits_that_raise(reading: Reading) -> Iterator[tuple[ast.Await, ast.With]]:
    for node in sites.awaits(reading):
        parent = reading.source.parents[node]
        if isinstance(parent, (ast.Expr, ast.Assign)):
            block = _raising_block(reading, parent)
            if isinstance(block, ast.With):
                yield node, block


@mutator("AT303", _awaits_that_raise)
def drop_the_await_under_raises(draft: Draft, site: tuple[ast.Await, ast.With]) -> None:
    """Drop the `await` under `pytest.raises` or `assertRaises`."""
    node, block = site
    if "RuntimeWarning" in ast.unparse(block.items[0]):
        raise ImpossibleError
    draft.drop_await(node)
    draft.expect(node.value)
    draft.doubt_because(draft.reading.doubt_about_coroutine(node.value))
    if any(_is_warned_of(draft.reading, each) for each in (block,)):
        draft.doubt_because("a warning may be expected")


@mutator("AT303", _awaits_that_raise)
def hand_the_coroutine_function_to_raises(draft: Draft, site: tuple[ast.Await, ast.With]) -> None:
    """Write `pytest.raises(Error, work)` for a `with` block that awaits `work()`."""
    node, block = site
    call, raises = node.value, block.items[0].context_expr
    assert isinstance(call, ast.Call)
    assert isinstance(raises, ast.Call)
    # Keywords of `raises`, such as match, have no place in the call form.
    if (
        raises.keywords
        or len(raises.args) != 1
        or not draft.source.ends_its_line(block)
        or block.items[0].optional_vars
    ):
        raise ImpossibleError
    source = draft.source
    parts = [source.text_of(raises.args[0]), HERE + source.text_of(call.func)]
    parts += [source.text_of(each) for each in call.args]
    parts += [source.text[source.start(each) : source.end(each)] for each in call.keywords]
    draft.replace(block, f"{source.text_of(raises.func)}({', '.join(parts)})")
    draft.doubt_because(draft.reading.doubt_about_coroutine(call))
    if "Warn" in ast.unparse(raises.func):
        draft.doubt_because("the form has other arguments")


# -- AT304, AT305 ------------------------------------------------------------------------------------------------------


def _sync_calls_in_async_functions(reading: Reading) -> Iterator[tuple[ast.Call, str]]:
    """The calls of `assert_*` of mocks and of `json()` of responses in async functions."""
    for call in reading.source.of(ast.Call):
        function = sites.owner(reading, call)
        if not isinstance(function, ast.AsyncFunctionDef) or not isinstance(call.func, ast.Attribute):
            continue
        if isinstance(reading.source.parents[call], ast.Await):
            continue
        if call.func.attr.startswith("assert_") and isinstance(reading.source.parents[call], ast.Expr):
            yield call, "mock"
        elif call.func.attr in ("json", "raise_for_status") and isinstance(call.func.value, ast.Name):
            yield call, "response"


@mutator("AT304", _sync_calls_in_async_functions)
def await_a_sync_call(draft: Draft, site: tuple[ast.Call, str]) -> None:
    """Put an `await` before `mock.assert_called()` or `response.json()`."""
    call, what = site
    assert isinstance(call.func, ast.Attribute)
    owner = call.func.value
    parent = draft.source.parents[call]
    needs_parentheses = (
        isinstance(parent, (ast.Attribute, ast.Subscript, ast.Call))
        and getattr(parent, "value", getattr(parent, "func", None)) is call
    )
    draft.insert(draft.source.start(call), f"{'(' if needs_parentheses else ''}{HERE}await ")
    draft.insert(draft.source.end(call), ")" if needs_parentheses else "")
    if what == "mock":
        is_known = bool(draft.reading.mock_kind(owner, call))
    else:
        is_known = isinstance(owner, ast.Name) and _is_httpx_response(draft.reading, owner.id, call)
    draft.doubt_because("" if is_known else f"that is not known to be a {what}")


def _is_httpx_response(reading: Reading, name: str, place: ast.AST) -> bool:
    value = reading.bound_in_function(name, place)
    call = value.value if isinstance(value, ast.Await) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return False
    if call.func.attr not in ("get", "post", "put", "patch", "delete") or not isinstance(call.func.value, ast.Name):
        return False
    client = call.func.value.id
    built = reading.bound_in_function(client, call)
    is_built = isinstance(built, ast.Call) and reading.source.dotted(built.func) == "httpx.AsyncClient"
    return is_built or reading.annotation_of(client, call) == "httpx.AsyncClient"


@mutator("AT304", sites.running_async_tests)
def plant_an_awaited_assertion_of_a_mock(draft: Draft, test: Test) -> None:
    """Put a mock and an awaited assertion about it into an async test."""
    name = draft.new_name("planted")
    draft.first_in(
        test.node, f"{name} = {draft.name('unittest.mock:MagicMock')}()", f"{HERE}await {name}.assert_not_called()"
    )


@mutator("AT304", sites.sync_tests)
def await_the_response_of_a_sync_client(draft: Draft, test: Test) -> None:
    """Make a test of a `TestClient` async, and await its first request."""
    reading = draft.reading
    if test.kind != "plain" or not draft.source.start(test.node):
        raise ImpossibleError
    for call in draft.source.own_of(test.node, ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("get", "post", "put", "delete", "patch"):
            owner = call.func.value
            value = reading.bound_in_function(owner.id, call) if isinstance(owner, ast.Name) else None
            if isinstance(owner, ast.Name) and value is None:
                value = _module_value(reading, owner.id)
            if isinstance(value, ast.Call) and draft.source.dotted(value.func) == "starlette.testclient.TestClient":
                draft.insert(draft.source.start(test.node), "async ")
                draft.insert(draft.source.start(call), f"{HERE}await ")
                return
    raise ImpossibleError


def _module_value(reading: Reading, name: str) -> ast.expr | None:
    """What the only binding of a name in the whole file, at module level, gives it."""
    node = reading.source.only(name)
    parent = reading.source.parents[node] if node is not None else None
    return parent.value if isinstance(parent, ast.Assign) and parent in reading.source.tree.body else None


@mutator("AT305", sites.running_async_tests)
def never_await_what_is_completed(draft: Draft, test: Test) -> None:
    """Put a `for` over `asyncio.as_completed` into an async test that awaits nothing."""
    name, sleep = draft.new_name("planted"), draft.name("asyncio.sleep")
    draft.first_in(
        test.node, f"{HERE}for {name} in {draft.name('asyncio.as_completed')}([{sleep}(0)]):", f"    assert {name}"
    )


def _loops_over_completed(reading: Reading) -> Iterator[tuple[ast.For, list[ast.Await]]]:
    for loop in reading.source.of(ast.For):
        call = loop.iter
        if (
            isinstance(call, ast.Call)
            and reading.source.dotted(call.func) == "asyncio.as_completed"
            and isinstance(loop.target, ast.Name)
        ):
            name = loop.target.id
            awaits = [
                node
                for node in ast.walk(loop)
                if isinstance(node, ast.Await) and isinstance(node.value, ast.Name) and node.value.id == name
            ]
            uses = [node for node in ast.walk(loop) if isinstance(node, ast.Name) and node.id == name]
            if awaits and len(uses) == len(awaits) + 1:
                yield loop, awaits


@mutator("AT305", _loops_over_completed)
def drop_the_await_of_what_is_completed(draft: Draft, site: tuple[ast.For, list[ast.Await]]) -> None:
    """Drop the `await` in a loop over `asyncio.as_completed`."""
    loop, awaits = site
    for node in awaits:
        parent = draft.source.parents[node]
        if isinstance(parent, ast.Call):
            draft.doubt_because("it is passed on")
        draft.drop_await(node)
    draft.expect(loop)
