"""``torch.ops.hpu``: those of the bridge's own ops whose meaning its source tells, as formulas.

Names and arguments are those of release 1.19. ``g_idx`` of ``convert_from_uint4`` is younger; that
it picks the group of each row is read off vLLM's Gaudi plugin, which passes it. Left out, of what
the plugin calls: ``block_softmax``, ``block_softmax_adjustment`` and ``softmax_fa2``, which 1.19
does not have, ``fp8_sdpa_recomp_fwd``, whose scales are not known well enough, and the younger
forms of ``mixture_of_experts``: with biases, with scales, with weights of four bits.
"""

from . import attention, experts, fp8, int4
