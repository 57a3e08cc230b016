"""AT4: mocks that are not what they stand for."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tests.mutation.draft import HERE, ImpossibleError
from tests.mutation.mutators import sites
from tests.mutation.mutators.clocks import is_tampered_with
from tests.mutation.mutators.registry import mutator
from tests.mutation.reading import MOCKS
from tests.mutation.source import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.mutation.draft import Draft
    from tests.mutation.reading import Reading, Test
    from tests.mutation.source import FunctionNode

SYNC_MOCK = "unittest.mock:MagicMock"
ASYNC_MOCK = "unittest.mock:AsyncMock"
PATCH = "unittest.mock.patch"
PATCH_OBJECT = "unittest.mock.patch.object"


class Made:
    """`name = AsyncMock(..)` in a function, the only binding of the name there."""

    def __init__(self, statement: ast.Assign, name: str, call: ast.Call, function: FunctionNode) -> None:
        self.statement = statement
        self.name = name
        self.call = call
        self.function = function

    def mentions(self, reading: Reading) -> list[ast.Name]:
        """Where the function speaks of it after that, nested functions included, in the order of the file."""
        found = [
            node
            for node in ast.walk(self.function)
            if isinstance(node, ast.Name) and node.id == self.name and node.lineno > (self.statement.end_lineno or 0)
        ]
        return sorted(found, key=reading.source.start)


def _made(reading: Reading, kind: str) -> Iterator[Made]:
    """The mocks of a kind that a name of a function is bound to."""
    for call in reading.source.of(ast.Call):
        statement = reading.source.parents[call]
        function = sites.owner(reading, call)
        if reading.source.dotted(call.func) != f"unittest.mock.{kind}" or function is None:
            continue
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            continue
        target = statement.targets[0]
        if isinstance(target, ast.Name) and _times_bound(function, target.id) == 1:
            yield Made(statement, target.id, call, function)


def _times_bound(function: FunctionNode, name: str) -> int:
    stores = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == name]
    return sum(not isinstance(node.ctx, ast.Load) for node in stores) + sum(
        isinstance(node, ast.arg) and node.arg == name for node in ast.walk(function)
    )


def _is_bare(call: ast.Call, *allowed: str) -> bool:
    return not call.args and all(keyword.arg in ("name", *allowed) for keyword in call.keywords)


def _path(reading: Reading, name: ast.Name) -> tuple[ast.expr, list[str]]:
    """The longest chain of attributes on a name, and its words."""
    node: ast.expr = name
    words = []
    while isinstance(parent := reading.source.parents[node], ast.Attribute):
        node = parent
        words.append(parent.attr)
    return node, words


def _is_plain_value(reading: Reading, node: ast.expr) -> bool:
    """Whether a value certainly cannot be awaited."""
    if isinstance(node, ast.Name):
        bound = reading.bound_in_function(node.id, node)
        return bound is not None and not isinstance(bound, ast.Name) and _is_plain_value(reading, bound)
    if isinstance(node, ast.Call):
        is_sync = reading.source.dotted(node.func) in ("unittest.mock.Mock", "unittest.mock.MagicMock")
        return is_sync and _is_bare(node)
    return isinstance(node, (ast.Constant, ast.List, ast.Dict, ast.Tuple, ast.JoinedStr))


# -- AT401 -------------------------------------------------------------------------------------------------------------


def _awaited_mocks(reading: Reading) -> Iterator[tuple[Made, ast.Await]]:
    for made in _made(reading, "AsyncMock"):
        for name in made.mentions(reading):
            node, _ = _path(reading, name)
            call = reading.source.parents[node]
            parent = reading.source.parents[call]
            if (
                isinstance(call, ast.Call)
                and call.func is node
                and isinstance(parent, ast.Await)
                and sites.owner(reading, parent) is made.function
            ):
                yield made, parent
                break


@mutator("AT401", _awaited_mocks)
def make_an_awaited_mock_sync(draft: Draft, site: tuple[Made, ast.Await]) -> None:
    """Write MagicMock for the AsyncMock that a test awaits."""
    made, awaited = site
    draft.replace(made.call.func, draft.name(SYNC_MOCK))
    draft.expect(awaited)
    values = [keyword.value for keyword in made.call.keywords if keyword.arg == "return_value"]
    if not _is_bare(made.call, "return_value") or not all(isinstance(value, ast.Constant) for value in values):
        draft.doubt_because("the mock is configured")
    if any(name.lineno < awaited.lineno for name in made.mentions(draft.reading)):
        draft.doubt_because("the mock is configured or handed over in between")
    if draft.source.block_of(made.statement) is not draft.source.block_of(draft.source.statement_of(awaited)):
        draft.doubt_because("it does not stand in one line with the await")


@mutator("AT401", sites.running_async_tests)
def plant_an_awaited_sync_mock(draft: Draft, test: Test) -> None:
    """Put a MagicMock and an await of one of its methods into an async test."""
    name = draft.new_name("planted")
    draft.first_in(test.node, f"{name} = {draft.name(SYNC_MOCK)}()", f"{HERE}await {name}.fetch(1)")


# -- AT402 -------------------------------------------------------------------------------------------------------------


def _configured_contexts(reading: Reading) -> Iterator[tuple[Made, ast.Assign]]:
    """`m = MagicMock()` and `m.get.return_value.__aenter__.return_value = ..`."""
    for made in _made(reading, "MagicMock"):
        for name in made.mentions(reading):
            node, words = _path(reading, name)
            statement = reading.source.parents[node]
            if not isinstance(statement, ast.Assign) or statement.targets != [node]:
                continue
            if words[1:3] == ["return_value", "__aenter__"] and not words[0].startswith("__"):
                yield made, statement
                break


@mutator("AT402", _configured_contexts)
def make_the_parent_of_a_context_manager_async(draft: Draft, site: tuple[Made, ast.Assign]) -> None:
    """Write AsyncMock for a MagicMock whose method gives an async context manager."""
    made, statement = site
    reading = draft.reading
    draft.replace(made.call.func, draft.name(ASYNC_MOCK))
    draft.expect(statement)
    if not _is_bare(made.call):
        draft.doubt_because("the mock is configured")
    if any(name.lineno < statement.lineno for name in made.mentions(reading)):
        draft.doubt_because("the mock is configured or handed over in between")
    if f"await {made.name}." in draft.source.text_of(made.function):
        draft.doubt_because("the method is awaited")
    if draft.source.block_of(made.statement) is not draft.source.block_of(statement):
        draft.doubt_because("it does not stand in one line with the assignment")


@mutator("AT402", sites.running_async_tests)
def plant_an_entered_method_of_an_async_mock(draft: Draft, test: Test) -> None:
    """Put `async with m.get(..)` of an AsyncMock into an async test."""
    name = draft.new_name("planted")
    draft.first_in(
        test.node,
        f"{name} = {draft.name(ASYNC_MOCK)}()",
        f'async with {HERE}{name}.get("/") as entered:',
        "    assert entered is not None",
    )


@mutator("AT402", sites.running_async_tests)
def plant_an_iterated_method_of_an_async_mock(draft: Draft, test: Test) -> None:
    """Put `async for .. in m.stream()` of an AsyncMock into an async test."""
    name = draft.new_name("planted")
    draft.first_in(
        test.node,
        f"{name} = {draft.name(ASYNC_MOCK)}()",
        f"async for each in {HERE}{name}.stream():",
        "    assert each",
    )


# -- AT403 -------------------------------------------------------------------------------------------------------------

RESPONSE_METHODS = ("json", "raise_for_status")
RESULT_METHODS = ("scalar_one_or_none", "scalar_one", "scalars", "mappings", "unique")
SESSION_METHODS = ("add", "execute", "commit", "flush", "scalar")


def _responses(reading: Reading) -> Iterator[tuple[Made, ast.Name]]:
    """The mocks of a response or a query result, and where their first sync method is spoken of."""
    for kind in ("MagicMock", "Mock"):
        for made in _made(reading, kind):
            mentions = [(name, _path(reading, name)) for name in made.mentions(reading)]
            words = {path[0] for _, (_, path) in mentions if path}
            keywords = {keyword.arg for keyword in made.call.keywords}
            is_response = "status_code" in words | keywords
            methods = RESPONSE_METHODS if is_response else RESULT_METHODS
            if not is_response and not words.isdisjoint(SESSION_METHODS):
                continue
            for name, (node, path) in mentions:
                is_used = isinstance(reading.source.parents[node], ast.Call) or len(path) > 1
                if path and path[0] in methods and is_used:
                    yield made, name
                    break


@mutator("AT403", _responses)
def make_a_response_async(draft: Draft, site: tuple[Made, ast.Name]) -> None:
    """Write AsyncMock for the mock of a response or of a query's result."""
    made, name = site
    reading = draft.reading
    draft.replace(made.call.func, draft.name(ASYNC_MOCK))
    draft.expect(name)
    if not _is_bare(made.call, "status_code"):
        draft.doubt_because("the mock has a spec or is configured at once")
    method = _path(reading, name)[1][0]
    for mention in made.mentions(reading):
        node, words = _path(reading, mention)
        parent = draft.source.parents[node]
        if words[:1] == [method] and (len(words) == 1 and not isinstance(parent, ast.Call)):
            draft.doubt_because("the method is replaced")
        if words[:1] == [method] and len(words) > 1 and words[1].startswith("assert"):
            draft.doubt_because("assertions about the method do not count")
        if not words and mention.lineno < name.lineno:
            draft.doubt_because("the mock is handed over before")


