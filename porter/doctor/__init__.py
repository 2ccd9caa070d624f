"""What is wrong with an environment for vLLM and LMCache on Gaudi: looked at, never changed.

Offline, and without a card: installed distributions and variables. Each check is a function
under ``@check`` in a module of this package; nothing else has to be registered.
"""
