"""What the documents say of commands, options and files is so."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest
from flake8.main import cli
from flake8.options.manager import OptionManager

from flake8_async_tests.checker import Checker
from flake8_async_tests.command import command_parser, main
from flake8_async_tests.command.usage import codes_called
from flake8_async_tests.rules import all_rules
from tests.documents import ROOT, Block, blocks_of, texts_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCUMENTS = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "families").glob("*.md")),
]
EVERY_DOCUMENT = [*DOCUMENTS, ROOT / "examples" / "README.md", *sorted((ROOT / "docs" / "rules").glob("*.md"))]
"""A path may be the one of an example project."""
SHOWN_ROOT = "/home/ada/project"
"""What stands in the documents for the place of the repository."""

each_document = pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in DOCUMENTS])


# -- commands ---------------------------------------------------------------------------------------------------------


def console_blocks() -> Iterator[object]:
    for path in DOCUMENTS:
        for block in blocks_of(path):
            if block.info == "console":
                yield pytest.param(block, id=f"{block.path}:{block.line}")


@pytest.mark.parametrize("block", list(console_blocks()))
def test_that_a_terminal_capture_is_what_the_command_prints(
    block: Block, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    shown = ""
    for line in block.text.splitlines():
        if line.startswith("$ "):
            program, *arguments = shlex.split(line.removeprefix("$ "))
            if program == "flake8":
                cli.main(["--isolated", "-j1", *arguments])
            else:
                assert program == "flake8-async-tests"
                main(arguments)
            captured = capsys.readouterr()
            shown += f"{line}\n{captured.out}{captured.err}"
    assert block.text == shown.replace(str(ROOT), SHOWN_ROOT)


@each_document
def test_that_every_call_of_the_command_is_a_call(path: Path) -> None:
    for call in calls_in(path):
        parsed = vars(command_parser().parse_args(shlex.split(call, comments=True)))
        for codes in (*parsed.get("select", ()), *parsed.get("ignore", ()), *parsed.get("rules", ())):
            assert codes_called(codes)


def calls_in(path: Path) -> Iterator[str]:
    """The arguments of each call of the command, in blocks and in the text."""
    text = path.read_text(encoding="utf-8")
    for block in blocks_of(path):
        if block.info.startswith(("sh", "yaml")):
            yield from re.findall(r"^(?:- run: )?flake8-async-tests (.+)$", block.text, re.MULTILINE)
    yield from re.findall(r"`flake8-async-tests ((?:explain|rules|config|fix)[^`]*)`", text)


def test_that_there_are_calls() -> None:
    assert len(list(calls_in(ROOT / "docs" / "command.md"))) > 10


# -- options ----------------------------------------------------------------------------------------------------------


def options_and_defaults() -> dict[str, str]:
    manager = OptionManager(version="0", plugin_versions="", parents=[], formatter_names=[])
    Checker.add_options(manager)
    return {
        option.long_option_name: str(option.to_argparse()[1]["default"] or "")
        for option in manager.options
        if option.long_option_name is not None
    }


def test_that_every_option_has_a_section_with_its_default() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### `(--[a-z-]+)`\n\n(.+)$", text, re.MULTILINE))
    assert list(sections) == list(options_and_defaults())
    for name, default in options_and_defaults().items():
        assert (f"Default: {default}." if default else "Default: ") in sections[name]


def test_that_the_readme_has_every_option_with_its_default() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(--async-tests-[a-z-]+)` \| ([^|]+) \|", text, re.MULTILINE))
    assert list(rows) == list(options_and_defaults())
    for name, default in options_and_defaults().items():
        assert not default or rows[name] == default


def test_that_options_of_the_example_are_options() -> None:
    (text, *_) = texts_of("docs/configuration.md", "ini .flake8")
    named = {f"--{name}" for name in re.findall(r"^([a-z-]+) =", text, re.MULTILINE)}
    assert named < set(options_and_defaults())


# -- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in EVERY_DOCUMENT])
def test_that_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"^(`{3,}).*?^\1$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        assert "://" in target or (path.parent / target).exists(), target


def test_that_every_page_is_in_the_contents() -> None:
    """The site is made with warnings as errors, and a page that no other one lists is one."""
    docs = ROOT / "docs"
    pages = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md") if "_build" not in path.parts}
    listed = {"index.md"}
    for page in pages:
        for text in texts_of(f"docs/{page}", "{toctree}"):
            for entry in filter(None, (line.strip() for line in text.splitlines())):
                if not entry.startswith(":"):
                    folder, _, name = entry.rpartition("/")
                    found = ((docs / page).parent / folder).resolve().glob(f"{name}.md")
                    listed |= {path.relative_to(docs).as_posix() for path in found}
    assert pages == listed


def test_that_the_environments_of_tox_are_told() -> None:
    environments = set(re.findall(r"^\[testenv:(.+)\]$", (ROOT / "tox.ini").read_text(encoding="utf-8"), re.MULTILINE))
    told = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")
    assert {name for name in environments if f"`{name}`" not in told} == set()


def test_that_every_family_has_a_page() -> None:
    families = sorted({rule.code[:3] for rule in all_rules()})
    assert [path.stem.upper() for path in sorted((ROOT / "docs" / "families").glob("*.md"))] == families
    for family in families:
        text = (ROOT / "docs" / "families" / f"{family.lower()}.md").read_text(encoding="utf-8")
        assert text.startswith(f"# {family}: ")
        assert f"```{{rules}} {family}\n" in text
        assert f"\n../rules/{family}*\n" in text