@mutator("AT403", sites.running_async_tests)
def plant_an_async_response(draft: Draft, test: Test) -> None:
    """Put an AsyncMock that plays a response into an async test."""
    name = draft.new_name("planted")
    draft.first_in(
        test.node,
        f"{name} = {draft.name(ASYNC_MOCK)}()",
        f"{name}.status_code = 200",
        f"{HERE}{name}.json.return_value = {{}}",
    )


@mutator("AT403", sites.running_async_tests)
def plant_an_async_session(draft: Draft, test: Test) -> None:
    """Put an AsyncMock that plays a session into an async test, and `session.add`."""
    name = draft.new_name("planted")
    draft.first_in(test.node, f"{name} = {draft.name(ASYNC_MOCK)}()", f"{HERE}{name}.add(1)", f"await {name}.commit()")


# -- AT404, AT405 ------------------------------------------------------------------------------------------------------


def _assigned_dunders(reading: Reading, *names: str) -> Iterator[tuple[ast.Assign, ast.Call]]:
    """`m.__aexit__ = AsyncMock(..)`."""
    for statement in reading.source.of(ast.Assign):
        target = statement.targets[0]
        if (
            len(statement.targets) == 1
            and isinstance(target, ast.Attribute)
            and target.attr in names
            and isinstance(statement.value, ast.Call)
            and reading.source.dotted(statement.value.func) in MOCKS
        ):
            yield statement, statement.value


