"""Connectors between LMCache's engine and the KV cache of vLLM on Gaudi."""
