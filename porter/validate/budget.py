"""What one way of a trip took, and whether that was allowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from porter.wording import plural

Figures = Mapping[str, float]


@dataclass(frozen=True)
class Measure:
    """``noun`` follows the figure: what is counted, or, in the plural, what it is a ratio of."""

    noun: str
    cure: str
    counted: bool = True

    def said(self, figure: float, decimals: int = 2) -> str:
        if self.counted:
            return plural(round(figure), self.noun)
        return f"{figure:.{decimals}f} {self.noun}"


MEASURES = {
    "syncs": Measure("sync", "wait once for all that is moved"),
    "launches": Measure("launch", "move more in one graph"),
    "bytes": Measure("x the bytes", "move what is asked for, once", counted=False),
    "graphs": Measure("graph", "pad to few shapes, and keep numbers out of the graphs"),
    "padding": Measure("blocks of padding", "pad the last block at most", counted=False),
}


def excesses(figures: Figures, limits: Figures) -> Iterator[tuple[str, str]]:
    """What is over its limit, in words, and what to do about it."""
    for name, measure in MEASURES.items():
        if name in figures and name in limits and figures[name] > limits[name]:
            # A ratio may be over its limit by less than two decimals show.
            said = measure.said(figures[name], decimals=4)
            yield f"{said}, {limits[name]:g} allowed", measure.cure


def described(figures: Figures) -> str:
    """``2 syncs, 32 launches, 1.00 x the bytes``."""
    return ", ".join(
        measure.said(figures[name]) for name, measure in MEASURES.items() if name in figures
    )


def worst(several: Sequence[Figures]) -> dict[str, float]:
    """The highest of each measure."""
    return {
        name: max(figures[name] for figures in several if name in figures)
        for name in MEASURES
        if any(name in figures for figures in several)
    }
