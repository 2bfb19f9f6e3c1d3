"""The plot: how many times longer than `quad` each peer takes, for each integrand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
# The same results give the same file.
matplotlib.rcParams["svg.hashsalt"] = "ringback"

from matplotlib import pyplot  # noqa: E402 - after the backend was chosen

MARKERS = "os^vDP*Xhd<>"


def draw(tables: list[dict[str, Any]], place: Path) -> None:
    """Writes the plot of the integrals' tables; a wrong value is drawn hollow."""
    figure, axes = pyplot.subplots(figsize=(10, 5.5))
    names = [row["name"] for row in tables[0]["rows"]]
    for i, (name, marker) in enumerate(zip(names, MARKERS, strict=False)):
        for at, table in enumerate(tables):
            row = table["rows"][i]
            ratio = row["time"] / table["rows"][0]["time"]
            fill = "none" if row["wrong"] else f"C{i % 10}"
            label = name.replace("`", "") if at == 0 else None
            axes.plot(at, ratio, marker, color=f"C{i % 10}", markerfacecolor=fill, label=label)
    axes.set_yscale("log")
    axes.set_xticks(range(len(tables)), [table["title"].split(":")[0] for table in tables])
    axes.set_ylabel("time relative to ringback.integrate.quad (hollow: wrong)")
    axes.grid(axis="y", alpha=0.3)
    axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.savefig(place, bbox_inches="tight", metadata={"Date": None})
