"""Programs that nobody wrote, in the words of asynchronous tests: what the cases say, crossed, wrapped and bent.

A program begins as some statements of the cases, so that every rule finds its matter in some of them, and is then
changed at random places: other statements and expressions are grafted in, blocks and functions are wrapped around,
names are given away, `async` comes and goes. Whatever still is Python afterwards is a program.
"""

from __future__ import annotations

import ast
import copy
import sys
import warnings
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from tests.cases import load_cases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

CASES = Path(__file__).parent / "cases"

_MOST_CHANGES = 12
_LONGEST = 60
"""How many statements a program begins with at most, those within statements left out."""

_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_TURNED: dict[type[ast.stmt], type[ast.stmt]] = {
    ast.FunctionDef: ast.AsyncFunctionDef,
    ast.AsyncFunctionDef: ast.FunctionDef,
    ast.With: ast.AsyncWith,
    ast.AsyncWith: ast.With,
    ast.For: ast.AsyncFor,
    ast.AsyncFor: ast.For,
}

# Statements with `...` where the one stands that they are wrapped around.
_BLOCKS = """
if {n}: ...
---
if {n}:
    {n}
elif {e}: ...
else:
    {n} = {e}
---
try: ...
except ({n}, {e}) as {n}:
    {n}
else:
    raise
finally:
    del {n}
---
try:
    {e}
except {n}: ...
---
try: ...
except* {e} as {n}:
    {n} = {e}
---
with {e} as {n}, {n}: ...
---
async with {e} as ({n}, *{n}): ...
---
async with {e}, {e} as {n}[{e}]: ...
---
for {n}, ({n}, *{n}) in {e}: ...
else:
    {e}
---
async for {n}.{n} in {e}: ...
---
while {n} := {e}: ...
---
match {e}:
    case {{'a': {n}, **{n}}} if {e}: ...
    case [{n}, *{n}] | {n}({n}={n}) as {n}: ...
    case _:
        {e}
---
def {n}({n}, /, {n}={e}, *{n}, {n}, {n}={e}, **{n}): ...
---
async def {n}({n}: {e}, *, {n}=lambda: {e}) -> {e}: ...
---
@{e}
async def {n}(): ...
---
async def {n}():
    yield {e}
    ...
    yield
---
class {n}: ...
---
@{e}
class {n}({n}, {e}, metaclass={e}, **{n}): ...
---
def {n}():
    global {n}, {n}
    ...
---
def {n}():
    def {n}():
        nonlocal {n}
        ...
    return {n}
---
{n} = {e}
...
{n}: {e} = {n}
---
...
{n}.{n}, {n}[{e}], *{n} = {e}
---
...
{n} += {e}
---
...
import {n} as {n}, {n}.{n}
---
from . import {n}
from {n} import *
...
---
...
return {e}
---
...
assert {e}, {n}
"""
if sys.version_info >= (3, 12):
    _BLOCKS += """
---
async def {n}[{n}: {e}, *{n}, **{n}]({n}: {n}) -> {e}: ...
---
class {n}[{n}: ({e}, {n})]({e}): ...
---
type {n}[{n}] = {e}
...
"""

# Expressions with `...` where the one stands that they are wrapped around.
_WRAPPERS = """
await ...
(yield ...)
(yield from ...)
...()
...(*{e}, **{n})
{n}(..., {n}={e})
{e}(...)
({e}, ...)[{e}]
....{n}
...[{e}]
...[{n}:{e}, ...]
[..., *{n}]
{{...: {e}, **{n}}}
({n} := ...)
(... if {e} else {n})
(... and {e} or not {n})
(... == {e} is not None in {n})
-... + {e} @ {n}
lambda {n}, *{n}, {n}=...: {e}
lambda: ...
[... async for {n} in {e} if await {n}]
[{n} for {n} in ... for {n}, {n} in {n} if {n}]
{{{n}: ... for {n}[{e}] in {e}}}
(... for {n} in {e})
f'{{...!r:>{{{n}}}}} {{{n}=}}'
(lambda {n}: ...)(*[{e}])
partial(..., {n})
asyncio.create_task(...)
mock.patch('a.b', ...)
mock.patch.object(..., {s})
AsyncMock(return_value=...)
pytest.mark.asyncio(...)
pytest.param(..., marks=[{e}])
""".strip()
if sys.version_info >= (3, 12):
    _WRAPPERS += "\nf'{f'{...}'}'"
