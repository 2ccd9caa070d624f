"""The shapes of shared heads, under the name by which code for 8 bit floats imports them."""

from .FusedSDPA import gqa_input_reshape_fwd, gqa_output_reshape, is_gqa

__all__ = ["gqa_input_reshape_fwd", "gqa_output_reshape", "is_gqa"]
