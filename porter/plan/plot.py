"""Memory against context, as a picture. matplotlib, from the extra ``plot``, draws it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from porter.errors import PorterError
from porter.plan.cards import COUNTS, GIB
from porter.plan.matrix import CONTEXTS
from porter.plan.plan import Plan
from porter.wording import plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SUFFIXES = (".svg", ".png", ".pdf")
_COLOURS = ("#999999", "#0068b5", "#f4a261", "#2a9d8f")


def draw(plan: Plan, file: Path) -> None:
    """Write the picture to ``file``; its suffix says the format.

    Raises PorterError where matplotlib is not installed, or the suffix is another.
    """
    if file.suffix.lower() not in SUFFIXES:
        raise PorterError(f"{file}: give --plot a name that ends in {', '.join(SUFFIXES)}")
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - an extra
    except ImportError:
        raise PorterError("--plot needs matplotlib: pip install 'porter[plot]'") from None
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.yaxis.set_major_formatter("{x:g}")
    _memory(axes, plan)
    _cards(axes, plan)
    axes.set_xticks(_contexts(plan), [_short(context) for context in _contexts(plan)])
    axes.set_xlabel("tokens of context")
    axes.set_ylabel("GiB, on all cards together")
    axes.set_title(plan.title, fontsize=11)
    axes.legend(loc="upper left", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, metadata=_undated(file))


def _memory(axes: Axes, plan: Plan) -> None:
    contexts = _contexts(plan)
    weights = plan.weight_bytes / GIB
    plans = [replace(plan, want=replace(plan.want, context=context)) for context in contexts]
    kept = [each.plugin_bytes / GIB for each in plans]
    axes.plot(contexts, [weights] * len(contexts), color=_COLOURS[0], label="weights")
    axes.plot(contexts, kept, color=_COLOURS[1], marker="o", label="KV cache on Gaudi")
    own = [each.kv_cache_bytes / GIB for each in plans]
    if own != kept:
        axes.plot(contexts, own, color=_COLOURS[3], marker="o", label="KV cache in vLLM")
    both = [weights + cache for cache in kept]
    axes.plot(contexts, both, color=_COLOURS[2], marker="o", label="weights and KV cache")
    axes.set_ylim(min([weights, *own]) / 1.5, max(both) * 3)


def _cards(axes: Axes, plan: Plan) -> None:
    """A line for the memory of each number of cards that is in the picture."""
    low, high = axes.get_ylim()
    for cards in COUNTS:
        memory = cards * plan.plant.card.visible / GIB
        if not low < memory < high:
            continue
        axes.axhline(memory, color="#cccccc", linewidth=0.8, linestyle="--", zorder=0)
        text = plural(cards, "card")
        axes.annotate(
            text,
            (0.5, memory),
            xycoords=("axes fraction", "data"),
            ha="center",
            va="bottom",
            fontsize=8,
            color="#777777",
        )


def _contexts(plan: Plan) -> list[int]:
    return sorted({*CONTEXTS, plan.want.context})


def _short(context: int) -> str:
    return f"{context // 1024}K" if context % 1024 == 0 else str(context)


def _undated(file: Path) -> dict[str, Any]:
    """So that the same plan gives the same file."""
    return {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(file.suffix.lower(), {})
