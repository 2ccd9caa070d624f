"""The validation ladder: what is proven about a port, and what is not.

Nothing in here shares code with the scanner, the codemods or the rulebook, so
that a mistake of theirs cannot hide itself.
"""
