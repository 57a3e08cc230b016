"""Imports: fitted in beside the file's own, and removed when a fix has orphaned them."""

from __future__ import annotations

import ast
import re
import sys
from operator import attrgetter
from typing import TYPE_CHECKING

from flake8_async_tests.fixing.lines import Lines, apply_edits, end_of, start_of
from flake8_async_tests.rule import Edit, Import
from flake8_async_tests.source.names import source_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ImportNode = ast.Import | ast.ImportFrom

# Where imports stand: the standard library, then everything else, then the package's own relative ones.
_STANDARD, _OTHERS, _RELATIVE = range(3)


# -- adding -------------------------------------------------------------------------------------------------------


def add_imports(text: str, wanted: Iterable[Import]) -> str:
    """The text with these imports, each where it belongs among the file's own."""
    for each in sorted(set(wanted), key=attrgetter("module", "name")):
        tree = ast.parse(text)
        if not _is_there(tree, each):
            lines = Lines(text)
            joined = _joined(tree, lines, each)
            text = apply_edits(text, [joined or _new_line(tree, lines, each)])
    return text


def _is_there(tree: ast.Module, wanted: Import) -> bool:
    for node in tree.body:
        for alias in node.names if isinstance(node, (ast.Import, ast.ImportFrom)) else ():
            if alias.asname is None and imported(node, alias) == wanted:
                return True
    return False


def imported(node: ast.stmt, alias: ast.alias) -> Import:
    """What an import statement imports under one of its names."""
    if isinstance(node, ast.ImportFrom):
        return Import(source_of(node), alias.name)
    return Import(alias.name)


def _joined(tree: ast.Module, lines: Lines, wanted: Import) -> Edit | None:
    """The name among those that the file imports from the same module already."""
    if not wanted.name:
        return None
    for node in _leading_imports(tree):
        if isinstance(node, ast.ImportFrom) and not node.level and node.module == wanted.module:
            if any(alias.name == "*" for alias in node.names):
                continue
            return _among(node, lines, wanted.name)
    return None


def _among(node: ast.ImportFrom, lines: Lines, name: str) -> Edit:
    aliases = node.names
    following = next((alias for alias in aliases if _order(alias.name) > _order(name)), None)
    neighbour = following or aliases[-1]
    indentation = lines.before(start_of(neighbour))
    has_own_line = not indentation.strip() and len({alias.lineno for alias in aliases}) == len(aliases)
    # Without brackets only a backslash ends a line.
    has_own_line &= "(" in lines.between(start_of(node), start_of(aliases[0]))
    gap = f",\n{indentation}" if has_own_line else ", "
    if following is not None:
        return Edit(start_of(following), start_of(following), f"{name}{gap}")
    return Edit(end_of(neighbour), end_of(neighbour), f"{gap}{name}")


def _order(name: str) -> tuple[int, str]:
    """Constants, classes, functions: the order that import sorters give names."""
    if name.isupper() and len(name) > 1:
        return 0, name
    return (1 if name[:1].isupper() else 2), name


def _new_line(tree: ast.Module, lines: Lines, wanted: Import) -> Edit:
    statement = f"from {wanted.module} import {wanted.name}" if wanted.name else f"import {wanted.module}"
    leading = _leading_imports(tree)
    imports = [node for node in leading if has_own_lines(node, lines)]
    if not imports:
        return _above(leading[0], f"{statement}\n") if leading else _first_import(tree, lines, statement)
    section = _section(wanted.module)
    key = (bool(wanted.name), wanted.module.lower())
    same = [node for node in imports if _section(_module(node)) == section]
    smaller = [node for node in same if _key(node) <= key]
    if smaller:
        return _below(max(smaller, key=_key), lines, f"{statement}\n")
    if same:
        return _above(same[0], f"{statement}\n")
    earlier = [node for node in imports if _section(_module(node)) < section]
    if earlier:
        return _below(earlier[-1], lines, f"\n{statement}\n")
    return _above(imports[0], f"{statement}\n\n")


def _key(node: ImportNode) -> tuple[bool, str]:
    return isinstance(node, ast.ImportFrom), _module(node).lower()


def _module(node: ImportNode) -> str:
    if isinstance(node, ast.ImportFrom):
        return source_of(node)
    return node.names[0].name


def _section(module: str) -> int:
    if module.startswith("."):
        return _RELATIVE
    return _STANDARD if module.partition(".")[0] in sys.stdlib_module_names else _OTHERS


def _leading_imports(tree: ast.Module) -> list[ImportNode]:
    """The imports of the module itself that stand above everything that could need them."""
    found: list[ImportNode] = []
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            break
        if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and node.module != "__future__"):
            found.append(node)
    return found


def has_own_lines(node: ast.stmt, lines: Lines) -> bool:
    return node.col_offset == 0 and lines.is_rest_empty(end_of(node))


def _below(node: ast.stmt, lines: Lines, text: str) -> Edit:
    line, _ = end_of(node)
    place = lines.start_of_next_line(line)
    if place[0] == line:
        # The last line of all, and it has no end.
        return Edit(place, place, "\n" + text.removesuffix("\n"))
    return Edit(place, place, text)


