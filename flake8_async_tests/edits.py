"""What rules say of their fixes, in a line each: the edits that mend a finding.

A helper gives None where it cannot be sure of the syntax, and then there is no fix.
"""

from __future__ import annotations

import ast
import builtins
import io
import re
import sys
import tokenize
from bisect import bisect_right
from typing import TYPE_CHECKING, TypeGuard

from flake8_async_tests.fixing.imports import has_own_lines, imported, removal_of_alias
from flake8_async_tests.fixing.lines import Lines, end_of, start_of
from flake8_async_tests.record import record
from flake8_async_tests.rule import Edit, Fix, Import
from flake8_async_tests.source.names import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from flake8_async_tests.fixing.lines import Located
    from flake8_async_tests.rule import Place
    from flake8_async_tests.source.marks import Mark
    from flake8_async_tests.source.module import Module
    from flake8_async_tests.source.walk import FunctionNode, Scope

_NEED_NO_PARENTHESES_UNDER_AWAIT = (ast.Name, ast.Attribute, ast.Subscript, ast.Call)
_ABOUT_MARKS = re.compile(r"\b(?:async\w*|coroutines?|mark(?:ed|s)?|pytestmark)\b", re.IGNORECASE)
# Comments that some tool reads: those of linters, type checkers and formatters, a coding cookie.
_FOR_TOOLS = re.compile(r"#\s*[\w -]+[:=]|noqa|#!|nosec|pragma")
_FOR_TYPE_CHECKERS = ("typing.TYPE_CHECKING", "typing_extensions.TYPE_CHECKING")
# Places in f-strings are wrong up to Python 3.11.
_WITHOUT_PLACES = (ast.JoinedStr,) if sys.version_info < (3, 12) else ()


def safe(*edits: Edit | None, names: Iterable[Spelled] = ()) -> Fix | None:
    """A fix that keeps the meaning, or None when one of its edits could not be made."""
    return _fix(edits, names, safe=True)


def unsafe(*edits: Edit | None, names: Iterable[Spelled] = ()) -> Fix | None:
    """A fix that may change the meaning, or None when one of its edits could not be made."""
    return _fix(edits, names, safe=False)


def _fix(edits: tuple[Edit | None, ...], names: Iterable[Spelled], *, safe: bool) -> Fix | None:
    made = tuple(edit for edit in edits if edit is not None)
    if not made or len(made) != len(edits):
        return None
    return Fix(made, safe, tuple(dict.fromkeys(each for name in names for each in name.imports)))


def lines_of(module: Module) -> Lines:
    """The lines of a file, taken apart once."""
    return module.fact(_lines_of)


def _lines_of(module: Module) -> Lines:
    return Lines(module.text)


def text_of(module: Module, node: Located) -> str:
    """A node as it is written."""
    return lines_of(module).between(start_of(node), end_of(node))


# -- nodes ----------------------------------------------------------------------------------------------------------


def insert_before(node: Located, text: str) -> Edit:
    return Edit(start_of(node), start_of(node), text)


def insert_after(node: Located, text: str) -> Edit:
    return Edit(end_of(node), end_of(node), text)


def replace(node: Located, text: str) -> Edit:
    return Edit(start_of(node), end_of(node), text)


def remove_statement(
    module: Module, node: ast.stmt, scope: Scope, *, with_comment: re.Pattern[str] | None = None
) -> Edit | None:
    """Remove a statement with its lines, and with a comment right above it that speaks of nothing else.

    The only one of a block becomes a `pass`, and one that shares a line stays.
    """
    lines = lines_of(module)
    if lines.before(start_of(node)).strip() or not lines.is_rest_empty(end_of(node)):
        return None
    parent = scope.parents[node]
    if not isinstance(parent, ast.Module) and any(block == [node] for _, block in ast.iter_fields(parent)):
        return replace(node, "pass")
    first, last = node.lineno, end_of(node)[0]
    if with_comment is not None and (last == lines.count or lines.is_blank(last + 1)):
        first = _start_of_comment_above(lines, node, with_comment)
    return lines.without_lines(first, last)


