"""porter turns CUDA-only PyTorch code into code for Intel Gaudi (hpu)."""

__version__ = "0.1.0"
