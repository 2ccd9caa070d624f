"""Device strings are decided by what receives them."""

import ast

import pytest

from porter.scan import Module, Resolver
from porter.scan.receiver import Receiver, ReceiverFinder
from porter.scan.vocabulary import DEVICES


def receiver(code: str) -> Receiver:
    """The receiver of the first ``"cuda"`` in the code."""
    module = Module("m.py", f"import torch\nimport typing\n{code}\n")
    finder = ReceiverFinder(module, Resolver(module), DEVICES)
    node = next(
        node
        for node in module.nodes
        if (isinstance(node, ast.Constant) and str(node.value).startswith("cuda"))
        and not isinstance(module.parents[node], ast.JoinedStr)
    )
    assert isinstance(node, ast.expr)
    return finder.receiver(finder.expression(node))


@pytest.mark.parametrize(
    "code",
    [
        "torch.device('cuda')",
        "torch.device(type='cuda')",
        "x.to('cuda')",
        "x.to(device='cuda')",
        "torch.zeros(3, device='cuda')",
        "torch.load(p, map_location='cuda')",
        "torch.autocast('cuda')",
        "pick = torch.autocast if half else nullcontext\npick('cuda')",
        "with precision_scope('cuda'): pass",
        "f(dst_device='cuda')",
        "self.device = 'cuda'",
        "kwargs['device'] = 'cuda'",
        "options = {'device': 'cuda'}",
        "options.get('device', 'cuda')",
        "getattr(args, 'device', 'cuda')",
        "parser.add_argument('--device', default='cuda')",
        "def f(device='cuda'): pass",
        "def f(*, device: str = 'cuda'): pass",
        "class C:\n    device: str = 'cuda'",
        "if device == 'cuda': pass",
        "if x.device.type != 'cuda': pass",
        "if gpu.type == 'cuda': pass",
        "if str(device).startswith('cuda'): pass",
        "if device.split(':')[0] == 'cuda': pass",
        "if 'cuda' in str(device): pass",
        "if config.local_device in ('cuda',): pass",
        "match config.local_device:\n    case 'cuda': pass",
        "match where:\n    case 'cpu' | 'cuda': pass",
        "where = 'cuda'\nx.to(where)",
        "where = 'cuda'\nif where == 'cpu': pass",
        "where = 'cuda'\nself.device = where",
        "def f(where='cuda'):\n    torch.device(where)",
        "def f(x, device): pass\nf(1, 'cuda')",
        "class C:\n    def __init__(self, device): pass\nC('cuda')",
        "class C:\n    def f(self, device): pass\n    def g(self):\n        self.f('cuda')",
        "def pick_device():\n    return 'cuda'",
        "def pick() -> torch.device:\n    return 'cuda'",
        "f('cuda' if torch.cuda.is_available() else 'cpu')",
        "x.to(d or 'cuda')",
        "for device in ('cpu', 'cuda'): pass",
        "@pytest.mark.parametrize('device', ['cpu', 'cuda'])\ndef test(): pass",
    ],
)
def test_a_device_is_wanted(code: str) -> None:
    assert receiver(code) is Receiver.DEVICE


@pytest.mark.parametrize(
    "code",
    [
        "if device in ('cpu', 'cuda'): pass",
        "assert x.type in ['cuda', 'xpu']",
        "parser.add_argument('--device', choices=['cpu', 'cuda'])",
        "def f(device: typing.Literal['cpu', 'cuda']): pass",
        "DEVICES = ['cpu', 'cuda']",
    ],
)
def test_a_list_of_devices_is_accepted(code: str) -> None:
    assert receiver(code) is Receiver.LIST


@pytest.mark.parametrize(
    "code",
    [
        "if device == 'cuda' or device == 'hpu': pass",
        "if device == 'cuda':\n    pass\nelif device == 'hpu':\n    pass",
        "if a:\n    pass\nelif device == 'cuda':\n    pass\nelif device.type == 'hpu':\n    pass",
        "if device in ('cuda', 'hpu'): pass",
        "x = 1 if device == 'cuda' else 2 if device == 'hpu' else 3",
        "match device:\n    case 'cuda': pass\n    case 'hpu': pass",
        "names = {'cuda': 1, 'hpu': 2}",
    ],
)
def test_hpu_is_served_already(code: str) -> None:
    assert receiver(code) is Receiver.COVERED


@pytest.mark.parametrize(
    "code",
    [
        "agent.get_reg_descs(memory, mem_type='cuda')",
        "table = {'cuda': 1}",
        "table['cuda']",
        "logger.info('cuda')",
        "create('cuda')",
        "with timer('cuda'): pass",
        "pick = named if half else nullcontext\npick('cuda')",
        "torch.library.impl('ns::op', 'cuda')",
        "feature = ('blending', frozenset({'cuda', 'xpu'}))",
        "name = 'cuda'\nprint(name)",
        "if name == 'cuda': pass",
        "getattr(torch, 'cuda')",
        "class Data(Base, tag='cuda'): pass",
    ],
)
def test_somebody_elses_word(code: str) -> None:
    assert receiver(code) is Receiver.FOREIGN