if sys.version_info >= (3, 14):
    _WRAPPERS += "\nt'{...!r:>{{{n}}}}'"


class Words:
    """What the cases are made of."""

    def __init__(self) -> None:
        self.programs: list[list[ast.stmt]] = []
        """The statements at the top of each file."""
        self.statements: list[ast.stmt] = []
        self.expressions: list[ast.expr] = []
        self.decorators: list[ast.expr] = []
        self.names: list[str] = []
        self.texts: list[str] = []

    def add(self, text: str) -> None:
        tree = ast.parse(text)
        if tree.body:
            self.programs.append(tree.body)
        for node in ast.walk(tree):
            if isinstance(node, ast.stmt):
                self.statements.append(node)
            elif isinstance(node, (ast.Call, ast.Attribute, ast.Await)):
                self.expressions.append(node)
            elif isinstance(node, ast.Name):
                self.names.append(node.id)
            elif isinstance(node, ast.arg):
                self.names.append(node.arg)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                self.texts.append(node.value)
            if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
                self.names.append(node.name)
                self.decorators += node.decorator_list


@cache
def words_of_the_cases() -> Words:
    words = Words()
    for path in sorted(CASES.glob("AT*.md")):
        for case in load_cases(path):
            for name, text in case.files.items():
                if name.endswith(".py"):
                    try:
                        words.add(text)
                    except SyntaxError:
                        # Written for a newer Python.
                        continue
    return words


