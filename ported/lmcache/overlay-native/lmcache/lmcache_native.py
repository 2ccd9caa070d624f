"""The name of a module that was compiled, for code that porter did not rewrite."""

from __future__ import annotations

import sys

from lmcache.hpu import native

sys.modules[__name__] = native
