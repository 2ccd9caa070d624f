"""What ``check_vllm_gaudi`` lays in a scratch folder: the plugin, a ported LMCache, models."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

# Its models want another transformers, its tool parsers serve no purpose here.
LEFT_OUT = {"register_models", "register_tool_parsers"}

BEGIN, SEPARATOR = 510, 511  # of a prompt, and of its parts; no prompt has them otherwise

# Of every model here.
SIZES = {
    "vocab_size": 512,
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": False,
    "initializer_range": 0.2,
}

# What transformers imports for images, which no model here has: any module, any name.
TORCHVISION = """\
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType


class Name(type):
    def __getattr__(cls, name):
        return made(name)


def made(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return Name(name, (), {})


class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("torchvision."):
            return ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        module = ModuleType(spec.name)
        module.__getattr__ = made
        return module

    def exec_module(self, module):
        pass


__getattr__ = made
sys.meta_path.insert(0, Finder())
"""


def install(checkout: Path, site: Path) -> list[str]:
    """Make the checkout known as an installed plugin, and stand in for torchvision.

    The torchvision of the package index does not load with a torch for the CPU, and transformers
    looks for one. Returns the names of the plugins.
    """
    groups = {
        group: {line.partition("=")[0].strip(): line for line in lines if wanted(line)}
        for group, lines in entry_points(checkout / "setup.py").items()
        if group.startswith("vllm.")
    }
    plugin = metadata(site, "vllm_gaudi", "0")
    (plugin / "entry_points.txt").write_text(
        "\n".join(f"[{group}]\n" + "\n".join(lines.values()) for group, lines in groups.items())
    )
    metadata(site, "torchvision", "0.28")
    (site / "torchvision").mkdir()
    (site / "torchvision" / "__init__.py").write_text(TORCHVISION)
    return [name for lines in groups.values() for name in lines]


def metadata(site: Path, name: str, version: str) -> Path:
    """The folder by which an installed distribution is found."""
    folder = site / f"{name}-{version}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return folder


def wanted(entry_point: str) -> bool:
    return entry_point.rpartition(":")[2] not in LEFT_OUT


def entry_points(setup: Path) -> dict[str, list[str]]:
    """The literal that setup.py hands over; the file is read, not run."""
    for node in ast.walk(ast.parse(setup.read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "entry_points":
            found: dict[str, list[str]] = ast.literal_eval(node.value)
            return found
    return {}


def ported(release: str, given: Path | None, folder: Path) -> Path:
    """The tree of a ported wheel: that of ``given``, a wheel or a tree, or of ``release``, ported.

    Raises CalledProcessError where porter does not make it.
    """
    if given is not None and given.is_dir():
        return given.resolve()
    if given is None:
        command = [sys.executable, "-m", "porter", "port", release, "-o", str(folder / "wheel")]
        subprocess.run([*command, "--level", "static"], check=True, stdout=subprocess.DEVNULL)
        [given] = (folder / "wheel").glob("*.whl")
    with ZipFile(given) as wheel:
        wheel.extractall(folder / "lmcache")
    return folder / "lmcache"


def make_llama(folder: Path) -> None:
    """A Llama, and a tokenizer for what the blender separates parts by."""
    from transformers import LlamaConfig, LlamaForCausalLM  # noqa: PLC0415

    config = LlamaConfig(**SIZES, num_key_value_heads=2, head_dim=64)
    save(LlamaForCausalLM, config, folder)
    make_tokenizer(folder)


def make_deepseek(folder: Path) -> None:
    """A DeepSeek, whose attention is latent (MLA), without experts."""
    from transformers import DeepseekV2Config, DeepseekV2ForCausalLM  # noqa: PLC0415

    config = DeepseekV2Config(
        **SIZES,
        num_key_value_heads=4,
        q_lora_rank=None,
        kv_lora_rank=64,
        qk_nope_head_dim=32,
        qk_rope_head_dim=32,
        v_head_dim=32,
        first_k_dense_replace=SIZES["num_hidden_layers"],
        n_routed_experts=4,
        num_experts_per_tok=2,
        n_group=1,
        topk_group=1,
    )
    save(DeepseekV2ForCausalLM, config, folder)


def save(model: Any, config: Any, folder: Path) -> None:
    """With random weights that tell prompts apart."""
    import torch  # noqa: PLC0415
    from transformers.utils.logging import disable_progress_bar  # noqa: PLC0415

    disable_progress_bar()
    torch.manual_seed(0)
    model(config).to(torch.bfloat16).save_pretrained(folder)


def make_tokenizer(folder: Path) -> None:
    """It knows the beginning of a prompt, which it writes itself, and what separates parts."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors  # noqa: PLC0415
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415

    words = Tokenizer(models.WordLevel({"<s>": BEGIN, "#": SEPARATOR}, unk_token="<s>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.post_processor = processors.TemplateProcessing("<s> $A", None, [("<s>", BEGIN)])
    PreTrainedTokenizerFast(tokenizer_object=words, bos_token="<s>").save_pretrained(folder)


def path_of(*folders: Path) -> str:
    """PYTHONPATH with ``folders`` first."""
    return os.pathsep.join([*map(str, folders), *filter(None, [os.environ.get("PYTHONPATH")])])
