"""Scripts, settings and requirements: what is seen in them, and what is nobody's business."""

from __future__ import annotations

from pathlib import Path

import pytest

from porter.codemods.config import is_setup_script
from porter.codemods.engine import analyse, analyse_text
from porter.findings import Result, Status
from porter.rulebook import default_rulebook
from porter.scan.config import is_config
from porter.sources.tree import Kind, SourceTree

BOOK = default_rulebook()
PYPROJECT = """\
[build-system]
requires = ["hatchling", "nvidia-cuda-nvcc-cu12"]
[project]
name = "acme-triton"
keywords = ["triton", "cupy"]
dependencies = ["torch==2.6.0+cu124", 'xformers>=0.0.29; sys_platform == "linux"', "numpy"]
[project.optional-dependencies]
fast = ["flash-attn", "numpy"]
[dependency-groups]
dev = [{ include-group = "fast" }, "PyNVML"]
[tool.poetry.dependencies]
cupy-cuda12x = "^13"
[tool.pytest.ini_options]
env = ["NCCL_DEBUG=INFO"]
"""
SETUP_CFG = """\
[metadata]
name = triton
[options]
install_requires =
    bitsandbytes>=0.44
    numpy
[options.extras_require]
gpu =
    cupy_cuda12x
"""
SETUP_PY = """\
from setuptools import setup
extra = {
    "gpu": ["cupy-cuda12x>=13"],
    "triton": ["numpy"],
}
setup(
    name='pynvml', install_requires=['torch'] + ['triton'], extras_require=extra,
)
"""
METADATA = """\
Metadata-Version: 2.4
Name: acme
Requires-Dist: triton>=3; extra == "fast"
Requires-Dist: numpy

Requires-Dist: pynvml
Set CUDA_VISIBLE_DEVICES first.
"""


