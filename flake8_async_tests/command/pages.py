"""The rules' pages: in an installed package beside the code, in a checkout among the documents."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flake8_async_tests.rule import Rule

_PACKAGE = Path(__file__).parent.parent
_FOLDERS = (_PACKAGE / "pages", _PACKAGE.parent / "docs" / "rules")


def text_of_page(rule: Rule) -> str:
    """A rule's page; empty when it has none."""
    for folder in _FOLDERS:
        path = folder / f"{rule.code}.md"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    return ""


def summary_of(rule: Rule) -> str:
    """The first sentence of a rule's page, on one line."""
    described = text_of_page(rule).partition("\n## What it does\n")[2]
    paragraph = " ".join(described.strip().split("\n\n")[0].split())
    return re.split(r"(?<=\.) (?=[A-Z`(])", paragraph)[0]
