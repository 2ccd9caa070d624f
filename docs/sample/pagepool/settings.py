"""Which device a rank works on."""

import os

import torch


def device_of(rank: int) -> torch.device:
    if torch.cuda.is_available():
        torch.cuda.set_device(rank)
        return torch.device(f"cuda:{rank}")
    return torch.device("cpu")


def visible_devices() -> list[str]:
    return os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")


def seed(value: int) -> None:
    torch.manual_seed(value)
    torch.cuda.manual_seed_all(value)
