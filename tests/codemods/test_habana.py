"""The bridge is imported once, in the right place, and only where it is needed."""

import pytest

from porter.codemods.habana import IMPORT

CASES = {
    "behind torch": (
        "import os\nimport torch\nimport zlib\ntorch.cuda.synchronize()\n",
        f"import os\nimport torch\n{IMPORT}\nimport zlib\ntorch.hpu.synchronize()\n",
    ),
    "behind torch itself": (
        "# Third Party\nfrom torch import nn\nimport torch\nx.cuda()\n",
        f'# Third Party\nfrom torch import nn\nimport torch\n{IMPORT}\nx.to("hpu")\n',
    ),
    "before a rewritten import": (
        "from torch.cuda import Stream\ns = Stream()\n",
        f"{IMPORT}\nfrom torch.hpu import Stream\ns = Stream()\n",
    ),
    "inside a try": (
        "try:\n    import torch\nexcept ImportError:\n    torch = None\nx.cuda()\n",
        f"try:\n    import torch\n    {IMPORT}\n"
        'except ImportError:\n    torch = None\nx.to("hpu")\n',
    ),
    "not below TYPE_CHECKING": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch\nx.cuda()\n",
        f"from typing import TYPE_CHECKING\n{IMPORT}\n"
        'if TYPE_CHECKING:\n    import torch\nx.to("hpu")\n',
    ),
    "in the function that imports torch": (
        "def f():\n    import torch\n    torch.cuda.synchronize()\n\ndef g():\n    import torch\n",
        f"def f():\n    import torch\n    {IMPORT}\n    torch.hpu.synchronize()\n\n"
        "def g():\n    import torch\n",
    ),
    "after docstring and future": (
        '"""Doc."""\nfrom __future__ import annotations\n\ndef f(device="cuda"): ...\n',
        f'"""Doc."""\nfrom __future__ import annotations\n{IMPORT}\n\ndef f(device="hpu"): ...\n',
    ),
    "after a docstring alone": (
        '"""Doc."""\ndevice = "cuda"\n',
        f'"""Doc."""\n{IMPORT}\ndevice = "hpu"\n',
    ),
    "in a bare file": ('device = "cuda"\n', f'{IMPORT}\ndevice = "hpu"\n'),
    "before a decorator": (
        '@d(1)\ndef f(device="cuda"): ...\n',
        f'{IMPORT}\n@d(1)\ndef f(device="hpu"): ...\n',
    ),
    "behind a shebang": (
        '#!/usr/bin/env python\ndevice = "cuda"\n',
        f'#!/usr/bin/env python\n{IMPORT}\ndevice = "hpu"\n',
    ),
    "with the line ends of the file": (
        "import torch\r\nx.cuda()\r\n",
        f'import torch\r\n{IMPORT}\r\nx.to("hpu")\r\n',
    ),
    "at the end of a file without a line end": (
        "def f(): return x.cuda()\nimport torch",
        f'def f(): return x.to("hpu")\nimport torch\n{IMPORT}',
    ),
    "before an import that shares its line": (
        "import torch; torch.cuda.init()\n",
        f"{IMPORT}\nimport torch; torch.hpu.init()\n",
    ),
    "on its own where a suite is on one line": (
        "try: import torch\nexcept ImportError: torch = None\nx.cuda()\n",
        f'{IMPORT}\ntry: import torch\nexcept ImportError: torch = None\nx.to("hpu")\n',
    ),
    "once more where it was imported in another function": (
        "import torch\ndef f():\n    import habana_frameworks.torch\nx.cuda()\n",
        f'import torch\n{IMPORT}\ndef f():\n    import habana_frameworks.torch\nx.to("hpu")\n',
    ),
    "once": (
        "import torch\nimport habana_frameworks.torch.core as htcore\nx.cuda()\n",
        'import torch\nimport habana_frameworks.torch.core as htcore\nx.to("hpu")\n',
    ),
    "with a backend": (
        "import torch.distributed as dist\ndist.init_process_group('nccl')\n",
        f"import torch.distributed as dist\n{IMPORT}\ndist.init_process_group('hccl')\n",
    ),
}


@pytest.mark.parametrize("case", CASES, ids=CASES)
def test_place(rewrite, case):
    before, after = CASES[case]
    assert rewrite(before, add_imports=True) == after


@pytest.mark.parametrize(
    "code",
    [
        "import torch\ntorch.cuda.empty_cache()\nx = 1\n",
        "import os\nos.environ['NCCL_SOCKET_IFNAME']\n",
        "import torch\nfrom pkg import ops\n",
        "import torch\ntorch.cuda.memory_snapshot()\n",
    ],
)
def test_not_where_nothing_of_hpu_is_emitted(rewrite, code):
    result = rewrite(code, add_imports=True, routes={"pkg.ops": "pkg.hpu.ops"})
    assert "habana_frameworks" not in result