def _exits(reading: Reading) -> Iterator[tuple[ast.Assign, ast.Call]]:
    for statement, call in _assigned_dunders(reading, "__aexit__", "__exit__"):
        value = call.keywords[0].value if len(call.keywords) == 1 and not call.args else None
        if (
            call.keywords
            and call.keywords[0].arg == "return_value"
            and isinstance(value, ast.Constant)
            and not value.value
        ):
            yield statement, call


@mutator("AT404", _exits)
def let_a_mocked_exit_return_a_mock(draft: Draft, site: tuple[ast.Assign, ast.Call]) -> None:
    """Write `AsyncMock()` for `AsyncMock(return_value=None)` as `__aexit__`."""
    statement, call = site
    draft.expect(statement)
    draft.replace(call, f"{draft.source.text_of(call.func)}()")
    target = statement.targets[0]
    assert isinstance(target, ast.Attribute)
    function = sites.owner(draft.reading, statement)
    if function is None or draft.source.text_of(function).count(f"{target.attr}.") > 0:
        draft.doubt_because("the mock may be configured later")
    is_async = draft.source.dotted(call.func).endswith("AsyncMock")
    if target.attr == "__aexit__" and not is_async:
        draft.doubt_because("a sync mock there is something else")


def _returning_exits(reading: Reading) -> Iterator[ast.Assign]:
    """`m.__aexit__.return_value = None`."""
    for statement in reading.source.of(ast.Assign):
        target = statement.targets[0]
        if not isinstance(target, ast.Attribute) or target.attr != "return_value" or len(statement.targets) != 1:
            continue
        if (
            isinstance(target.value, ast.Attribute)
            and target.value.attr in ("__aexit__", "__exit__")
            and isinstance(statement.value, ast.Constant)
            and not statement.value.value
        ):
            yield statement