def program(random: Random) -> str | None:
    """The text of some program, None where what has come out of the changes is no Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            text = ast.unparse(ast.fix_missing_locations(_Writer(random).program()))
            ast.parse(text)
        except (SyntaxError, ValueError, RecursionError):
            return None
    return text


class _Writer:
    """Writes one program."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._words = words_of_the_cases()

    def program(self) -> ast.Module:
        body: list[ast.stmt] = []
        for _ in range(self._random.randint(1, 3)):
            body += copy.deepcopy(self._random.choice(self._words.programs))
        tree = ast.Module(body[:_LONGEST], [])
        for _ in range(self._random.randint(0, _MOST_CHANGES)):
            self._random.choice(_CHANGES)(self, tree)
        return tree

    # -- what is grafted in -----------------------------------------------------------------------------------------

    def name(self) -> str:
        return self._random.choice(self._words.names)

    def expression(self) -> ast.expr:
        return copy.deepcopy(self._random.choice(self._words.expressions))

    def _filled(self, template: str, hole: ast.AST | None = None) -> list[ast.stmt]:
        """The statements of a template; the last `...` that stands alone in it gives way to a node."""
        parts = {
            "n": self.name,
            "e": lambda: f"({ast.unparse(self.expression())})",
            "s": lambda: repr(self._random.choice(self._words.texts)),
        }
        text = template.format_map(_Parts(parts))
        tree = ast.parse(text)
        if hole is not None:
            _Filling(hole).visit(tree)
        return tree.body

    def block_around(self, statement: ast.stmt) -> list[ast.stmt]:
        return self._filled(self._random.choice(_BLOCKS.split("---\n")).strip(), statement)

    def around(self, expression: ast.expr) -> ast.expr:
        (statement,) = self._filled(self._random.choice(_WRAPPERS.splitlines()), expression)
        assert isinstance(statement, ast.Expr)
        return statement.value

    # -- changes ----------------------------------------------------------------------------------------------------

    def _some(self, tree: ast.AST, *kinds: type[ast.AST]) -> Any:  # Any: a node of one of the kinds, or None
        found = [node for node in ast.walk(tree) if isinstance(node, kinds)]
        return self._random.choice(found) if found else None

    def _some_body(self, tree: ast.AST) -> list[ast.stmt]:
        bodies = [
            field
            for node in ast.walk(tree)
            for _, field in ast.iter_fields(node)
            if isinstance(field, list) and field and isinstance(field[0], ast.stmt)
        ]
        return self._random.choice(bodies)

    def add_statement(self, tree: ast.Module) -> None:
        body = self._some_body(tree)
        body.insert(self._random.randint(0, len(body)), copy.deepcopy(self._random.choice(self._words.statements)))

    def repeat_statement(self, tree: ast.Module) -> None:
        body = self._some_body(tree)
        statement = self._random.choice(body)
        self._some_body(tree).append(copy.deepcopy(statement))

    def drop_statement(self, tree: ast.Module) -> None:
        body = self._some_body(tree)
        del body[self._random.randrange(len(body))]
        if not body:
            body.append(ast.Pass())

    def swap_statements(self, tree: ast.Module) -> None:
        body = self._some_body(tree)
        one, other = self._random.randrange(len(body)), self._random.randrange(len(body))
        body[one], body[other] = body[other], body[one]

    def wrap_statement(self, tree: ast.Module) -> None:
        body = self._some_body(tree)
        at = self._random.randrange(len(body))
        body[at : at + 1] = self.block_around(body[at])

    def wrap_all(self, tree: ast.Module) -> None:
        body = self._some_body(tree)
        around = self.block_around(ast.Pass())
        for statement in around:
            for inner in (node for node in ast.walk(statement) if hasattr(node, "body")):
                if isinstance(inner.body, list) and any(isinstance(each, ast.Pass) for each in inner.body):
                    inner.body[:] = body
                    body[:] = around
                    return

    def wrap_expression(self, tree: ast.Module) -> None:
        self._replace_expression(tree, self.around)

    def replace_expression(self, tree: ast.Module) -> None:
        self._replace_expression(tree, lambda _: self.expression())

    def _replace_expression(self, tree: ast.Module, make: Callable[[ast.expr], ast.expr]) -> None:
        places = list(_places_of_expressions(tree))
        if places:
            holder, field, at = self._random.choice(places)
            if at is None:
                setattr(holder, field, make(getattr(holder, field)))
            else:
                elements = getattr(holder, field)
                elements[at] = make(elements[at])

    def turn(self, tree: ast.Module) -> None:
        """Make something `async`, or no longer so."""
        node = self._some(tree, *_TURNED)
        if node is not None:
            node.__class__ = _TURNED[node.__class__]

    def decorate(self, tree: ast.Module) -> None:
        node = self._some(tree, *_FUNCTIONS, ast.ClassDef)
        if node is not None:
            decorator = copy.deepcopy(self._random.choice(self._words.decorators))
            node.decorator_list.insert(self._random.randint(0, len(node.decorator_list)), decorator)

    def undecorate(self, tree: ast.Module) -> None:
        node = self._some(tree, *_FUNCTIONS, ast.ClassDef)
        if node is not None and node.decorator_list:
            self._random.choice((node.decorator_list.pop, node.decorator_list.reverse))()

    def add_parameter(self, tree: ast.Module) -> None:
        node = self._some(tree, *_FUNCTIONS, ast.Lambda)
        if node is None:
            return
        arguments, parameter = node.args, ast.arg(self.name(), self.expression())
        kind = self._random.choice(("posonlyargs", "args", "vararg", "kwonlyargs", "kwarg"))
        if isinstance(node, ast.Lambda):
            parameter.annotation = None
        if kind in ("vararg", "kwarg"):
            setattr(arguments, kind, parameter)
            return
        getattr(arguments, kind).append(parameter)
        if kind == "kwonlyargs":
            arguments.kw_defaults.append(self._random.choice((None, self.expression())))
        elif arguments.defaults or self._random.random() < 0.5:
            arguments.defaults.append(self.expression())

    def drop_parameters(self, tree: ast.Module) -> None:
        node = self._some(tree, *_FUNCTIONS)
        if node is not None:
            node.args = ast.arguments([], [], None, [], [], None, [])

    def rename(self, tree: ast.Module) -> None:
        """Give everything of one name another."""
        old, new = self._some(tree, ast.Name, *_FUNCTIONS, ast.ClassDef), self.name()
        if old is None:
            return
        name = old.id if isinstance(old, ast.Name) else old.name
        for node in ast.walk(tree):
            for field, value in ast.iter_fields(node):
                if value == name and field in ("id", "name", "arg", "asname"):
                    setattr(node, field, new)

    def rename_one(self, tree: ast.Module) -> None:
        node = self._some(tree, ast.Name)
        if node is not None:
            node.id = self.name()

    def rename_attribute(self, tree: ast.Module) -> None:
        node, other = self._some(tree, ast.Attribute), self._random.choice(self._words.expressions)
        if node is not None and isinstance(other, ast.Attribute):
            node.attr = other.attr

    def change_text(self, tree: ast.Module) -> None:
        node = self._some(tree, ast.Constant)
        if node is not None:
            text = self._random.choice(self._words.texts)
            node.value = self._random.choice((text, text.encode(), 0, -1.5, 10**400, True, None, ..., "", 1j, "\0"))

    def add_base(self, tree: ast.Module) -> None:
        node = self._some(tree, ast.ClassDef)
        if node is not None:
            base = self._random.choice((self.expression, lambda: ast.Name(self.name(), ast.Load())))()
            node.bases.insert(self._random.randint(0, len(node.bases)), base)

    def add_keyword(self, tree: ast.Module) -> None:
        call, other = self._some(tree, ast.Call), self._some(tree, ast.keyword)
        if call is not None and other is not None:
            call.keywords.append(ast.keyword(other.arg, self.expression()))

    def drop_arguments(self, tree: ast.Module) -> None:
        call = self._some(tree, ast.Call)
        if call is not None:
            call.args, call.keywords = call.args[1:], call.keywords[1:]

    def change_target(self, tree: ast.Module) -> None:
        node = self._some(tree, ast.Assign)
        if node is not None:
            more = self._filled("{n}.{n}, {n}[{e}], (*{n}, {n}), [{n}] = {n} = {n}.{n}.{n} = {e}")[0]
            assert isinstance(more, ast.Assign)
            node.targets += self._random.sample(more.targets, self._random.randint(1, 3))


