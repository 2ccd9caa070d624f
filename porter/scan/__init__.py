"""Find CUDA constructs: text in, constructs out. Nothing is edited here."""

from porter.scan.construct import Construct, Kind
from porter.scan.module import Module, Span
from porter.scan.resolve import Resolver
from porter.scan.scanner import scan

__all__ = ["Construct", "Kind", "Module", "Resolver", "Span", "scan"]
