"""`explain`: a rule's page in the terminal."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

from flake8_async_tests.command.pages import text_of_page
from flake8_async_tests.command.usage import rules_called

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

_BOLD, _UNDERLINED, _CYAN, _DIM, _ITALIC, _OFF = "\x1b[1m", "\x1b[4m", "\x1b[36m", "\x1b[2m", "\x1b[3m", "\x1b[0m"
_CODE_OR_EMPHASIS = re.compile(r"`([^`]+)`|(?<!\w)\*(\w[^*`]*)\*")
_LINK = re.compile(r"\[([^\]]+)\]\(([^)]+)\)")


HELP = "show the pages of rules"
STATUS = "0, or 2 for usage."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rules", nargs="+", metavar="RULE", help="a code (AT101) or a name (dangling-task)")


def run(arguments: argparse.Namespace) -> int:
    pages = [text_of_page(rule).strip() for rule in rules_called(arguments.rules)]
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        pages = ["\n".join(_set_off(page)) for page in pages]
    print("\n\n".join(pages))
    return 0


def _set_off(page: str) -> Iterator[str]:
    """The lines of a page with headings and code made to stand out, and without the signs of Markdown."""
    in_code = False
    for line in page.splitlines():
        if line.startswith("```"):
            in_code = not in_code
            file = line.strip("`").partition(" ")[2]
            if file:
                yield f"    {_DIM}{file}{_OFF}"
        elif in_code:
            yield f"    {_CYAN}{line}{_OFF}" if line else ""
        elif line.startswith("# "):
            yield f"{_BOLD}{_UNDERLINED}{line[2:]}{_OFF}"
        elif line.startswith("## "):
            yield f"{_BOLD}{line[3:]}{_OFF}"
        else:
            yield _CODE_OR_EMPHASIS.sub(_shown_words, _LINK.sub(_shown_link, line))


def _shown_words(words: re.Match[str]) -> str:
    code, emphasised = words.groups()
    return f"{_CYAN}{code}{_OFF}" if code is not None else f"{_ITALIC}{emphasised}{_OFF}"


def _shown_link(link: re.Match[str]) -> str:
    text, target = link.groups()
    return f"{text} ({target})" if "://" in target else text
