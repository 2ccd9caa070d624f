"""A model with the structure of vLLM's Llama, and no more: what LMCache's blender asks of one.

It stands in for vLLM's, which needs its own configuration and process groups. ``Rope`` stands in
for vLLM's rotary embedding; when this is imported, LMCache finds it where vLLM has its own.
"""

import sys
from types import ModuleType, SimpleNamespace

import torch
from torch import nn

VOCABULARY, LAYERS, HEADS, KV_HEADS, HEAD = 97, 4, 4, 2, 8
HIDDEN = HEADS * HEAD
WIDTH = KV_HEADS * HEAD


class Rope(nn.Module):
    def __init__(self, head_size, rotary_dim, max_position, base, is_neox_style, dtype):
        super().__init__()
        self.head_size, self.rotary_dim, self.base = head_size, rotary_dim, base
        self.max_position_embeddings, self.is_neox_style = max_position, is_neox_style
        self.dtype = dtype
        pace = base ** (-torch.arange(0, rotary_dim, 2) / rotary_dim)
        angles = torch.arange(max_position)[:, None] * pace
        self.register_buffer("cos_sin_cache", torch.cat((angles.cos(), angles.sin()), -1).to(dtype))
        self.to("hpu")

    def forward(self, positions, query, key):
        table = self.cos_sin_cache.to(query.device).index_select(0, positions).to(query.dtype)
        return self._turned(query, table), self._turned(key, table)

    def _turned(self, tensor, table):
        cos, sin = table[:, None].chunk(2, -1)
        x, y = tensor.view(len(tensor), -1, self.head_size).chunk(2, -1)
        return torch.cat((x * cos - y * sin, y * cos + x * sin), -1).view_as(tensor)


def get_rope(
    head_size, rotary_dim=None, max_position=0, base=0, is_neox_style=True, *more, dtype=None,
    rope_parameters=None, **others,
):  # fmt: skip
    """By the arguments of vLLM until 0.11 and by those of later releases."""
    base = rope_parameters["rope_theta"] if rope_parameters else base
    dtype = dtype or next(each for each in more if isinstance(each, torch.dtype))
    return Rope(head_size, rotary_dim or head_size, max_position, base, is_neox_style, dtype)


_NAME = "vllm.model_executor.layers.rotary_embedding"
_PARTS = _NAME.split(".")
for _count in range(1, len(_PARTS) + 1):
    _part = ".".join(_PARTS[:_count])
    sys.modules.setdefault(_part, ModuleType(_part))
sys.modules[_NAME].get_rope = get_rope


class Norm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(1 + torch.randn(HIDDEN) / 8)

    def forward(self, hidden, residual=None):
        total = hidden if residual is None else hidden + residual
        scale = (total * total).mean(-1, keepdim=True) + 1e-6
        normed = total * scale.rsqrt() * self.weight
        return normed if residual is None else (normed, total)


class Linear(nn.Linear):
    def forward(self, hidden):
        return super().forward(hidden), None


class SelfAttention(nn.Module):
    def __init__(self, rope):
        super().__init__()
        self.q_size, self.kv_size = HIDDEN, WIDTH
        self.qkv_proj = Linear(HIDDEN, HIDDEN + 2 * WIDTH, bias=False)
        self.o_proj = Linear(HIDDEN, HIDDEN, bias=False)
        self.rotary_emb = rope
        impl = SimpleNamespace(scale=HEAD**-0.5, alibi_slopes=None, sliding_window=None)
        heads = {"num_heads": HEADS, "num_kv_heads": KV_HEADS, "head_size": HEAD}
        self.attn = SimpleNamespace(impl=impl, **heads)


class Layer(nn.Module):
    def __init__(self, rope):
        super().__init__()
        self.input_layernorm, self.post_attention_layernorm = Norm(), Norm()
        self.self_attn = SelfAttention(rope)
        self.up, self.down = nn.Linear(HIDDEN, 2 * HIDDEN), nn.Linear(2 * HIDDEN, HIDDEN)

    def mlp(self, hidden):
        return self.down(torch.tanh(self.up(hidden)))


class LlamaForCausalLM(nn.Module):
    def __init__(self):
        super().__init__()
        rope = Rope(HEAD, HEAD, 128, 10_000.0, True, torch.float32)
        self.model = nn.Module()
        self.model.layers = nn.ModuleList(Layer(rope) for _ in range(LAYERS))
        self.model.start_layer, self.model.end_layer = 0, LAYERS
        self.model.embed_tokens = nn.Embedding(VOCABULARY, HIDDEN)

    def get_input_embeddings(self, tokens):
        return self.model.embed_tokens(tokens)
