"""Load ``rules/*.toml`` and answer what a dotted CUDA name is on HPU."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path

from packaging.version import Version

from porter.errors import PorterError
from porter.resources import rules_folder
from porter.rulebook.api import ApiTable
from porter.rulebook.rule import Rule
from porter.toml import read_toml


class Rulebook:
    """All rules by id and by the names that they match, and the API table that checks them."""

    def __init__(self, rules: Iterable[Rule], api: ApiTable) -> None:
        self.api = api
        self._rules: dict[str, Rule] = {}
        self._names: dict[str, Rule] = {}
        self._prefixes: dict[str, Rule] = {}
        self.roots = {"torch"}
        self._distributions: list[str] = []
        for rule in rules:
            self._add(rule)

    @classmethod
    def load(cls, *folders: Path) -> Rulebook:
        """Read every rule file of ``folders``; a rule of a later folder replaces its namesake.

        The newest API table of the first folder that has one checks them all.
        Raises PorterError for a row that is malformed, an id or a match that is
        given twice, and a replacement that the API table does not have.
        """
        rules: dict[str, Rule] = {}
        for folder in folders:
            rules |= _rules_of(folder)
        return cls(rules.values(), _newest_table(folders))

    def __iter__(self) -> Iterator[Rule]:
        return iter(sorted(self._rules.values(), key=lambda rule: rule.id))

    def __len__(self) -> int:
        return len(self._rules)

    def __contains__(self, identifier: str) -> bool:
        return identifier in self._rules

    def __getitem__(self, identifier: str) -> Rule:
        try:
            return self._rules[identifier]
        except KeyError:
            raise PorterError(
                f"{identifier}: no such rule; `porter rules list` shows them"
            ) from None

    @cached_property
    def fingerprint(self) -> bytes:
        """Of all that the rules and the API table say: equal books have equal ones."""
        names = sorted(self.api.signatures.items())
        text = repr((list(self), self.api.version, names, sorted(self.api.lazy_only)))
        return sha256(text.encode()).digest()

    def lookup(self, name: str) -> Rule | None:
        """The rule of a dotted name: an exact match, or the longest ``prefix.*`` above it."""
        if name in self._names:
            return self._names[name]
        while name:
            if name in self._prefixes:
                return self._prefixes[name]
            name = name.rpartition(".")[0]
        return None

    def requirement(self, name: str) -> Rule | None:
        """The rule of a distribution, by the longest of ``requirement:NAME`` and ``NAME*``."""
        fitting = [
            pattern
            for pattern in self._distributions
            if pattern == name or (pattern.endswith("*") and name.startswith(pattern[:-1]))
        ]
        return self._names[f"requirement:{max(fitting, key=len)}"] if fitting else None

    def counterpart(self, name: str) -> tuple[Rule, str | None] | None:
        """The rule of a dotted name and its full new name, None where it has none.

        A rule for a class serves its attributes too, if the new name exists there.
        """
        head, tail = name, ""
        while head.count(".") > 1 or not tail:
            rule = self.lookup(head)
            if rule is not None:
                if rule.replacement is None:
                    return rule, None
                new = rule.replacement + tail
                if not tail or not self.api.missing([new]):
                    return rule, new
            head, _, last = head.rpartition(".")
            if not head:
                break
            tail = f".{last}{tail}"
        return None

    def keys(self, kind: str) -> frozenset[str]:
        """The names that rules match in the namespace ``kind:``, such as ``attribute``."""
        prefix = f"{kind}:"
        return frozenset(
            name.removeprefix(prefix) for name in self._names if name.startswith(prefix)
        )

    def _add(self, rule: Rule) -> None:
        if rule.replacement is not None:
            for name in self.api.missing([rule.replacement]):
                raise PorterError(
                    f"rule {rule.id}: {name} does not exist in the API table "
                    f"of release {self.api.version}"
                )
        self._rules[rule.id] = rule
        for pattern in rule.match:
            is_prefix = pattern.endswith(".*")
            table, name = (self._prefixes, pattern[:-2]) if is_prefix else (self._names, pattern)
            if name in table:
                raise PorterError(f"rule {rule.id}: {pattern} is matched by {table[name].id} too")
            table[name] = rule
            if name.startswith("requirement:"):
                self._distributions.append(name.removeprefix("requirement:"))
            elif ":" not in name:
                self.roots.add(name.partition(".")[0])


def _rules_of(folder: Path) -> dict[str, Rule]:
    rules: dict[str, Rule] = {}
    for path in sorted(folder.glob("*.toml")):
        for row in read_toml(path).get("rule", ()):
            rule = Rule.parse(row, path.name)
            if rule.id in rules:
                raise PorterError(
                    f"{path.name}: rule {rule.id}: the id is taken; ids are given once, for ever"
                )
            rules[rule.id] = rule
    return rules


def _newest_table(folders: Iterable[Path]) -> ApiTable:
    for folder in folders:
        tables = [ApiTable.load(path) for path in (folder / "api").glob("*.toml")]
        if tables:
            return max(tables, key=lambda table: Version(table.version))
    raise PorterError("no API table in an api/ folder of the rules; reinstall porter")


@lru_cache(maxsize=1)
def default_rulebook() -> Rulebook:
    """The rulebook that travels with porter."""
    return Rulebook.load(rules_folder())
