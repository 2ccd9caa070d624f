"""What the codemods of one module share, and what each of them decides."""

from __future__ import annotations

import ast
import re
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from porter.codemods.options import Options
from porter.findings import Edit, Verdict
from porter.rulebook import Rule, Rulebook
from porter.scan import Module, Resolver, Span
from porter.scan.construct import Construct, Kind
from porter.scan.receiver import ReceiverFinder
from porter.scan.vocabulary import BACKENDS, DEVICES

_CUDA_WORD = re.compile(r"\b(CUDA|cuda)\b")


_FAIL_ON_HPU = frozenset(Kind) - {Kind.DEFINITION, Kind.ENVIRONMENT, Kind.KEYWORD}


@dataclass(eq=False)
class Decision:
    """What becomes of one construct; ``name`` is its dotted name after routing.

    ``edits`` is called once every decision is made and no guard keeps this one;
    None means that the code is left alone. ``holds`` says whether the edits are
    still possible, now that other decisions were withdrawn. ``shown`` is the
    node that a reader sees as "before". ``blocks`` says that the construct
    would fail on HPU if it ran there, so that a guard around it must not be
    opened; ``shielded`` that a guard is shut around it already.
    """

    construct: Construct
    rule: Rule
    shown: ast.AST
    edits: Callable[[], Iterable[Edit]] | None = None
    holds: Callable[[], bool] | None = None
    detail: str = ""
    verdict: Verdict | None = None
    name: str | None = None
    blocks: bool = False
    shielded: bool = False
    span: Span | None = None

    @property
    def fixable(self) -> bool:
        return self.edits is not None

    @classmethod
    def report(
        cls,
        construct: Construct,
        rule: Rule,
        shown: ast.AST,
        *,
        detail: str = "",
        verdict: Verdict | None = None,
        name: str | None = None,
        span: Span | None = None,
        blocks: bool = True,
    ) -> Decision:
        """Leave the code alone, and hold the guard around it shut where it would fail on HPU."""
        harmless = rule.neutral or (verdict or rule.verdict) is Verdict.NO_OP
        fails = construct.kind in _FAIL_ON_HPU and not harmless
        return cls(
            construct,
            rule,
            shown,
            detail=detail,
            verdict=verdict,
            name=name,
            span=span,
            blocks=blocks and fails,
        )

    def keep(self, rule: Rule, detail: str = "") -> None:
        """Leave the code alone after all."""
        self.rule, self.detail, self.edits, self.verdict = rule, detail, None, None
        self.blocks = False


class Layout:
    """The edits of a module while they are laid out, innermost construct first.

    ``consumed`` maps a node that is gone from the result to the decision that
    did away with it; ``carried`` pairs a decision with those whose edits its own
    carry on. ``told`` are the assertions whose message was edited already.
    """

    def __init__(self) -> None:
        self.consumed: dict[ast.AST, Decision] = {}
        self.carried: list[tuple[Decision, Decision]] = []
        self.told: set[ast.Assert] = set()
        self._laid: list[tuple[Edit, Decision]] = []
        self._current: Decision | None = None

    @property
    def current(self) -> Decision:
        assert self._current is not None
        return self._current

    def lay(self, decision: Decision) -> None:
        """Ask a decision for its edits."""
        self._current = decision
        for edit in list(decision.edits()) if decision.edits is not None else ():
            insort(self._laid, (edit, decision), key=_by_edit)

    def take(self, span: Span) -> list[Edit]:
        """Remove the edits that were laid inside a span; an outer edit carries them on."""
        first = bisect_left(self._laid, span[0], key=_by_start)
        last = bisect_right(self._laid, span[1], lo=first, key=_by_start)
        inside = [(edit, by) for edit, by in self._laid[first:last] if edit.end <= span[1]]
        outside = [(edit, by) for edit, by in self._laid[first:last] if edit.end > span[1]]
        self._laid[first:last] = outside
        self.carried += ((self.current, by) for _, by in inside)
        return [edit for edit, _ in inside]

    def edits(self) -> list[tuple[Edit, Decision]]:
        """What was laid and not carried on, in the order of the text."""
        return list(self._laid)

    def by_decision(self) -> dict[Decision, list[Edit]]:
        found: dict[Decision, list[Edit]] = {}
        for edit, decision in self._laid:
            found.setdefault(decision, []).append(edit)
        return found


def _by_edit(laid: tuple[Edit, Decision]) -> Edit:
    return laid[0]


def _by_start(laid: tuple[Edit, Decision]) -> int:
    return laid[0].start


@dataclass(eq=False)
class Context:
    """One module under analysis. ``decisions`` fills up in document order.

    ``moved`` tells what the imports and assignments that will be rewritten refer
    to afterwards, ``renamed`` which of them bind another name then, and
    ``removals`` which statements go.
    """

    module: Module
    resolver: Resolver
    book: Rulebook
    options: Options
    native: Collection[str]
    decisions: list[Decision] = field(default_factory=list)
    moved: dict[ast.AST, str] = field(default_factory=dict)
    renamed: dict[ast.AST, str] = field(default_factory=dict)
    removals: set[ast.stmt] = field(default_factory=set)
    layout: Layout = field(default_factory=Layout)

    @cached_property
    def devices(self) -> ReceiverFinder:
        return ReceiverFinder(self.module, self.resolver, DEVICES)

    @cached_property
    def backends(self) -> ReceiverFinder:
        return ReceiverFinder(self.module, self.resolver, BACKENDS)

    def quoted(self, text: str, node: ast.AST) -> str:
        """``text`` as a string literal that may stand at ``node``, inside an f-string too."""
        around = [
            above for above in self.module.ancestors(node) if isinstance(above, ast.JoinedStr)
        ]
        if not around:
            return f'"{text}"'
        taken = {self.module.segment(above).lstrip("rRfFbBuU")[0] for above in around}
        quote = next((quote for quote in "\"'" if quote not in taken), '"')
        return f"{quote}{text}{quote}"

    def replace(self, node: ast.AST, text: str) -> Edit:
        """Put ``text`` in the place of a node; constructs inside it are settled by that."""
        self.consume(node)
        start, end = self.module.span(node)
        return Edit(start, end, text)

    def consume(self, node: ast.AST) -> None:
        """Note that the current edit does away with a node and all that stands inside it."""
        self.layout.consumed[node] = self.layout.current
        self.layout.take(self.module.span(node))


def message_edits(context: Context, test: ast.AST) -> Iterator[Edit]:
    """``assert device.type == "cuda", "must be on CUDA"``: the message follows the test, once."""
    module = context.module
    for above in module.ancestors(test):
        if isinstance(above, ast.Assert) and above not in context.layout.told:
            if not isinstance(above.msg, ast.Constant):
                return
            context.layout.told.add(above)
            start, _ = module.span(above.msg)
            for match in _CUDA_WORD.finditer(module.segment(above.msg)):
                word = "HPU" if match.group().isupper() else "hpu"
                yield Edit(start + match.start(), start + match.end(), word)
        if isinstance(above, ast.stmt):
            return
