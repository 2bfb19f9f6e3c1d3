"""`ringback export module:name ... -o model.so`."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from typing import Any


def add_parser(subparsers: Any) -> None:
    """The subcommand's arguments."""
    parser = subparsers.add_parser(
        "export",
        help="write callbacks to a library for programs without Python",
        description="Write callbacks to a library for programs without Python, with a C header and a Rust module beside it.",
    )
    parser.add_argument(
        "callbacks",
        nargs="+",
        metavar="module:name",
        help="a compiled callback (rb.compile, rb.cfunc); module:name=other exports it as `other`",
    )
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="PATH",
        help="model.so (shared), libmodel.a (static) or model.o (object)",
    )
    parser.add_argument(
        "--target-cpu",
        default="generic",
        metavar="CPU",
        help="generic (the default: every CPU), x86-64-v2, x86-64-v3, x86-64-v4, or native (this one)",
    )
    parser.add_argument(
        "--max-data",
        type=int,
        default=16 << 20,
        metavar="BYTES",
        help="the most bytes of bound arrays (default: %(default)s)",
    )
    parser.add_argument(
        "--link-blas",
        nargs="?",
        const=True,
        action="append",
        metavar="LIB",
        help="take BLAS and LAPACK (np.dot, @, np.linalg) from a library: its name (openblas) or its path; may be given more "
        "than once. Without LIB: plain code for np.dot, @ and norms, with no library",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Exports; 1 if it was refused, with the reason on stderr."""
    from .backend.link import LinkError
    from .exports import export

    # Modules in the present folder are found, as with `python -m`.
    sys.path.insert(0, os.getcwd())
    try:
        named = dict(map(_find, arguments.callbacks))
        if len(named) < len(arguments.callbacks):
            raise ValueError("two callbacks have the same name: module:name=other exports one as `other`")
        made = export(
            named,
            arguments.output,
            target_cpu=arguments.target_cpu,
            max_data=arguments.max_data,
            link_blas=_link_blas(arguments.link_blas),
        )
    except (ImportError, AttributeError, TypeError, ValueError, OSError, LinkError) as error:
        print(f"ringback export: {error}", file=sys.stderr)
        return 1
    for path in made:
        print(path)
    return 0


def _link_blas(given: list[Any] | None) -> Any:
    if given is None or given == [True]:
        return bool(given)
    if True in given:
        raise ValueError("--link-blas names a library each time, or is given once without one")
    return given


def _find(text: str) -> tuple[str, Any]:
    """The name to export by, and the object."""
    place, _, other = text.partition("=")
    module, _, name = place.partition(":")
    if not module or not name:
        raise ValueError(f"module:name expected, found {text!r}")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return other or name.rsplit(".", 1)[-1], found