@mutator("AT404", _returning_exits)
def let_a_mocked_exit_return_true(draft: Draft, statement: ast.Assign) -> None:
    """Write `True` for what a mocked `__aexit__` returns."""
    draft.expect(statement)
    draft.replace(statement.value, "True")


@mutator("AT404", sites.running_async_tests)
def plant_a_mocked_exit(draft: Draft, test: Test) -> None:
    """Put `m.__aexit__ = AsyncMock()` into an async test."""
    name, mock = draft.new_name("planted"), draft.name(ASYNC_MOCK)
    draft.first_in(test.node, f"{name} = {draft.name(SYNC_MOCK)}()", f"{HERE}{name}.__aexit__ = {mock}()")


def _enters(reading: Reading) -> Iterator[tuple[ast.Assign, ast.Call]]:
    for statement, call in _assigned_dunders(reading, "__aenter__", "__aexit__", "__anext__"):
        if reading.source.dotted(call.func).endswith("AsyncMock"):
            yield statement, call


@mutator("AT405", _enters)
def make_an_awaited_dunder_sync(draft: Draft, site: tuple[ast.Assign, ast.Call]) -> None:
    """Write MagicMock for the AsyncMock that is `__aenter__` or one of its kin."""
    statement, call = site
    draft.expect(statement)
    draft.replace(call.func, draft.name(SYNC_MOCK))
    for keyword in call.keywords:
        if keyword.arg != "return_value" or not _is_plain_value(draft.reading, keyword.value):
            draft.doubt_because("what it returns may be awaitable")
    if call.args:
        draft.doubt_because("the mock has a spec")
    target = statement.targets[0]
    function = sites.owner(draft.reading, statement)
    assert isinstance(target, ast.Attribute)
    if function is None or draft.source.text_of(function).count(f"{target.attr}.") > 0:
        draft.doubt_because("the mock may be configured later")


@mutator("AT405", sites.running_async_tests)
def plant_an_awaited_iterator(draft: Draft, test: Test) -> None:
    """Put `m.__aiter__ = AsyncMock(..)` into an async test."""
    name, mock = draft.new_name("planted"), draft.name(ASYNC_MOCK)
    draft.first_in(
        test.node, f"{name} = {draft.name(SYNC_MOCK)}()", f"{HERE}{name}.__aiter__ = {mock}(return_value=[1, 2])"
    )


# -- AT406 -------------------------------------------------------------------------------------------------------------


def _returned_values(reading: Reading) -> Iterator[ast.keyword]:
    for call in sites.calls_of("unittest.mock.AsyncMock")(reading):
        for keyword in call.keywords:
            if keyword.arg == "return_value":
                yield keyword


@mutator("AT406", _returned_values)
def return_a_coroutine(draft: Draft, keyword: ast.keyword) -> None:
    """Let an AsyncMock return a coroutine of what it returned."""
    draft.doubt_because(is_tampered_with(draft.reading))
    draft.insert(draft.source.start(keyword.value), f"{HERE}{draft.name('asyncio.sleep')}(0, ")
    draft.insert(draft.source.end(keyword.value), ")")


@mutator("AT406", _returned_values)
def return_a_future(draft: Draft, keyword: ast.keyword) -> None:
    """Let an AsyncMock return a future."""
    draft.replace(keyword.value, f"{HERE}{draft.name('asyncio.Future')}()")


@mutator("AT406", _returned_values)
def have_a_lambda_return_a_coroutine(draft: Draft, keyword: ast.keyword) -> None:
    """Write `side_effect=lambda: work()` for an AsyncMock's `return_value`."""
    draft.doubt_because(is_tampered_with(draft.reading))
    call = draft.source.parents[keyword]
    assert isinstance(call, ast.Call)
    if any(each.arg == "side_effect" for each in call.keywords):
        raise ImpossibleError
    draft.replace(keyword, f"side_effect={HERE}lambda *_: {draft.name('asyncio.sleep')}(0)")


# -- AT407 -------------------------------------------------------------------------------------------------------------


