"""Statements go without leaving an empty block or taking a comment along."""

import pytest


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = 1\ntorch.cuda.empty_cache()\ny = 2\n", "x = 1\ny = 2\n"),
        ("def f():\n    torch.cuda.empty_cache()\n", "def f():\n    pass\n"),
        (
            "if a:\n    torch.cuda.empty_cache()\n    torch.cuda.ipc_collect()\n",
            "if a:\n    pass\n    pass\n",
        ),
        ("torch.cuda.empty_cache()  # free\nx = 1\n", "pass  # free\nx = 1\n"),
        ("x = 1; torch.cuda.empty_cache()\n", "x = 1; pass\n"),
        ("atexit.register(torch.cuda.empty_cache)\n", "atexit.register(torch.cuda.empty_cache)\n"),
    ],
)
def test_removal(rewrite, before, after):
    assert rewrite(f"import torch\n{before}") == f"import torch\n{after}"
