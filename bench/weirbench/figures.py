# SPDX-License-Identifier: Apache-2.0
"""What was measured, what it is compared with, and the table at the end."""

import math
from statistics import median
from typing import NamedTuple


class Sample(NamedTuple):
    """One run. `limit` is what `measured` is divided by; it belongs to the same run."""

    measured: float
    limit: float
    began: float  # wall seconds
    ended: float
    cpu: float = math.nan  # of Weir, seconds
    events: int = 0  # that the CPU was spent on


class Figure(NamedTuple):
    name: str
    unit: str
    samples: list[Sample]
    target: float  # of the ratio
    at_most: bool = False  # the target is an upper bound
    note: str = ""

    @property
    def measured(self) -> float:
        return median(sample.measured for sample in self.samples)

    @property
    def limit(self) -> float:
        return median(sample.limit for sample in self.samples)

    @property
    def ratio(self) -> float:
        return median(sample.measured / sample.limit for sample in self.samples)

    @property
    def good(self) -> bool:
        return self.ratio <= self.target if self.at_most else self.ratio >= self.target

    @property
    def cpu_per_thousand(self) -> float:
        spent = [sample.cpu / sample.events * 1000 for sample in self.samples if sample.events]
        return median(spent) if spent else math.nan

    @property
    def windows(self) -> list[tuple[float, float]]:
        return [(sample.began, sample.ended) for sample in self.samples]


HEADINGS = ("figure", "measured", "limit", "ratio", "target", "", "CPU s/1k", "sync p50", "p99 ms", "runs", "note")


def quantity(value: float, unit: str) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:,.0f} {unit}" if abs(value) >= 100 else f"{value:.3g} {unit}"


def plain(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def row(figure: Figure, sync: tuple[float, float]) -> tuple[str, ...]:
    sign = "<=" if figure.at_most else ">="
    return (
        figure.name,
        quantity(figure.measured, figure.unit),
        quantity(figure.limit, figure.unit),
        plain(figure.ratio, 2),
        f"{sign} {figure.target:g}",
        "ok" if figure.good else "SHORT",
        plain(figure.cpu_per_thousand, 4),
        plain(sync[0], 2),
        plain(sync[1], 2),
        str(len(figure.samples)),
        figure.note,
    )


def table(rows: list[tuple[str, ...]]) -> str:
    lines = [HEADINGS, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    left = (0, 5, len(HEADINGS) - 1)
    texts = []
    for line in lines:
        cells = [cell.ljust(w) if i in left else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths))]
        texts.append("  ".join(cells).rstrip())
    return "\n".join(texts)
