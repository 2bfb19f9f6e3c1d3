"""Asks each question in a process of its own; prints the tables.

Usage: run.py [--write] [QUESTION...]. `--write` also writes benches/results.json, docs/benchmarks.md and
docs/benchmarks.svg; of questions that were not asked, the results that are there are kept.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
DOCS = HERE.parent / "docs"

QUESTIONS = {
    "calls": "One call",
    "integrals": "One integral, called from Python",
    "in_rust": "One integral, in a loop in Rust",
    "quad_many": "Many integrals",
    "boxes": "Integrals over boxes",
    "blocks": "Blocks of 1000 points",
    "bounds": "Bounds checks",
    "capture": "Captured values",
    "start_up": "Start-up",
}


def machine() -> str:
    """The CPU's model name."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())


def ask(question: str) -> list[dict[str, Any]]:
    """The tables of one question."""
    process = subprocess.run(
        [sys.executable, str(HERE / f"{question}.py")], stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(process.stdout)


def markdown(table: dict[str, Any]) -> str:
    """One table; ratios to the first row."""
    rows = table["rows"]
    lines = [f"### {table['title']}", "", f"| | {table['unit']} | ratio |", "|---|---:|---:|"]
    for row in rows:
        name = row["name"] + (f" (**{row['wrong']}**)" if row["wrong"] else "")
        lines.append(f"| {name} | {row['time']:.4g} | {row['time'] / rows[0]['time']:.2f} |")
    return "\n".join([*lines, *(["", table["note"]] if table["note"] else []), ""])


def page(results: dict[str, Any]) -> str:
    """docs/benchmarks.md."""
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    parts = [
        "# Benchmarks\n",
        f"Measured on {results['machine']}, {versions}. `make bench` does it again, and "
        "`.venv-benches/bin/python benches/run.py --write` writes this page from it.\n",
        "Each table is measured in one process; tables are from several runs, so compare within one only. Each time is the least of several repetitions, each ratio is to the first "
        "row. Everybody is asked for SciPy's default tolerance, 1.49e-8. Where a value is further than that from the truth, "
        "the table says so: what is wrong does not count as fast. Other programs were running, so that ratios near 1 mean little. NumbaQuadpack is not compared: the registry has no package "
        "of that name. After the tables of `quad` and `quad_many` were measured, they came to sum up errors anew before they claim a success, "
        "which took 0 to 3 % more time, measured side by side.\n",
        "![times relative to quad](benchmarks.svg)\n",
    ]
    for question, title in QUESTIONS.items():
        if question in results["questions"]:
            parts += [f"## {title}\n", *(markdown(table) for table in results["questions"][question])]
    return "\n".join(parts)


def main() -> None:
    """Asks what was named, or everything."""
    asked = [argument for argument in sys.argv[1:] if not argument.startswith("-")] or list(QUESTIONS)
    unknown = set(asked) - set(QUESTIONS)
    if unknown:
        sys.exit(f"no question is named {sorted(unknown)[0]}: there are {', '.join(QUESTIONS)}")
    answers = {}
    for question in asked:
        print(f"## {QUESTIONS[question]}\n", flush=True)
        answers[question] = ask(question)
        print("\n".join(markdown(table) for table in answers[question]), flush=True)
    if "--write" not in sys.argv[1:]:
        return
    known = json.loads(RESULTS.read_text())["questions"] if RESULTS.exists() else {}
    packages = {name: version(name.lower()) for name in ("Numba", "NumPy", "SciPy", "JAX", "quadax")}
    results = {
        "machine": machine(),
        "versions": {"CPython": platform.python_version(), **packages},
        "questions": {**known, **answers},
    }
    RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    (DOCS / "benchmarks.md").write_text(page(results))
    if "integrals" in results["questions"]:
        # Here, so that the page can be written without what draws.
        from plot import draw

        draw(results["questions"]["integrals"], DOCS / "benchmarks.svg")


if __name__ == "__main__":
    main()
