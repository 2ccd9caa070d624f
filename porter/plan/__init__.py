"""How much memory a model takes on Gaudi cards, how long a context fits, and how to start vLLM.

Pure arithmetic over a model's config.json: no torch, no vLLM. ``scripts/check_plan`` holds it
against vLLM's own classes.
"""
