"""The command `ringback`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from . import export_cli


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; its exit code."""
    parser = argparse.ArgumentParser(prog="ringback", description="Callbacks written in Python, compiled for Rust.")
    subparsers = parser.add_subparsers(required=True, metavar="command")
    export_cli.add_parser(subparsers)
    chosen = parser.parse_args(arguments)
    return chosen.run(chosen)


if __name__ == "__main__":
    sys.exit(main())
