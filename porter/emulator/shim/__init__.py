"""``habana_frameworks`` as code for Gaudi finds it, over the emulated device.

Every name and signature is one of ``rules/api``; what the bridge lacks is not here either.
"""

__emulated__ = True
