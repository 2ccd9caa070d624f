"""``import habana_frameworks.torch``: from here on there is ``torch.hpu``."""

import torch

from . import _ops, core, hpu, utils
from .distributed import hccl
from .dynamo.compile_backend import _register

_register()
