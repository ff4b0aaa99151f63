"""Scenarios on test hosts, and what they have in common; the sequence is in .config/molecule/config.yml."""
