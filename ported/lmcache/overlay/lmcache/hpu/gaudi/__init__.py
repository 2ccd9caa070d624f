"""Where vLLM's Gaudi plugin and LMCache would do each other harm: one file a matter.

The plugin's modules are looked up among those that are loaded: the worker that makes a
connector runs in them, and elsewhere there is nothing to do.
"""
