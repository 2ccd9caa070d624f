"""LMCache on Intel Gaudi: hand-written modules that take the place of native ones."""