class _Parts(dict[str, "Callable[[], str]"]):
    """Fills each field of a template anew."""

    def __getitem__(self, key: str) -> Any:  # Any: a text where a mapping of functions says otherwise
        return super().__getitem__(key)()


class _Filling(ast.NodeTransformer):
    """Puts a node into the place of the `...` of a template."""

    def __init__(self, node: ast.AST) -> None:
        self._node = node

    def visit_Expr(self, node: ast.Expr) -> Any:  # ast's way
        is_hole = isinstance(node.value, ast.Constant) and node.value.value is ...
        return self._node if is_hole and isinstance(self._node, ast.stmt) else self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> Any:  # ast's way
        return self._node if node.value is ... and isinstance(self._node, ast.expr) else node


def _places_of_expressions(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None]]:
    """Where an expression can be exchanged: the node that holds it, the field, and the place in a list."""
    for node in ast.walk(tree):
        for field, value in ast.iter_fields(node):
            if isinstance(value, ast.expr):
                yield node, field, None
            elif isinstance(value, list):
                yield from ((node, field, at) for at, each in enumerate(value) if isinstance(each, ast.expr))


_CHANGES: tuple[Callable[[_Writer, ast.Module], None], ...] = (
    _Writer.add_statement,
    _Writer.add_statement,
    _Writer.repeat_statement,
    _Writer.drop_statement,
    _Writer.swap_statements,
    _Writer.wrap_statement,
    _Writer.wrap_statement,
    _Writer.wrap_all,
    _Writer.wrap_expression,
    _Writer.wrap_expression,
    _Writer.replace_expression,
    _Writer.turn,
    _Writer.decorate,
    _Writer.undecorate,
    _Writer.add_parameter,
    _Writer.drop_parameters,
    _Writer.rename,
    _Writer.rename_one,
    _Writer.rename_attribute,
    _Writer.change_text,
    _Writer.add_base,
    _Writer.add_keyword,
    _Writer.drop_arguments,
    _Writer.change_target,
)
