"""A plan for people: tables of at most 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap

from rich import box
from rich.table import Table
from rich.text import Text

from porter.plan.cards import GIB
from porter.plan.config import Model
from porter.plan.matrix import MatrixRow
from porter.plan.plan import Plan
from porter.plan.serve import yaml
from porter.plan.transfer import CHUNK, Transfer
from porter.wording import plural

WIDTH = 80
_UNITS = (("TiB", 2**40), ("GiB", GIB), ("MiB", 2**20), ("KiB", 2**10))


def size(count: int) -> str:
    """Bytes in the largest unit of which there is at least one: ``160.0 GiB``."""
    for unit, of in _UNITS:
        if count >= of:
            return f"{count / of:.1f} {unit}"
    return f"{count} B"


def heading(plan: Plan) -> Text:
    want, card = plan.want, plan.plant.card
    return Text(
        f"{plan.shape.model.name}\n{plural(want.concurrency, 'sequence')} of "
        f"{want.context:,} tokens on {card.title}, {card.visible / GIB:.2f} GiB a card",
        "bold",
    )


def needs(plan: Plan) -> Table:
    """Weights, and the cache by kind of layer."""
    table = _table()
    for title in ("", "layers", "a token", "a sequence", "in all"):
        table.add_column(title, justify="left" if title == "" else "right")
    table.add_row("weights", "", "", "", size(plan.weight_bytes))
    for row in plan.rows:
        each = row.layers * row.sequence
        table.add_row(
            f"KV cache: {row.kind}",
            str(row.layers),
            size(row.layers * row.token) if row.token else "",
            size(each),
            size(each * plan.want.concurrency),
        )
    if len(plan.rows) > 1:
        table.add_row("KV cache", "", "", size(plan.sequence_bytes), size(plan.kv_cache_bytes))
    if plan.plugin_bytes != plan.kv_cache_bytes:
        each = plan.plugin_bytes // plan.want.concurrency
        table.add_row(
            "KV cache as the plugin keeps it", "", "", size(each), size(plan.plugin_bytes)
        )
    return table


def fits(plan: Plan) -> Table:
    """One row for each number of cards; sizes are those of one card."""
    table = _table()
    table.add_column("cards", justify="right")
    for title in ("weights", "cache", "room", "steps", "room", "fits", "longest", "most"):
        table.add_column(title, justify="right")
    for option in plan.options:
        fit = option.fit
        table.add_row(
            str(fit.cards),
            _gib(fit.weights),
            _gib(fit.cache),
            _gib(fit.room),
            _gib(fit.workspace),
            _gib(fit.margin),
            Text("yes", "green") if fit.fits else Text("no", "red"),
            f"{option.longest_context:,}",
            f"{option.most_sequences:,}",
        )
    return table


def verdict(plan: Plan) -> Text:
    chosen = plan.chosen
    if chosen is not None:
        return Text(f"It fits on {plural(chosen.cards, 'card')}.", "green")
    if not plan.options:
        return Text("It cannot be spread over that many cards.", "red")
    return Text(f"It does not fit on {plural(plan.options[-1].fit.cards, 'card')}.", "red")


def start(plan: Plan) -> Iterator[str]:
    """The lines to start vLLM with."""
    for name, value in plan.environment.items():
        yield f"export {name}={value}"
    yield "vllm serve --config plan.yaml        # porter plan … --format yaml > plan.yaml"
    yield ""
    yield from yaml(plan.args).splitlines()


def lmcache(transfer: Transfer) -> Iterator[str]:
    memory = transfer.local_cpu_gib * transfer.workers
    workers = plural(transfer.workers, "worker")
    yield (
        f"# {size(transfer.sequence)} a sequence: {transfer.seconds:.2f} s to store or to load "
        f"at {transfer.speed / 1e9:.1f} GB/s"
    )
    yield f"{f'chunk_size: {CHUNK}':32}# {size(transfer.chunk)} a chunk"
    room = f"max_local_cpu_size: {transfer.local_cpu_gib}"
    yield f"{room:32}# GiB, in each of {workers}: {memory} GiB"


def notes(plan: Plan) -> Iterator[str]:
    for note in plan.notes:
        yield from wrap(f"note: {note}.", WIDTH, subsequent_indent="      ")


def context_matrix(plan: Plan, rows: Iterable[MatrixRow]) -> Table:
    """The guide's matrix; ``*`` marks contexts that the model was not made for."""
    table = _table()
    want = plan.want
    table.add_column("context", justify="right")
    table.add_column("KV a sequence", justify="right")
    table.add_column(f"KV of {want.concurrency}", justify="right")
    table.add_column(f"cards for {want.concurrency}", justify="right")
    table.add_column("most on 8 cards", justify="right")
    for row in rows:
        table.add_row(
            f"{row.context // 1024}K{'*' if row.beyond_limit else ''}",
            size(row.sequence_bytes),
            size(row.cache_bytes),
            "more than 32" if row.cards is None else str(row.cards),
            f"{row.on_node:,}",
        )
    return table


def model_list(models: Iterable[tuple[Model, str]]) -> Table:
    """Names, and what their parameters are."""
    table = _table()
    table.add_column("model")
    table.add_column("parameters", justify="right")
    for model, parameters in models:
        table.add_row(model.name, parameters)
    return table


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)


def _gib(count: int) -> str:
    return f"{count / GIB:.1f}"