def _start_of_comment_above(lines: Lines, node: ast.stmt, about: re.Pattern[str]) -> int:
    """The first line of the comment above a statement, if it is about that; else of the statement itself."""
    beginning = f"{lines.before(start_of(node))}#"
    first = node.lineno
    while first > 1 and lines.line(first - 1).startswith(beginning):
        first -= 1
    comment = "\n".join(lines.line(line) for line in range(first, node.lineno))
    return first if about.search(comment) and not _FOR_TOOLS.search(comment) else node.lineno


def insert_statement_below(module: Module, node: ast.stmt, text: str) -> Edit | None:
    """Put a statement on a line of its own below another one that has its lines for itself."""
    lines = lines_of(module)
    indentation = lines.before(start_of(node))
    if indentation.strip() or not lines.is_rest_empty(end_of(node)):
        return None
    place = lines.start_of_next_line(end_of(node)[0])
    is_last_line = place[0] == end_of(node)[0]
    return Edit(place, place, f"\n{indentation}{text}" if is_last_line else f"{indentation}{text}\n")


def insert_statement_into(module: Module, block: ast.With | ast.AsyncWith | FunctionNode, text: str) -> Edit | None:
    """Put a statement at the start of a block, below the docstring that it may have."""
    lines = lines_of(module)
    above, first = 0, block.body[0]
    if _is_docstring(first) and len(block.body) > 1:
        above, first = end_of(first)[0], block.body[1]
    indentation = lines.before(start_of(first))
    if indentation.strip():
        # On one line with what heads the block.
        return None
    line = min(node.lineno for node in (first, *getattr(first, "decorator_list", ())))
    while line - 1 > above and (lines.is_blank(line - 1) or lines.line(line - 1).lstrip().startswith("#")):
        line -= 1
    return Edit((line, 0), (line, 0), f"{indentation}{text}\n")


def enter_for_rest(module: Module, node: ast.stmt, value: ast.expr, scope: Scope, text: str) -> tuple[Edit | None, ...]:
    """Let a block that enters a value follow in the place of its statement, with all that came after it in there."""
    lines = lines_of(module)
    block = block_of(node, scope)
    rest = block[block.index(node) + 1 :]
    if not rest or lines.before(start_of(node)).strip() or not lines.is_rest_empty(end_of(node)):
        return (None,)
    first, last = end_of(node)[0] + 1, end_of(rest[-1])[0]
    if any(_has_lines_in_string(lines, each) for statement in rest for each in ast.walk(statement)):
        # To be indented these would have to be other strings.
        return (None,)
    unit = indentation_in(module, scope)
    head = Edit(start_of(node), start_of(value), text)
    indented = [Edit((line, 0), (line, 0), unit) for line in range(first, last + 1) if not lines.is_blank(line)]
    return head, Edit(end_of(value), end_of(node), ":"), *indented


def _has_lines_in_string(lines: Lines, node: ast.AST) -> bool:
    """Whether an expression may be a string that goes on over lines, not just strings in a row."""
    if not isinstance(node, (ast.Constant, ast.JoinedStr)) or node.lineno == node.end_lineno:
        return False
    text = lines.between(start_of(node), end_of(node))
    return any(sign in text for sign in ('"""', "'''", "\\\n", "\\\r"))


def replace_by_block(
    module: Module, node: ast.stmt, kept: Sequence[Located], heading: str, body: str, scope: Scope
) -> Edit | None:
    """Put a block in the place of a statement of which these parts are kept, as they are written."""
    lines = lines_of(module)
    text = text_of(module, node)
    indentation = lines.before(start_of(node))
    comments = text.count("#") - sum(text_of(module, part).count("#") for part in kept)
    if indentation.strip() or comments or "\n" in heading + body or not lines.is_rest_empty(end_of(node)):
        return None
    return replace(node, f"{heading}\n{indentation}{indentation_in(module, scope)}{body}")


def indentation_in(module: Module, scope: Scope) -> str:
    """By how much a function is indented against what it stands in."""
    lines = lines_of(module)
    body = scope.body()
    outer = lines.before((body[0].lineno, body[0].col_offset)) if body else ""
    assert isinstance(scope.node, (ast.FunctionDef, ast.AsyncFunctionDef))
    head = lines.before((scope.node.lineno, scope.node.col_offset))
    unit = outer.removeprefix(head)
    return unit if unit and not unit.strip() else "    "


