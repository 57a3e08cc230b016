"""Other ways to write a text of Python: other line ends, blanks, comments and breaks between the same tokens.

Each takes a text and a source of chance, and gives a text that says the same, or nearly so. Not every one of them
is valid Python for every text: who uses them looks.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

_NO_PARTS = frozenset(
    {tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
)
_SIMPLE_STATEMENT = re.compile(r"\s*(?:(?:await )?[\w.]+\(.*\)|assert .*\w|[\w.]+ = .*[\w)\"\]])")


def line_ends_of_windows(text: str, _: Random) -> str:
    return text.replace("\n", "\r\n")


def line_ends_of_old_macs(text: str, _: Random) -> str:
    return text.replace("\n", "\r")


def mixed_line_ends(text: str, random: Random) -> str:
    return re.sub("\n", lambda _: random.choice(("\n", "\r\n")), text)


def no_last_line_end(text: str, _: Random) -> str:
    return text.rstrip("\n")


def byte_order_mark(text: str, _: Random) -> str:
    return f"\ufeff{text}"


def tabs(text: str, _: Random) -> str:
    return re.sub(r"(?m)^(?:    )+", lambda found: "\t" * (len(found[0]) // 4), text)


def form_feeds(text: str, random: Random) -> str:
    return re.sub(r"(?m)^(?=@|def |async def |class |import |from )", lambda _: random.choice(("", "\f")), text)


def blanks_on_blank_lines(text: str, random: Random) -> str:
    if '"""' in text or "\\\n" in text:
        return text
    return re.sub(r"(?m)^(?=\n)", lambda _: random.choice(("", "    ", "\t", "\f")), text)


def letters_of_many_bytes(text: str, random: Random) -> str:
    return re.sub(r'"([a-z/]+)"', lambda found: f'"ä€𝄞{found[1]}"' if random.random() < 0.5 else found[0], text)


def statements_on_one_line(text: str, random: Random) -> str:
    lines = text.split("\n")
    return "\n".join(
        f"{line}; 'more'" if random.random() < 0.3 and _SIMPLE_STATEMENT.fullmatch(line) else line for line in lines
    )


def comments_behind_lines(text: str, random: Random) -> str:
    """Behind statements, and between their lines."""
    return _with(
        text,
        lambda token, _: (
            "  # ä, why"
            if token.type in (tokenize.NEWLINE, tokenize.NL) and "#" not in token.line and random.random() < 0.3
            else ""
        ),
    )


def continued_lines(text: str, random: Random) -> str:
    return _between(text, random, lambda _: " \\\n  ")


def lines_in_brackets(text: str, random: Random) -> str:
    return _between(text, random, lambda depth: "\n" if depth else "")


def comments_in_brackets(text: str, random: Random) -> str:
    return _between(text, random, lambda depth: "  # ü (\n" if depth else "")


def wide_gaps(text: str, random: Random) -> str:
    return _between(text, random, lambda _: "  ")


def brackets_around_values(text: str, random: Random) -> str:
    """Around names, calls and whatever else has a value, strings with values in them left alone."""
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)

    def offset(line: int, column: int) -> int:
        return starts[line - 1] + len(lines[line - 1].encode()[:column].decode())

    new: list[tuple[int, str]] = []
    for node in _values(ast.parse(text)):
        if random.random() < 0.25:
            assert node.end_lineno is not None
            assert node.end_col_offset is not None
            new += [
                (offset(node.lineno, node.col_offset), "("),
                (offset(node.end_lineno, node.end_col_offset), ")"),
            ]
    parts, done = [], 0
    for at, bracket in sorted(new):
        parts += [text[done:at], bracket]
        done = at
    return "".join((*parts, text[done:]))


def _values(node: ast.AST) -> Iterator[ast.expr]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.JoinedStr, ast.Starred, ast.Slice)):
            continue
        if isinstance(child, ast.expr) and isinstance(getattr(child, "ctx", ast.Load()), ast.Load):
            yield child
        yield from _values(child)


VARIATIONS = {
    each.__name__: each
    for each in (
        blanks_on_blank_lines,
        brackets_around_values,
        byte_order_mark,
        comments_behind_lines,
        comments_in_brackets,
        continued_lines,
        form_feeds,
        letters_of_many_bytes,
        line_ends_of_old_macs,
        line_ends_of_windows,
        lines_in_brackets,
        mixed_line_ends,
        no_last_line_end,
        statements_on_one_line,
        tabs,
        wide_gaps,
    )
}


def _between(text: str, random: Random, gap_at: Callable[[int], str]) -> str:
    """With gaps between some tokens that stand on one line, told in how many brackets they stand."""
    last: tokenize.TokenInfo | None = None

    def gap_before(token: tokenize.TokenInfo, depth: int) -> str:
        nonlocal last
        before, last = last, token
        if before is None or {before.type, token.type} & _NO_PARTS or before.end[0] != token.start[0]:
            return ""
        return gap_at(depth) if random.random() < 0.15 else ""

    return _with(text, gap_before)


def _with(text: str, new_before: Callable[[tokenize.TokenInfo, int], str]) -> str:
    """With something new before some of the tokens."""
    starts = [0]
    for line in io.StringIO(text):
        starts.append(starts[-1] + len(line))
    parts, done = [], 0
    for token, depth in _tokens_outside_of_strings(text):
        new = new_before(token, depth)
        if new:
            at = starts[token.start[0] - 1] + token.start[1]
            parts += [text[done:at], new]
            done = at
    return "".join((*parts, text[done:]))


def _tokens_outside_of_strings(text: str) -> Iterator[tuple[tokenize.TokenInfo, int]]:
    """The tokens, and in how many brackets what stands right before each of them is; without those of f-strings."""
    depth = strings = 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        name = tokenize.tok_name[token.type]
        depth -= token.type == tokenize.OP and token.string in (")", "]", "}")
        within = depth + (token.type == tokenize.OP and token.string in (")", "]", "}"))
        if not strings:
            yield token, within
        strings += name.endswith("STRING_START")
        strings -= name.endswith("STRING_END")
        depth += token.type == tokenize.OP and token.string in ("(", "[", "{")