def _patches(reading: Reading) -> Iterator[ast.Call]:
    """The calls of `patch` and `patch.object` whose target is a literal."""
    for call in sites.calls_of(PATCH, PATCH_OBJECT)(reading):
        at = 1 if reading.source.dotted(call.func) == PATCH_OBJECT else 0
        if len(call.args) > at and isinstance(call.args[at], ast.Constant):
            yield call


def _target(reading: Reading, call: ast.Call) -> str:
    """The full name of what a patch replaces; "" where it cannot be told."""
    if reading.source.dotted(call.func) == PATCH:
        return str(ast.literal_eval(call.args[0]))
    owner = reading.source.dotted(call.args[0])
    return f"{owner}.{ast.literal_eval(call.args[1])}" if owner else ""


def is_async_target(reading: Reading, target: str) -> bool:
    """Whether a full name, as `patch` takes it, is that of a coroutine function of asyncio or of the suite."""
    if target.endswith((".asyncio.sleep", ".asyncio.wait_for")) or target in ("asyncio.sleep", "asyncio.wait_for"):
        return True
    return reading.is_async_in_suite(target)


def _plain_patches(reading: Reading) -> Iterator[ast.Call]:
    for call in _patches(reading):
        at = 1 if reading.source.dotted(call.func) == PATCH_OBJECT else 0
        keywords = {keyword.arg for keyword in call.keywords}
        if len(call.args) == at + 1 and keywords <= {"return_value", "side_effect"}:
            yield call


def _doubt_about_patch(reading: Reading, call: ast.Call) -> str:
    if not is_async_target(reading, _target(reading, call)):
        return "the target is not known to be a coroutine function"
    for keyword in call.keywords:
        is_behaviour = keyword.arg in ("return_value", "side_effect")
        if is_behaviour and not (keyword.arg == "return_value" and _is_plain_value(reading, keyword.value)):
            return "what it returns may be awaitable"
    function = sites.owner(reading, call)
    if function is None:
        # As a decorator, it is told of in the function below.
        below = next(
            (each for each in reading.source.ancestors(call) if isinstance(each, (*FUNCTIONS, ast.ClassDef))), None
        )
        if not isinstance(below, FUNCTIONS):
            return "the patch is used elsewhere"
        function = below
    text = reading.source.text_of(function)
    if "assert_not_called" in text:
        return "nobody calls it"
    return "the mock is configured later" if ".side_effect" in text or ".return_value" in text else ""


@mutator("AT407", _plain_patches)
def patch_with_a_sync_mock(draft: Draft, call: ast.Call) -> None:
    """Add `new_callable=MagicMock` to the `patch` of a coroutine function."""
    draft.insert(
        draft.source.end((call.args + [each.value for each in call.keywords])[-1]),
        f", new_callable={HERE}{draft.name(SYNC_MOCK)}",
    )
    draft.doubt_because(_doubt_about_patch(draft.reading, call))


def _patches_with_async_mocks(reading: Reading) -> Iterator[tuple[ast.Call, ast.expr, ast.expr]]:
    """The patches that say AsyncMock, where they say it, and the whole replacement."""
    for call in _patches(reading):
        for value in (
            *call.args[1:],
            *(keyword.value for keyword in call.keywords if keyword.arg in ("new", "new_callable")),
        ):
            named = value.func if isinstance(value, ast.Call) else value
            if reading.source.dotted(named) == "unittest.mock.AsyncMock":
                yield call, named, value


@mutator("AT407", _patches_with_async_mocks)
def make_a_patch_sync(draft: Draft, site: tuple[ast.Call, ast.expr, ast.expr]) -> None:
    """Write MagicMock for the AsyncMock in the `patch` of a coroutine function."""
    call, named, value = site
    draft.expect(value)
    draft.replace(named, draft.name(SYNC_MOCK))
    draft.doubt_because(_doubt_about_patch(draft.reading, call))
    if isinstance(value, ast.Call) and (
        value.args
        or any(each.arg != "return_value" or not _is_plain_value(draft.reading, each.value) for each in value.keywords)
    ):
        draft.doubt_because("what it returns may be awaitable")