def block_of(node: ast.stmt, scope: Scope) -> list[ast.stmt]:
    """The statements among which one stands."""
    fields = (value for _, value in ast.iter_fields(scope.parents[node]))
    return next(value for value in fields if isinstance(value, list) and node in value)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def remove_statements(module: Module, nodes: Sequence[ast.stmt], scope: Scope) -> tuple[Edit | None, ...]:
    """Remove statements of one block, in their order, that leave others in it."""
    lines = lines_of(module)
    runs: list[tuple[int, int]] = []
    if len(block_of(nodes[0], scope)) <= len(nodes):
        return (None,)
    for node in nodes:
        last = end_of(node)[0]
        if lines.before(start_of(node)).strip() or not lines.is_rest_empty(end_of(node)):
            return (None,)
        if runs and all(lines.is_blank(line) for line in range(runs[-1][1] + 1, node.lineno)):
            runs[-1] = (runs[-1][0], last)
        else:
            runs.append((node.lineno, last))
    return tuple(lines.without_lines(first, last) for first, last in runs)


def remove_alias(module: Module, node: ast.Import | ast.ImportFrom, alias: ast.alias) -> Edit | None:
    """Remove one of the names that a statement imports."""
    lines = lines_of(module)
    return removal_of_alias(node, alias, lines) if has_own_lines(node, lines) else None


# -- decorators -------------------------------------------------------------------------------------------------------


def remove_decorator(module: Module, node: ast.expr) -> Edit | None:
    """Remove a decorator with its lines."""
    lines = lines_of(module)
    start, end = lines.offset(start_of(node)), lines.offset(end_of(node))
    # `@(mark)`: the brackets are no part of the node.
    start, opening = _over(lines.text, start - 1, -1, "(")
    end, closing = _over(lines.text, end, 1, ")") if opening else (end, 0)
    first, last = lines.place(start), lines.place(end)
    if lines.text[start] != "@" or opening != closing or lines.before(first).strip() or not lines.is_rest_empty(last):
        return None
    return lines.without_lines(first[0], last[0])


def _over(text: str, offset: int, step: int, bracket: str) -> tuple[int, int]:
    """The offset behind the blanks and brackets of a kind that follow, or before those that precede; their number."""
    count = 0
    while True:
        at = offset
        while text[at : at + 1].isspace():
            at += step
        if text[at : at + 1] != bracket:
            return (at if step < 0 else offset), count
        count += 1
        offset = at + step


def insert_decorator(module: Module, function: FunctionNode, text: str) -> Edit | None:
    """Put a decorator above all others of a function."""
    lines = lines_of(module)
    first = function.decorator_list[0] if function.decorator_list else function
    indentation, sign, rest = lines.before(start_of(first)).partition("@")
    if indentation.strip() or rest.strip() or bool(sign) is (first is function):
        return None
    return Edit((first.lineno, 0), (first.lineno, 0), f"{indentation}@{text}\n")


def remove_mark(module: Module, mark: Mark) -> Edit | None:
    """Remove a mark of the module, a class, or a function in one of them: a decorator, or of a `pytestmark`."""
    node = mark.node
    scope = module.fact(_scopes_outside_functions)[node]
    parent = scope.parents[node]
    if isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return remove_decorator(module, node)
    container = parent if isinstance(parent, (ast.List, ast.Tuple)) else None
    statement = parent if container is None else scope.parents[container]
    if not _is_all_that_says(statement, "pytestmark", module):
        return None
    if container is not None and len(container.elts) > 1:
        other = next(each for each in container.elts if each is not node)
        if isinstance(container, ast.Tuple) and len(container.elts) == 2 and container.lineno == container.end_lineno:
            # A mark may stand alone.
            return replace(container, text_of(module, other))
        return remove_element(module, container, node)
    return remove_statement(module, statement, scope, with_comment=_ABOUT_MARKS)


def _scopes_outside_functions(module: Module) -> dict[ast.AST, Scope]:
    """The scope of each node in a module's own body, and in those of its classes."""
    return {node: scope for scope in module.index.scopes if not scope.is_function for node in scope.parents}


def _names_read(module: Module) -> frozenset[str]:
    return frozenset(load.id for scope in module.index.scopes for load in scope.loads)


def _is_all_that_says(node: ast.AST, name: str, module: Module) -> TypeGuard[ast.stmt]:
    """Whether a statement assigns that name alone, and nothing reads it."""
    if not isinstance(node, (ast.Assign, ast.AnnAssign)):
        return False
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    is_assigned = [target.id for target in targets if isinstance(target, ast.Name)] == [name]
    return is_assigned and name not in module.fact(_names_read)


