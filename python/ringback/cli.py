"""The command `ringback`: `doctor`, `cache`, `export`. A further command is a function that adds its parser, in `COMMANDS`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from . import cache
from .doctor import add_command as _add_doctor
from .export_cli import add_parser as _add_export


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; its exit code: 0, 1 if something is wrong, 2 if the command line is."""
    parser = argparse.ArgumentParser(
        prog="ringback", description="Python functions, compiled by Numba, called from Rust at native speed."
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    for add in COMMANDS:
        add(commands)
    given = parser.parse_args(arguments)
    return given.run(given)


def _add_cache(commands: Any) -> None:
    parser = commands.add_parser("cache", help="the compiled code on disk")
    what = parser.add_subparsers(required=True, metavar="what")
    for name, run, text in (
        ("clear", _clear, "remove all files"),
        ("info", _info, "where it is, and how much is there"),
        ("dir", _dir, "where it is"),
    ):
        one = what.add_parser(name, help=text, description=text)
        one.set_defaults(run=run)


def _clear(_: argparse.Namespace) -> int:
    try:
        count, size = cache.clear()
    except OSError as error:
        print(f"{cache.folder()} is not used, and nothing is removed: {error}")
        return 1
    print(f"{count} files removed, {cache.megabytes(size)}")
    return 0


def _info(_: argparse.Namespace) -> int:
    print(cache.summary())
    return 0


def _dir(_: argparse.Namespace) -> int:
    print(cache.folder())
    return 0


# What adds each command to the command line; `run` of its parser returns the exit code.
COMMANDS: list[Callable[[Any], None]] = [_add_doctor, _add_cache, _add_export]