def _above(node: ast.stmt, text: str) -> Edit:
    place = (node.lineno, 0)
    return Edit(place, place, text)


def _first_import(tree: ast.Module, lines: Lines, statement: str) -> Edit:
    """The file's first import: below its docstring, its `__future__` imports, and the comments at its top."""
    last: ast.stmt | None = None
    for position, node in enumerate(tree.body):
        is_docstring = position == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if (is_docstring or is_future) and has_own_lines(node, lines):
            last = node
    if last is not None:
        return _below(last, lines, f"\n{statement}\n")
    line = _below_first_comments(lines)
    following = next((at for at in range(line, lines.count + 1) if not lines.is_blank(at)), line)
    distance = 1 if re.match(r"(?!(async|def|class)\b)\w", lines.line(following)) else 2
    return Edit((line, 0), (line, 0), f"{statement}\n" + "\n" * max(0, distance - (following - line)))


def _below_first_comments(lines: Lines) -> int:
    """The line after the comments that a file begins with, if they are not about the code right below them."""
    line = 1
    while line < lines.count and lines.line(line).startswith("#"):
        line += 1
    if line < lines.count and lines.is_blank(line):
        return line + 1 if line > 1 else line
    # No blank line between: only a shebang and a coding cookie have to stay at the top.
    line = 1
    while line < min(3, lines.count) and re.match(r"#!|#.*coding[:=]", lines.line(line)):
        line += 1
    return line


# -- removing -----------------------------------------------------------------------------------------------------


def remove_orphans(before: str, after: str, *, is_package: bool = False) -> str:
    """The text after a fix without the imports that were used before it and no longer are."""
    if is_package:
        # What a package imports may be meant for those who import the package.
        return after
    old = ast.parse(before)
    while True:
        edit = next(_removals(old, after), None)
        if edit is None:
            return after
        after = apply_edits(after, [edit])


def _removals(before: ast.Module, text: str) -> Iterator[Edit]:
    tree = ast.parse(text)
    lines = Lines(text)
    for old, new in _pairs(before, tree):
        imports = [node for node in new.body if isinstance(node, (ast.Import, ast.ImportFrom))]
        # A function must not lose all that it has.
        if not imports or (len(new.body) == 1 and new is not tree):
            continue
        names = _used_names(old) - _used_names(new)
        for node in imports:
            if not _has_lines_alone(node, lines) or _is_kept_on_purpose(node, lines):
                continue
            for alias in node.names:
                local = _local_name(alias)
                if local in names and _bindings(new, local) == 1 and not _is_mentioned(new, local):
                    yield removal_of_alias(node, alias, lines)


_Place = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef


def _pairs(before: ast.Module, after: ast.Module) -> Iterator[tuple[_Place, _Place]]:
    """The module and its functions, as they were and as they are; the module alone where a function came or went."""
    yield before, after
    old, new = _functions(before), _functions(after)
    if len(old) == len(new):
        yield from zip(old, new, strict=True)


def _functions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def _has_lines_alone(node: ast.stmt, lines: Lines) -> bool:
    return not lines.before(start_of(node)).strip() and lines.is_rest_empty(end_of(node))


def _is_kept_on_purpose(node: ImportNode, lines: Lines) -> bool:
    if isinstance(node, ast.ImportFrom) and node.module == "__future__":
        return True
    first, last = start_of(node), end_of(node)
    return "noqa" in lines.between(first, lines.end_of_line(last[0]))


def removal_of_alias(node: ImportNode, alias: ast.alias, lines: Lines) -> Edit:
    """Remove one of the names that a statement on lines of its own imports."""
    if len(node.names) == 1:
        return lines.without_lines(node.lineno, end_of(node)[0])
    is_alone = not lines.before(start_of(alias)).strip() and re.match(r"\s*,?\s*(#|$)", lines.after(end_of(alias)))
    if is_alone and "\\" not in lines.between(start_of(node), end_of(node)):
        # Not from one name to the next: a comment between them may be about the other one.
        return Edit((alias.lineno, 0), lines.start_of_next_line(end_of(alias)[0]), "")
    position = node.names.index(alias)
    if position + 1 < len(node.names):
        return Edit(start_of(alias), start_of(node.names[position + 1]), "")
    return Edit(end_of(node.names[position - 1]), end_of(alias), "")


def _local_name(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]


def _used_names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _bindings(tree: ast.AST, name: str) -> int:
    """How many imports, anywhere in the file or function, give something that name; a `global` says it too."""
    return sum(
        1
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
        if _local_name(alias) == name
    ) + sum(name in node.names for node in ast.walk(tree) if isinstance(node, (ast.Global, ast.Nonlocal)))


def _is_mentioned(tree: ast.AST, name: str) -> bool:
    """Whether some text is code that has the name in it: an annotation in quotes, or an entry of `__all__`."""
    word = re.compile(rf"\b{re.escape(name)}\b")
    return any(
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and word.search(node.value) is not None
        and name in _names_in_quoted(node.value)
        for node in ast.walk(tree)
    )


def _names_in_quoted(text: str) -> set[str]:
    try:
        expression = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError):
        return set()
    return {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}
