"""The rulebook: what each CUDA construct is on HPU."""

from porter.rulebook.api import ApiTable
from porter.rulebook.book import Rulebook, default_rulebook
from porter.rulebook.rule import Arguments, Example, Rule, is_nothing

__all__ = ["ApiTable", "Arguments", "Example", "Rule", "Rulebook", "default_rulebook", "is_nothing"]
