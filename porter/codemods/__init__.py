"""Decide what becomes of every construct, and edit only its span."""
