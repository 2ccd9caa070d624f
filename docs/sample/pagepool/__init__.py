"""Keeps pages of a cache in host memory and brings them back: a sample to review."""
