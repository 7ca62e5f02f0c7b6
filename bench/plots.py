"""The report's pictures: dark on light, readable at half a page's width."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
from matplotlib import pyplot  # reads which backend to use when it is imported

# Okabe and Ito 2008: told apart by readers of every colour vision.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


@contextmanager
def _drawn(path: Path, title: str, width: float = 7.0, height: float = 4.0) -> Iterator[Any]:
    """Axes; what is drawn on them is saved under the title."""
    figure, axes = pyplot.subplots(figsize=(width, height), facecolor="white")
    axes.set_title(title, fontsize=11)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    try:
        yield axes
        figure.tight_layout()
        figure.savefig(path, dpi=110, metadata={"Software": None})
    finally:
        pyplot.close(figure)


def shares(path: Path, title: str, named: Mapping[str, Mapping[str, Any]]) -> None:
    """A bar a share, with its interval; `named`: what bench.rates.share returns, by label."""
    labels = [f"{name} ({one['of']})" for name, one in named.items() if one["of"]]
    known = [one for one in named.values() if one["of"]]
    values = np.array([one["share"] for one in known])
    errors = np.array(
        [[o["share"] - o["low"] for o in known], [o["high"] - o["share"] for o in known]]
    )
    with _drawn(path, title, height=0.8 + 0.32 * len(labels)) as axes:
        axes.barh(
            labels,
            values,
            xerr=np.maximum(errors, 0),
            color=COLOURS[0],
            ecolor="#333333",
            capsize=3,
            height=0.65,
        )
        axes.set_xlim(0, 1.02)
        axes.invert_yaxis()
        axes.set_xlabel("share, with Wilson's 95 % interval")
        axes.grid(visible=False, axis="y")


def curves(
    path: Path,
    title: str,
    lines: Mapping[str, Mapping[str, Sequence[float]]],
    axes_names: tuple[str, str],
    diagonal: str | None = None,
) -> None:
    """x against y, both 0 to 1; `diagonal`: what a line of equal x and y would mean."""
    with _drawn(path, title, width=5.4, height=5.2) as axes:
        if diagonal:
            axes.plot([0, 1], [0, 1], color="#888888", linestyle=":", label=diagonal)
        drawn = {name: line for name, line in lines.items() if line["x"]}
        for (name, line), colour in zip(drawn.items(), COLOURS, strict=False):
            few = len(line["x"]) <= 12
            axes.plot(line["x"], line["y"], color=colour, label=name, marker="o" if few else "")
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xlabel=axes_names[0], ylabel=axes_names[1])
        if drawn:
            below = (0.5, -0.14)  # beside the axes: it hides no line
            axes.legend(
                fontsize=8, frameon=False, loc="upper center", bbox_to_anchor=below, ncols=2
            )


def waits(path: Path, title: str, named: Mapping[str, Sequence[float]]) -> None:
    """For each name, which share of the answers was there after so many seconds."""
    with _drawn(path, title, height=3.4) as axes:
        for (name, seconds), colour in zip(named.items(), COLOURS, strict=False):
            waited = np.sort(np.array(seconds, float))
            share = np.arange(1, len(waited) + 1) / max(len(waited), 1)
            axes.step(waited, share, where="post", color=colour, label=name)
        axes.set(xlim=(0, None), ylim=(0, 1.02), xlabel="seconds", ylabel="share of the questions")
        axes.legend(fontsize=9, frameon=False, loc="lower right")
