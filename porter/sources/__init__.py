"""Where code comes from: a folder, a file, a wheel, an sdist or a requirement."""

from porter.sources.resolve import open_source
from porter.sources.text import SourceText
from porter.sources.tree import Kind, Origin, SourceTree

__all__ = ["Kind", "Origin", "SourceText", "SourceTree", "open_source"]