def rename_function(module: Module, function: FunctionNode, name: str) -> Edit | None:
    """Give a function another name, where it is defined."""
    head = _head(module, function)
    if head is None:
        return None
    line, column = start_of(function)
    start = (line, column + len(head))
    return Edit(start, (line, start[1] + len(function.name.encode())), name)


def make_sync(module: Module, function: FunctionNode) -> Edit | None:
    """Make `def` of `async def`."""
    head = _head(module, function)
    if head is None or not head.startswith("async"):
        return None
    line, column = start_of(function)
    return Edit((line, column), (line, column + head.index("def")), "")


def _head(module: Module, function: FunctionNode) -> str | None:
    """What stands before a function's name, if it is on one line with it."""
    rest = lines_of(module).after(start_of(function))
    head = re.match(r"(?:async\s+)?def\s+", rest)
    return head[0] if head is not None else None


# -- lists and arguments ----------------------------------------------------------------------------------------------


@record
class _Element:
    """One element between brackets, from its first token to its last, its own parentheses included."""

    start: int
    end: int


@record
class _Brackets:
    """A pair of brackets and what stands between the commas in it; all offsets are those of the text."""

    elements: tuple[_Element, ...]
    commas: tuple[int, ...]

    def position_of(self, offset: int) -> int | None:
        position = bisect_right(self.elements, offset, key=lambda element: element.start) - 1
        return position if position >= 0 and offset < self.elements[position].end else None


