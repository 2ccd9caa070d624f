"""Plan the memory of a model on Gaudi cards, and how to start vLLM with it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from porter.cli._output import print_json, print_table, print_text
from porter.plan import text
from porter.plan.cards import COUNTS, NAMES
from porter.plan.config import find_model, known_models
from porter.plan.document import to_document
from porter.plan.fit import GRAPHS, LONGEST, MOST, Want
from porter.plan.matrix import matrix, matrix_document
from porter.plan.plan import SPEED, Plan, plan_of
from porter.plan.plot import draw
from porter.plan.quantization import Quantization
from porter.plan.serve import yaml
from porter.plan.shape import shape_of

_UNITS = {"": 1, "K": 2**10, "M": 2**20}


class _Tokens(click.ParamType[int]):
    """``131072``, ``128K`` or ``1M``."""

    name = "tokens"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        match = re.fullmatch(r"(\d+)([KM]?)", str(value).strip().upper())
        if match is None:
            self.fail(f"{value!r} is no number of tokens, such as 131072 or 128K", param, ctx)
        tokens = int(match[1]) * _UNITS[match[2]]
        if not 1 <= tokens <= LONGEST:
            self.fail(f"{value} is not between 1 and {LONGEST:,} tokens", param, ctx)
        return tokens


def _show_models(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    print_table(
        text.model_list(
            (model, f"{(shape_of(model).parameters or 0) / 1e9:,.1f}B") for model in known_models()
        )
    )
    ctx.exit()


@click.command(
    epilog="\b\nExample:\n  porter plan meta-llama/Llama-3.1-70B --context 128K --concurrency 4"
)
@click.argument("model", metavar="MODEL")
@click.option("--context", type=_Tokens(), help="Tokens of a sequence, answer included: 128K.")
@click.option(
    "--concurrency",
    type=click.IntRange(1, MOST),
    default=1,
    show_default=True,
    help="Sequences at a time.",
)
@click.option("--card", type=click.Choice(NAMES), default="gaudi3", show_default=True)
@click.option(
    "--cards",
    type=click.Choice([str(count) for count in COUNTS]),
    help="So many cards; by default the fewest that it fits on.",
)
@click.option(
    "--kv-cache",
    type=click.Choice(["bf16", "fp8"]),
    default="bf16",
    show_default=True,
    help="What keys and values are kept in.",
)
@click.option(
    "--quantization",
    type=click.Choice(["checkpoint", "none", "inc"]),
    default="checkpoint",
    show_default=True,
    help="Of the weights: as config.json says, bf16, or fp8 by Intel's INC.",
)
@click.option("--step", type=_Tokens(), help="vLLM's max_num_batched_tokens. By default 8192.")
@click.option(
    "--utilization",
    type=click.FloatRange(0.01, 0.99),
    help="vLLM's gpu_memory_utilization. By default 0.9, or less where a step needs the room.",
)
@click.option(
    "--graphs",
    type=click.FloatRange(0, 0.9),
    default=GRAPHS,
    show_default=True,
    help="VLLM_GRAPH_RESERVED_MEM, a share of the usable memory.",
)
@click.option(
    "--bandwidth",
    type=click.FloatRange(0.001, 100_000),
    default=SPEED / 1e9,
    show_default=True,
    help="Of LMCache's store, in GB/s.",
)
@click.option("--matrix", "as_matrix", is_flag=True, help="From 2K to 256K tokens of context.")
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also draw memory against context: .svg, .png or .pdf.",
)
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json", "yaml"]),
    default="text",
    show_default=True,
    help="For people, for machines, or for vllm serve --config.",
)
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_models,
    help="Show the models that porter knows.",
)
def command(
    *,
    model: str,
    context: int | None,
    concurrency: int,
    card: str,
    cards: str | None,
    kv_cache: str,
    quantization: str,
    step: int | None,
    utilization: float | None,
    graphs: float,
    bandwidth: float,
    as_matrix: bool,
    plot: Path | None,
    style: str,
) -> None:
    """Plan MODEL's memory on Gaudi cards: weights, KV cache, what fits, how to start vLLM.

    MODEL is the folder of a model, its config.json, or the name of a well-known model.
    Nothing is fetched. It is arithmetic, and no card was asked.
    """
    if context is None and not as_matrix:
        raise click.UsageError("say how long a context is to be: --context 32K, or --matrix")
    if as_matrix and style == "yaml":
        raise click.UsageError("--matrix has no YAML: give --context for one start of vLLM")
    plan = plan_of(
        find_model(model),
        Want(
            context=context or 1,
            concurrency=concurrency,
            step=step,
            number=1 if kv_cache == "fp8" else 2,
            utilization=utilization,
            graphs=graphs,
        ),
        card=card,
        cards=int(cards) if cards else None,
        quantization=_quantization(quantization),
        speed=bandwidth * 1e9,
    )
    if plot is not None:
        draw(plan if context else replace(plan, want=replace(plan.want, context=2**17)), plot)
    if as_matrix:
        _print_matrix(plan, style)
    elif style == "json":
        print_json(to_document(plan))
    elif style == "yaml":
        variables = (f"# export {name}={value}\n" for name, value in plan.environment.items())
        click.echo("".join(variables) + yaml(plan.args), nl=False)
    else:
        _print_plan(plan)


def _quantization(choice: str) -> Quantization | None:
    return {"checkpoint": None, "none": Quantization(), "inc": Quantization("inc", 8.0)}[choice]


def _print_matrix(plan: Plan, style: str) -> None:
    if style == "json":
        print_json(matrix_document(plan))
        return
    print_text(Text(plan.title, "bold"))
    print_table(text.context_matrix(plan, matrix(plan)))
    if plan.shape.limit is not None:
        print_text(Text(f"* beyond the {plan.shape.limit:,} tokens that it was made for"))


def _print_plan(plan: Plan) -> None:
    print_text(text.heading(plan))
    print_text(Text())
    print_table(text.needs(plan))
    print_text(Text())
    print_text(Text("GiB a card; the longest context, and the most sequences, that would fit:"))
    print_table(text.fits(plan))
    print_text(text.verdict(plan))
    print_text(Text())
    for line in text.start(plan) if plan.start else ():
        print_text(Text(line))
    if plan.transfer is not None:
        print_text(Text("\nlmcache.yaml:", "bold"))
        for line in text.lmcache(plan.transfer):
            print_text(Text(line))
    for line in text.notes(plan):
        print_text(Text(line))