def found(path: str, text: str) -> list[tuple[int, str, str]]:
    result = analyse_text(path, text, BOOK)
    assert result.unaccounted == 0 and result.edits == ()
    assert all(finding.status is Status.REPORTED for finding in result.findings)
    assert all(finding.message and finding.after is None for finding in result.findings)
    return [(finding.line, finding.before, finding.rule) for finding in result.findings]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (
            "run.sh",
            "#!/bin/sh\r\nexport CUDA_VISIBLE_DEVICES=0\r\nif nvidia-smi -L; then\r\n",
            [(2, "CUDA_VISIBLE_DEVICES", "HPU881"), (3, "nvidia-smi", "HPU841")],
        ),
        ("a.sh", 'echo "# $NCCL_DEBUG" # NCCL_ALGO\n', [(1, "NCCL_DEBUG", "HPU880")]),
        (
            "conf/job.yaml",
            "env:\n  NCCL_SOCKET_IFNAME: eth0\nargs: [--gpus, all]\n",
            [(2, "NCCL_SOCKET_IFNAME", "HPU882"), (3, "--gpus", "HPU884")],
        ),
        ("pod.yml", "  nvidia.com/gpu: 1\n", [(1, "nvidia.com/gpu", "HPU884")]),
        ("x.toml", 'env = { CUDA_HOME = "/opt" }\n', [(1, "CUDA_HOME", "HPU880")]),
        ("tox.ini", "; NCCL_A=1\nsetenv =\n  NCCL_DEBUG=INFO\n", [(3, "NCCL_DEBUG", "HPU880")]),
        (".env", "PYTORCH_CUDA_ALLOC_CONF=x\n", [(1, "PYTORCH_CUDA_ALLOC_CONF", "HPU880")]),
        ("docker/Dockerfile.gpu", "FROM nvidia/cuda:12\n", [(1, "nvidia/cuda:", "HPU884")]),
        (
            "requirements-dev.txt",
            "-r base.txt\nFlash_Attn==2.7 # fast\ncupy-cuda12x>=13 \\\n    --hash=sha256:00\n"
            "nvidia-ml-py\nnvidia-cublas-cu12\n# triton\n",
            [
                (2, "Flash_Attn==2.7", "HPU810"),
                (3, "cupy-cuda12x>=13 \\", "HPU800"),
                (5, "nvidia-ml-py", "HPU801"),
                (6, "nvidia-cublas-cu12", "HPU831"),
            ],
        ),
        (
            "requirements/gpu.txt",
            "--extra-index-url https://download.pytorch.org/whl/cu124\n",
            [(1, "--extra-index-url https://download.pytorch.org/whl/cu124", "HPU885")],
        ),
        (
            "pyproject.toml",
            PYPROJECT,
            [
                (2, "nvidia-cuda-nvcc-cu12", "HPU831"),
                (6, "torch==2.6.0+cu124", "HPU885"),
                (6, 'xformers>=0.0.29; sys_platform == "linux"', "HPU814"),
                (8, "flash-attn", "HPU810"),
                (10, "PyNVML", "HPU801"),
                (12, "cupy-cuda12x", "HPU800"),
                (14, "NCCL_DEBUG", "HPU880"),
            ],
        ),
        (
            "setup.cfg",
            SETUP_CFG,
            [(5, "bitsandbytes>=0.44", "HPU820"), (9, "cupy_cuda12x", "HPU800")],
        ),
        ("a-1.dist-info/METADATA", METADATA, [(3, 'triton>=3; extra == "fast"', "HPU802")]),
        ("setup.py", SETUP_PY, [(3, '"cupy-cuda12x>=13"', "HPU800"), (7, "'triton'", "HPU802")]),
        (
            "Makefile",
            "CUDA_HOME ?= /usr/local/cuda\nNVCC := $(CUDA_HOME)/bin/nvcc  # nvcc\n"
            "run:\n\tCUDA_VISIBLE_DEVICES=0 ./a\n",
            [
                (1, "CUDA_HOME", "HPU880"),
                (2, "CUDA_HOME", "HPU880"),
                (2, "nvcc", "HPU570"),
                (4, "CUDA_VISIBLE_DEVICES", "HPU881"),
            ],
        ),
        ("rules/cuda.mk", "%.o: %.cu\n\tnvcc -c $<\n", [(2, "nvcc", "HPU570")]),
        (
            "CMakeLists.txt",
            "project(ops\n  LANGUAGES CXX CUDA)\nfind_package(CUDAToolkit REQUIRED)\n"
            "enable_language( CUDA )\nset(HOME $ENV{CUDA_HOME})\n",
            [
                (1, "project(ops\n  LANGUAGES CXX CUDA", "HPU570"),
                (3, "find_package(CUDAToolkit", "HPU570"),
                (4, "enable_language( CUDA", "HPU570"),
                (5, "ENV{CUDA_HOME", "HPU570"),
            ],
        ),
        ("csrc/copy.cu", "// CUDA_HOME\n", [(1, "", "HPU570")]),
        (
            ".vscode/launch.json",
            '{ // CUDA_HOME\n  "env": {"CUDA_VISIBLE_DEVICES": "0"},\n'
            '  "args": ["NCCL_DEBUG=INFO", "--gpus", "all"],\n  "command": "nvidia-smi -L"\n}\n',
            [
                (2, "CUDA_VISIBLE_DEVICES", "HPU881"),
                (3, "NCCL_DEBUG", "HPU880"),
                (3, "--gpus", "HPU884"),
                (4, "nvidia-smi", "HPU841"),
            ],
        ),
    ],
)
def test_what_is_seen(path: str, text: str, expected: list[tuple[int, str, str]]) -> None:
    assert is_config(path) or is_setup_script(path)
    assert found(path, text) == expected


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("run.sh", "# CUDA_VISIBLE_DEVICES=0\npython -m acme --device cpu\n"),
        ("run.sh", "MY_CUDA_HOME=x\nnvidia-smi-like\n--gpus-per-node=1\n"),
        ("job.yaml", "name: triton\nvalue: cupy\n"),
        ("requirements.txt", "torch>=2\nnumpy\ntritonclient\ncupid\n-e .\n./local\n"),
        ("pyproject.toml", "[project\ndependencies = ['triton']\n"),
        ("pyproject.toml", '[project]\ndependencies = "triton"\n[dependency-groups]\nx = 1\n'),
        ("setup.cfg", "no section\ninstall_requires = triton\n"),
        ("METADATA", "Name: acme\n\nRequires-Dist: triton\n"),
        ("requirements.txt", "\0\ufffd triton\n"),
        ("a.yaml", ""),
        ("setup.py", "from setuptools import setup\nsetup(install_requires=read('r.txt'))\n"),
        ("setup.py", "requires = ['triton']\n"),
        ("Makefile", "all: nvcc-like\n\techo xnvcc my_CUDA_HOME\n# nvcc\n"),
        ("CMakeLists.txt", "set(CUDA_ARCHITECTURES 80)\nproject(cuda_ops C)\n# nvcc\n"),
        ("vocab.json", '{"nvcc": 1, "nvidia-smi": 2, "text": "Set CUDA_HOME before."}\n'),
        ("vocab.json", '{"CUDA_HOME": 1' + " " * 1_000_000 + "}\n"),
    ],
)
def test_what_is_nobodys_business(path: str, text: str) -> None:
    assert found(path, text) == []


@pytest.mark.parametrize(
    "path", ["a.py", "setup.py", "README.md", "notes.txt", "metadata.txt", "a.cpp", "a.cuh"]
)
def test_other_files_are_not_read(path: str) -> None:
    assert not is_config(path)


def run(root: Path, only: str | None = None) -> Result:
    return analyse(SourceTree(root, Kind.FOLDER, str(root), only=only), BOOK)


def test_a_tree_has_them_all(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("x = 1\n")
    (tmp_path / "run.sh").write_bytes(b"\xff\xfe NCCL_DEBUG=1\n")
    (tmp_path / "README.md").write_text("NCCL_DEBUG=1\n")
    result = run(tmp_path)
    assert [(finding.path, finding.rule) for finding in result.findings()] == [("run.sh", "HPU880")]
    assert result.summary().unaccounted == 0


def test_a_script_that_is_named_is_read_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_text("if true; then export NCCL_DEBUG=1; fi\n")
    assert [finding.rule for finding in run(tmp_path, "run.sh").findings()] == ["HPU880"]


def test_a_set_up_script_is_read_for_its_requirements_alone(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text(
        "from setuptools import setup\nsetup(install_requires='apex')\n"
    )
    assert [finding.rule for finding in run(tmp_path).findings()] == ["HPU824"]


def test_a_package_without_cuda_is_silent(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("import torch\nx = torch.zeros(1)\n")
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["torch", "numpy"]\n')
    (tmp_path / "run.sh").write_text("exec python -m acme\n")
    assert run(tmp_path).files == ()