_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_NO_TOKENS = frozenset(
    {tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
)


def brackets_in(lines: Lines, start: int, end: int) -> _Brackets | None:
    """What stands in the first pair of brackets of a piece of the text, if that ends with it."""
    elements: list[_Element] = []
    commas: list[int] = []
    depth = 0
    first = last = -1
    for token, token_start, token_end in _tokens(lines.text, start, end):
        if token in _OPENING:
            depth += 1
            if depth == 1:
                continue
        elif token in _CLOSING:
            depth -= 1
            if depth == 0:
                if first >= 0:
                    elements.append(_Element(first, last))
                return _Brackets(tuple(elements), tuple(commas)) if token_end == end else None
        elif token == "," and depth == 1:
            elements.append(_Element(first, last))
            commas.append(token_start)
            first = -1
            continue
        if depth:
            first = token_start if first < 0 else first
            last = token_end
    return None


def _tokens(text: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """The tokens of a piece of the text with their offsets; of those that are no operators "" for their own text."""
    piece = Lines(text[start:end])
    starts = [start + piece.offset((line, 0)) for line in range(1, piece.count + 1)]
    try:
        for token in tokenize.generate_tokens(io.StringIO(piece.text).readline):
            if token.type not in _NO_TOKENS:
                sign = token.string if token.type == tokenize.OP else ""
                yield sign, starts[token.start[0] - 1] + token.start[1], starts[token.end[0] - 1] + token.end[1]
    except (tokenize.TokenError, SyntaxError):
        return


def remove_element(module: Module, container: ast.List | ast.Set | ast.Tuple, element: ast.expr) -> Edit | None:
    """Remove one element of a list, set or tuple; a tuple stays one."""
    lines = lines_of(module)
    start, end = lines.offset(start_of(container)), lines.offset(end_of(container))
    known = module.fact(_known_brackets)
    if container not in known:
        known[container] = brackets_in(lines, start, end)
    brackets = known[container]
    if not isinstance(container, ast.Tuple):
        return _removal(lines, brackets, lines.offset(start_of(element)))
    is_last_but_one = len(container.elts) == 2
    if brackets is None or (is_last_but_one and len(brackets.commas) == 1):
        # Without brackets around all of it, or with no comma left.
        others = (text_of(module, other) for other in container.elts if other is not element)
        text = f"{', '.join(others)}{',' if is_last_but_one else ''}"
        return (
            replace(container, text if brackets is None else f"({text})") if "#" not in lines.text[start:end] else None
        )
    return _removal(lines, brackets, lines.offset(start_of(element)))


def _known_brackets(_: Module) -> dict[ast.expr, _Brackets | None]:
    """What stands in each list that something was removed from: a long one is taken apart but once."""
    return {}


def remove_argument(module: Module, call: ast.Call, argument: ast.expr | ast.keyword) -> Edit | None:
    """Remove one argument of a call, a keyword with its name."""
    lines = lines_of(module)
    return _removal(lines, _arguments(lines, call), lines.offset(start_of(argument)))


def _arguments(lines: Lines, call: ast.Call) -> _Brackets | None:
    start = lines.offset(end_of(call.func))
    # `(client.get)(url)`: the bracket that closes there opened before.
    while lines.text[start : start + 1].isspace() or lines.text[start : start + 1] == ")":
        start += 1
    return brackets_in(lines, start, lines.offset(end_of(call)))


def _removal(lines: Lines, brackets: _Brackets | None, offset: int) -> Edit | None:
    position = brackets.position_of(offset) if brackets is not None else None
    if brackets is None or position is None:
        return None
    elements = brackets.elements
    element = elements[position]
    first, last = lines.place(element.start), lines.place(element.end)
    if not lines.before(first).strip() and re.match(r"\s*,\s*(#|$)", lines.after(last)):
        # With its line, and a comment there that is about it.
        return Edit((first[0], 0), lines.start_of_next_line(last[0]), "")
    if position + 1 < len(elements):
        start, end = element.start, elements[position + 1].start
    elif position:
        # The comma before it goes; one behind it stays, as the last.
        start, end = brackets.commas[position - 1], element.end
    else:
        start, end = element.start, brackets.commas[0] + 1 if brackets.commas else element.end
    if "#" in lines.text[start:end].replace(lines.text[element.start : element.end], ""):
        # A comment would go with it, perhaps the neighbour's.
        return None
    return Edit(lines.place(start), lines.place(end), "")


def add_argument(module: Module, call: ast.Call, text: str) -> Edit | None:
    """Add an argument behind those of a call."""
    lines = lines_of(module)
    brackets = _arguments(lines, call)
    if brackets is not None and not brackets.elements:
        end = lines.offset(end_of(call)) - 1
        return Edit(lines.place(end), lines.place(end), text)
    if brackets is None or _is_bare_generator(lines, call, brackets.elements[0]):
        return None
    last = brackets.elements[-1]
    return _argument_behind(lines, lines.place(last.start), lines.place(last.end), text)


def add_argument_behind(module: Module, keyword: ast.keyword, text: str) -> Edit:
    """Add an argument right behind another one."""
    return _argument_behind(lines_of(module), start_of(keyword), end_of(keyword), text)


def _argument_behind(lines: Lines, start: Place, end: Place, text: str) -> Edit:
    """On a line of its own where the one before it has its own."""
    indentation = lines.before(start)
    rest = lines.after(end).strip()
    if indentation.strip() or re.match(r"#|[^,#]|,\s*[^#\s]", rest):
        return Edit(end, end, f", {text}")
    if rest:
        place = lines.start_of_next_line(end[0])
        return Edit(place, place, f"{indentation}{text},\n")
    return Edit(end, end, f",\n{indentation}{text}")


def _is_bare_generator(lines: Lines, call: ast.Call, element: _Element) -> bool:
    """Whether the one argument is a generator expression without parentheses of its own: it must stay alone."""
    return bool(call.args) and isinstance(call.args[0], ast.GeneratorExp) and lines.text[element.start] != "("


def rename_attribute(node: ast.Attribute, name: str) -> Edit:
    """Take another attribute of the same thing."""
    line, column = end_of(node)
    return Edit((line, column - len(node.attr.encode())), (line, column), name)


def rename_keyword(keyword: ast.keyword, name: str) -> Edit:
    """Give a keyword argument another name."""
    assert keyword.arg is not None
    line, column = start_of(keyword)
    return Edit((line, column), (line, column + len(keyword.arg.encode())), name)


# -- await ------------------------------------------------------------------------------------------------------------


def can_await(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether an expression may be awaited where it stands: in an async function, outside generator expressions."""
    if not isinstance(scope.node, ast.AsyncFunctionDef):
        return False
    return not any(
        # A generator expression with an await is another thing.
        isinstance(ancestor, (ast.GeneratorExp, *_WITHOUT_PLACES)) or _shows_its_text(ancestor, scope)
        for ancestor in module.ancestors(node, scope)
    )


def _shows_its_text(node: ast.AST, scope: Scope) -> bool:
    """Whether it is a part of an f-string that may say what its expression is: `{fetch()=}`."""
    if not isinstance(node, ast.FormattedValue):
        return False
    whole = scope.parents[node]
    assert isinstance(whole, ast.JoinedStr)
    # What is said stands before it, and the value is shown by its repr, unless it has a format.
    position = whole.values.index(node)
    said = whole.values[position - 1] if position and (node.conversion == ord("r") or node.format_spec) else None
    return isinstance(said, ast.Constant) and str(said.value).rstrip().endswith("=")


def insert_await(module: Module, node: ast.expr, scope: Scope) -> tuple[Edit | None, ...]:
    """Put `await` before an expression, with parentheses where what is around it binds tighter."""
    if not can_await(module, node, scope):
        return (None,)
    opening, closing = "await ", ""
    if not isinstance(node, _NEED_NO_PARENTHESES_UNDER_AWAIT):
        opening, closing = "await (", ")"
    if _is_under_a_primary(scope.parents.get(node), node):
        opening, closing = f"({opening}", f"{closing})"
    before = insert_before(node, opening)
    return (before, insert_after(node, closing)) if closing else (before,)


def _is_under_a_primary(parent: ast.AST | None, node: ast.expr) -> bool:
    if isinstance(parent, ast.Call):
        return parent.func is node
    return isinstance(parent, (ast.Attribute, ast.Subscript)) and parent.value is node


def await_argument(module: Module, call: ast.Call, scope: Scope) -> tuple[Edit | None, ...]:
    """Put `await` and its only argument in the place of a call: `asyncio.run(f())`."""
    if len(call.args) != 1 or call.keywords or not isinstance(call.args[0], _NEED_NO_PARENTHESES_UNDER_AWAIT):
        return (None,)
    argument = call.args[0]
    lines = lines_of(module)
    head, tail = lines.between(start_of(call), start_of(argument)), lines.between(end_of(argument), end_of(call))
    if "#" in head + tail or not can_await(module, call, scope) or not stands_alone(text_of(module, argument)):
        return (None,)
    opening, closing = ("(await ", ")") if _is_under_a_primary(scope.parents.get(call), call) else ("await ", "")
    return Edit(start_of(call), start_of(argument), opening), Edit(end_of(argument), end_of(call), closing)


def await_called(module: Module, call: ast.Call, scope: Scope, *, without: frozenset[str]) -> tuple[Edit | None, ...]:
    """Put an awaited call in the place of one that takes a function and its arguments: `anyio.run(f, 1)`."""
    keywords = {keyword.arg for keyword in call.keywords}
    if not call.args or isinstance(call.args[0], ast.Starred) or not keywords <= without:
        return (None,)
    function, *arguments = (text_of(module, argument) for argument in call.args)
    text = text_of(module, call)
    made = f"await {function}({', '.join(arguments)})"
    if not can_await(module, call, scope) or not isinstance(call.args[0], (ast.Name, ast.Attribute)) or "#" in text:
        return (None,)
    return (replace(call, f"({made})" if _is_under_a_primary(scope.parents.get(call), call) else made),)


def stands_alone(text: str) -> bool:
    """Whether an expression needs no brackets around it to go on over its lines."""
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return True


def is_literal(node: ast.expr) -> bool:
    """Whether an expression always means the same, wherever it stands."""
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return False
    return True


def remove_await(module: Module, node: ast.Await) -> Edit | None:
    """Drop an `await`; what it awaited stays, with its own parentheses if it has them."""
    lines = lines_of(module)
    start = lines.offset(start_of(node))
    end = word = start + len("await")
    while lines.text[end : end + 1] in (" ", "\t"):
        end += 1
    # Up to Python 3.11 the places in f-strings are wrong.
    if lines.text[start:word] != "await" or lines.text[end : end + 1] in ("\n", "\r", "\\", "#", ""):
        return None
    return Edit(lines.place(start), lines.place(end), "")


# -- names ------------------------------------------------------------------------------------------------------------


@record
class Spelled:
    """How a file names a thing of another module, and the imports that it lacks for that."""

    text: str
    imports: tuple[Import, ...] = ()


def spell(module: Module, scope: Scope, home: str, name: str, *, line: int) -> Spelled | None:
    """The name of `home.name` at a line of a scope: by the imports there are, else by a new one.

    None when the name that the new import would bind means something else there.
    """
    found = _spelled_by_imports(module, scope, home, name, line)
    if found is not None:
        return found
    first = name.partition(".")[0]
    imports_from_home = home in module.fact(_homes)
    wanted = Import(home, first) if "." in home or imports_from_home else Import(home)
    local = wanted.name or home
    if _is_taken(module, scope, local, wanted):
        return None
    return Spelled(name if wanted.name else f"{home}.{name}", (wanted,))


def _is_taken(module: Module, scope: Scope, local: str, wanted: Import) -> bool:
    owner = module.names.binding_scope(local, scope)
    if owner is None:
        return hasattr(builtins, local)
    # One that only type checkers see does not bind the name, and means the same.
    return owner is not module.scope or not all(
        _is_for_type_checkers(module, binding, wanted) for binding in owner.bindings[local]
    )


def _is_for_type_checkers(module: Module, node: ast.AST, wanted: Import) -> bool:
    is_same = any(
        isinstance(node, (ast.Import, ast.ImportFrom)) and imported(node, alias) == wanted and alias.asname is None
        for alias in getattr(node, "names", ())
    )
    around = list(module.ancestors(node, module.scope))
    return (
        is_same
        and len(around) == 2
        and isinstance(around[0], ast.If)
        and module.qualified(around[0].test, module.scope) in _FOR_TYPE_CHECKERS
    )


def _homes(module: Module) -> frozenset[str]:
    """The modules from which something is imported at the top of a file."""
    nodes = (node for node in module.scope.body() if isinstance(node, ast.ImportFrom) and not node.level)
    return frozenset(node.module for node in nodes if node.module)


@record
class _Way:
    """How an import leads to a thing: the name through it, and how good that is."""

    text: str
    length: int
    is_itself: bool
    line: int

    @property
    def local(self) -> str:
        return self.text.partition(".")[0]


def _spelled_by_imports(module: Module, scope: Scope, home: str, name: str, line: int) -> Spelled | None:
    found: list[_Way] = []
    place: Scope | None = scope
    while place is not None:
        for way in _ways(module, place, home, name):
            has_run = place is module.scope or way.line < line
            if has_run and module.names.binding_scope(way.local, scope) is place:
                found.append(way)
        place = place.parent
    # The longest way through an import is the shortest name.
    return Spelled(max(found, key=lambda way: (way.length, way.is_itself)).text) if found else None


def _ways(module: Module, place: Scope, home: str, name: str) -> Iterable[_Way]:
    """The ways to `home.name` through the imports in the body of a scope: of each text the first, or the best one."""
    known = module.fact(_known_ways)
    key = (place, home, name)
    if key not in known:
        found: dict[tuple[str, bool, type[ast.stmt]], _Way] = {}
        for node in place.body():
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                for alias in node.names:
                    text, length, is_itself = _spelled_through(node, alias, home, name)
                    kind = node.__class__
                    if text and (text, is_itself, kind) not in found:
                        found[text, is_itself, kind] = _Way(text, length, is_itself, node.lineno)
        # A name that something else binds as well may be that.
        known[key] = tuple(
            way
            for (_, _, kind), way in found.items()
            if all(isinstance(binding, kind) for binding in place.bindings[way.local])
        )
    return known[key]


def _known_ways(_: Module) -> dict[tuple[Scope, str, str], tuple[_Way, ...]]:
    """The ways in each scope to each thing that was asked for."""
    return {}


def _spelled_through(
    node: ast.Import | ast.ImportFrom, alias: ast.alias, home: str, name: str
) -> tuple[str, int, bool]:
    """`home.name` through one import, how much of it that spares, and whether the import is of that very module.

    The text is "" when the import does not lead there.
    """
    target = f"{home}.{name}"
    if isinstance(node, ast.Import) and not alias.asname and canonical(alias.name).startswith(f"{home}."):
        # `import unittest.mock` binds `unittest`.
        return target, 0, True
    origin = f"{'.' * node.level}{node.module or ''}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name
    full = canonical(origin)
    if len(full) < len(home) or not f"{target}.".startswith(f"{full}."):
        return "", 0, False
    return (alias.asname or alias.name) + target[len(full) :], len(full), full == origin
