"""Damage on demand: what goes wrong with a bank's deliveries, one catalogue of kinds, applied and undone by name."""
