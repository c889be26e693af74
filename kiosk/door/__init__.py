"""The door: frame -> reader -> presence -> ledger -> panel -> bus."""
