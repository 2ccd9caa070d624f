"""``import habana_frameworks.torch``: from here on there is ``torch.hpu``."""

from . import core, hpu, utils
from .distributed import hccl
from .dynamo.compile_backend import _register

_register()
