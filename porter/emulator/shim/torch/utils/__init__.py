"""Small helpers of the bridge."""

from . import experimental, internal
