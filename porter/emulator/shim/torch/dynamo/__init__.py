"""``torch.compile`` for HPU."""
