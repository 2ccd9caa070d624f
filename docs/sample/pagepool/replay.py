"""Records a step once and replays it."""

import torch
from torch import cuda


class Replay:
    def __init__(self, step, example: torch.Tensor) -> None:
        self.graph = cuda.CUDAGraph()
        self.input = example.clone()
        with cuda.graph(self.graph):
            self.output = step(self.input)

    def __call__(self, value: torch.Tensor) -> torch.Tensor:
        self.input.copy_(value)
        self.graph.replay()
        return self.output


@torch.autocast("cuda", dtype=torch.bfloat16)
def warm_up(step, example: torch.Tensor) -> None:
    step(example)
    cuda.empty_cache()
