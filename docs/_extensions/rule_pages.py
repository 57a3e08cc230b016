"""What the rules' pages need of Sphinx, and the tables that are made of them.

The pages are plain Markdown, read in a terminal and by the tests as well. So that they are at home on the site, too,
a fenced block may name the file that it shows, and `proof` is a language.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from pygments.lexer import RegexLexer, bygroups
from pygments.token import Comment, Generic, Keyword, Name, Number, Punctuation, Text
from sphinx.util.docutils import SphinxDirective

from flake8_async_tests.command.pages import summary_of
from flake8_async_tests.rules import rules_with

if TYPE_CHECKING:
    from docutils.nodes import Node
    from sphinx.application import Sphinx

    from flake8_async_tests.rule import Rule

_NAMED_BLOCK = re.compile(r"^(?P<ticks>`{3,})(?P<language>[a-z]+) (?P<name>[^`\n]+)$", re.MULTILINE)
_TEST_FILE = re.compile(r"^(?P<ticks>```)(?P<language>python)$", re.MULTILINE)


class Rules(SphinxDirective):
    """A table of the rules whose code begins like the argument, as their pages have them."""

    required_arguments = 1

    def run(self) -> list[Node]:
        rows = [_row(rule) for rule in rules_with(self.arguments[0])]
        head = ["| code | name | what it reports | fix |", "|---|---|---|---|"]
        return self.parse_text_to_nodes("\n".join(head + rows))


def _row(rule: Rule) -> str:
    return f"| [{rule.code}](/rules/{rule.code}.md) | {rule.name} | {summary_of(rule)} | {rule.fix or '-'} |"


class ProofLexer(RegexLexer):
    """The runs of a proof: what is run and what comes of it, and below it what pytest prints."""

    name = "Proof"
    aliases: ClassVar[list[str]] = ["proof"]
    tokens: ClassVar[dict[str, list[object]]] = {
        "root": [
            (r"^[ \t]+not: .*$", Comment),
            (r"^[ \t]+.*$", Generic.Output),
            (
                r"^(\w[\w ]*?)((?:, [^:\n]+(?:::?\S[^:\n]*)*)?)(: )(?=[^:\n]*$)",
                bygroups(Keyword, Name.Decorator, Punctuation),
            ),
            (r"\d+", Number),
            (r"[^\d\n]+", Text),
            (r"\n", Text),
        ]
    }


def caption_named_blocks(_app: Sphinx, document: str, source: list[str]) -> None:
    """Show the name of the file that a block holds, where its opening fence tells it."""
    text, count = _NAMED_BLOCK.subn(_captioned, source[0])
    if count and document.startswith("rules/"):
        # Beside other files of its project the test file of a rule's page has a name as well.
        text = _TEST_FILE.sub(_captioned, text)
    source[0] = text


def _captioned(fence: re.Match[str]) -> str:
    named = fence.groupdict()
    return f"{named['ticks']}{{code-block}} {named['language']}\n:caption: {named.get('name', 'test_example.py')}\n"


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("rules", Rules)
    app.add_lexer("proof", ProofLexer)
    app.connect("source-read", caption_named_blocks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