def _monkeypatches(reading: Reading) -> Iterator[tuple[ast.expr, str]]:
    """`monkeypatch.setattr(module, "name", value)`: the value, and the full name of what it replaces."""
    for call in reading.source.of(ast.Call):
        if ast.unparse(call.func) != "monkeypatch.setattr" or call.keywords:
            continue
        if len(call.args) == 3 and isinstance(call.args[1], ast.Constant):
            owner = reading.source.dotted(call.args[0])
            yield call.args[2], f"{owner}.{ast.literal_eval(call.args[1])}" if owner else ""
        elif len(call.args) == 2 and isinstance(call.args[0], ast.Constant):
            yield call.args[1], str(call.args[0].value)


@mutator("AT407", _monkeypatches)
def monkeypatch_with_a_lambda(draft: Draft, site: tuple[ast.expr, str]) -> None:
    """Replace a coroutine function by a lambda that returns None."""
    value, target = site
    draft.replace(value, f"{HERE}lambda *args, **kwargs: None")
    if not is_async_target(draft.reading, target):
        draft.doubt_because("the target is not known to be a coroutine function")


@mutator("AT407", sites.running_async_tests)
def plant_a_patched_sleep(draft: Draft, test: Test) -> None:
    """Put a `patch` of `asyncio.sleep` by a MagicMock into an async test."""
    patch, mock = draft.name("unittest.mock:patch"), draft.name(SYNC_MOCK)
    draft.first_in(test.node, f'with {patch}("asyncio.sleep", {HERE}{mock}()):', "    pass")


# -- AT408 -------------------------------------------------------------------------------------------------------------


def _assertions(reading: Reading) -> Iterator[ast.Call]:
    """`m.assert_called_once()` and its kin as statements."""
    for statement in reading.source.of(ast.Expr):
        node = statement.value.value if isinstance(statement.value, ast.Await) else statement.value
        if (
            (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(statement.value, ast.Call)
            )
            and node.func.attr.startswith("assert_")
            and ("call" in node.func.attr or "await" in node.func.attr)
        ):
            yield node


def _doubt_about_mock(reading: Reading, call: ast.Call, *, as_child: bool) -> str:
    """Why the receiver of an assertion is no mock in view, or may have been given a child of that name."""
    assert isinstance(call.func, ast.Attribute)
    if not reading.mock_kind(call.func.value, call):
        return "the receiver is not known to be a mock"
    is_open = as_child and reading.may_have_other_children(call.func.value, call)
    return "the mock may have been configured" if is_open else ""


@mutator("AT408", _assertions)
def forget_to_call_an_assertion(draft: Draft, call: ast.Call) -> None:
    """Drop the parentheses of an assertion about a mock."""
    assert isinstance(call.func, ast.Attribute)
    draft.expect(call)
    draft.span(draft.source.end(call.func), draft.source.end(call), "")
    is_of_awaits = "await" in call.func.attr
    draft.doubt_because("" if is_of_awaits else _doubt_about_mock(draft.reading, call, as_child=False))


def _rename(draft: Draft, call: ast.Call, name: str) -> None:
    assert isinstance(call.func, ast.Attribute)
    end = draft.source.end(call.func)
    draft.expect(call)
    draft.span(end - len(call.func.attr), end, name)


@mutator("AT408", _assertions)
def leave_assert_out_of_an_assertion(draft: Draft, call: ast.Call) -> None:
    """Write `called_once_with(..)` for `assert_called_once_with(..)`."""
    assert isinstance(call.func, ast.Attribute)
    name = call.func.attr.removeprefix("assert_")
    if name in ("called", "awaited_with"):
        # The one is an attribute that is there, the other nothing that anybody takes for an assertion.
        raise ImpossibleError
    _rename(draft, call, name)
    any_receiver = name in ("awaited_once", "awaited_once_with", "has_awaits")
    draft.doubt_because("" if any_receiver else _doubt_about_mock(draft.reading, call, as_child=True))


@mutator("AT408", _assertions)
def misspell_an_assertion(draft: Draft, call: ast.Call) -> None:
    """Write `asset_called_once(..)` for `assert_called_once(..)`."""
    assert isinstance(call.func, ast.Attribute)
    _rename(draft, call, f"asset_{call.func.attr.removeprefix('assert_')}")
    draft.doubt_because(_doubt_about_mock(draft.reading, call, as_child=True))
