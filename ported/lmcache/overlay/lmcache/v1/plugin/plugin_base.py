"""The name under which guides to LMCache on Gaudi know the class; upstream has none."""

from lmcache.hpu.plugins.base import Plugin as PluginBase

__all__ = ["PluginBase"]
