"""One file a family of constructs; each registers its codemods with ``decides``."""
