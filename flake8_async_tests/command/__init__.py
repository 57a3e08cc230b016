"""The command `flake8-async-tests`: what stands behind a finding, behind a configuration, and the fixes."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from flake8_async_tests import __version__
from flake8_async_tests.command import config, explain, fix, listing
from flake8_async_tests.command.usage import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["command_parser", "main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and give back its exit status."""
    parsed = command_parser().parse_args(arguments)
    try:
        status: int = parsed.run(parsed)
        sys.stdout.flush()
    except UsageError as error:
        print(f"flake8-async-tests: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever read the output has seen enough (`| head`); Python would complain again while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def command_parser() -> argparse.ArgumentParser:
    """What the command takes."""
    parser = argparse.ArgumentParser(
        prog="flake8-async-tests", description="What flake8 cannot show of flake8-async-tests, and the fixes."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, part in (("explain", explain), ("rules", listing), ("config", config), ("fix", fix)):
        description = f"{part.HELP[0].upper()}{part.HELP[1:]}."
        parser_of_part = commands.add_parser(
            name, help=part.HELP, description=description, epilog=f"Exit status: {part.STATUS}"
        )
        part.add_arguments(parser_of_part)
        parser_of_part.set_defaults(run=part.run)
    return parser
