"""`fix`: the mechanical edits, in the files that flake8 checks, of the findings that it would report."""

from __future__ import annotations

import difflib
import os
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, TextIO

from flake8.exceptions import ExecutionError, PluginExecutionFailed

from flake8_async_tests.command.usage import UsageError, codes_called
from flake8_async_tests.command.users_flake8 import UsersFlake8
from flake8_async_tests.fixing.document import read_document, write_atomically
from flake8_async_tests.fixing.session import Session
from flake8_async_tests.rules import all_rules

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from flake8_async_tests.fixing.session import FileResult, Reported

_SECONDS_BETWEEN = 0.2


HELP = "apply the fixes of what flake8, with your own configuration, would report"
STATUS = (
    "0 when nothing is left (with --check: would change; with --exit-zero: whatever is left), 1 when something is"
    " or a file could not be fixed, or 2 for usage."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files and folders; as in flake8, . is the default")
    parser.add_argument("--select", action="append", default=[], metavar="CODES", help="codes, prefixes or names")
    parser.add_argument("--ignore", action="append", default=[], metavar="CODES", help="codes, prefixes or names")
    parser.add_argument("--unsafe-fixes", action="store_true", help="apply those too that may change what code means")
    parser.add_argument("--diff", action="store_true", help="show what would change as a diff, and write nothing")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when something would change")
    parser.add_argument("--exit-zero", action="store_true", help="let what is left to be fixed by hand not count")


def run(arguments: argparse.Namespace) -> int:
    for path in arguments.paths:
        if not os.path.exists(path):
            raise UsageError(f"there is no {path}")
    select = [code for text in arguments.select for code in codes_called(text)]
    ignore = [code for text in arguments.ignore for code in codes_called(text)]
    try:
        flake8 = UsersFlake8(arguments.paths, select, ignore)
        paths = flake8.files()
        with _Progress(sys.stderr) as progress:
            results = Session(flake8, unsafe=arguments.unsafe_fixes).run(paths, progress.show)
    except (ExecutionError, PluginExecutionFailed) as error:
        raise UsageError(str(error)) from error
    is_dry = arguments.diff or arguments.check
    if arguments.diff:
        sys.stdout.flush()
        # As bytes: each file's part in that file's own encoding, so that the diff can be applied.
        sys.stdout.buffer.writelines(line for result in results for line in _diff(result))
    if not is_dry:
        for result in results:
            _write(result)
    print(_summary(results, is_dry=is_dry), file=sys.stderr if arguments.diff else sys.stdout)
    return _status(results, checks=arguments.check, is_lenient=arguments.exit_zero)


def _status(results: list[FileResult], *, checks: bool, is_lenient: bool) -> int:
    if any(result.trouble for result in results):
        return 1
    if checks:
        return int(any(result.has_changed for result in results))
    return int(not is_lenient and any(result.left for result in results))


def _write(result: FileResult) -> None:
    """Write what has changed, unless somebody else has written the file meanwhile."""
    if not result.has_changed:
        return
    now = read_document(result.path)
    if now is None or now.content != result.document.content:
        result.give_up("somebody else has changed it meanwhile")
        return
    try:
        write_atomically(result.path, result.content)
    except OSError as error:
        result.give_up(f"it cannot be written: {error.strerror or error}")


def _diff(result: FileResult) -> Iterable[bytes]:
    before, after = (content.splitlines(keepends=True) for content in (result.document.content, result.content))
    path = os.fsencode(result.path)
    for line in difflib.diff_bytes(difflib.unified_diff, before, after, path, path):
        yield line if line.endswith((b"\n", b"\r")) else line + b"\n\\ No newline at end of file\n"


def _summary(results: list[FileResult], *, is_dry: bool) -> str:
    """What was done by rule, what is left, and which files stayed as they were."""
    names = {rule.code: rule.name for rule in all_rules()}
    fixed = sum((result.fixed for result in results), Counter[str]())
    changed = sum(result.has_changed for result in results)
    left = [reported for result in results for reported in result.left]
    lines = [f"{result.path} stays as it was: {result.trouble}" for result in results if result.trouble]
    would = "would be " if is_dry else ""
    lines += [f"{code} {names[code]}: {_count(fixed[code], 'finding')} {would}fixed" for code in sorted(fixed)]
    lines.append(f"{_count(fixed.total(), 'finding')} {would}fixed in {_count(changed, 'file')}, {_left(left)}")
    return "\n".join(lines)


def _left(left: list[Reported]) -> str:
    unsafe = sum(reported.is_fixable(unsafe=True) for reported in left)
    hint = f" ({unsafe} of them with fixes that --unsafe-fixes applies)" if unsafe else ""
    return f"{len(left)} left{hint}" if left else "none left"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


class _Progress:
    """A line on a terminal that says how far a long run is."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_shown = stream.isatty()
        self._last = time.monotonic()
        self._width = 0

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *error: object) -> None:
        self._put("")

    def show(self, number: int, total: int, path: str) -> None:
        now = time.monotonic()
        if now - self._last >= _SECONDS_BETWEEN:
            self._last = now
            self._put(f"[{number}/{total}] {path}"[:100])

    def _put(self, text: str) -> None:
        if self._is_shown and (text or self._width):
            self._stream.write(f"\r{text:{self._width}}")
            if not text:
                self._stream.write("\r")
            self._stream.flush()
            self._width = len(text)
