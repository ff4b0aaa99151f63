"""Drills: each passes, leaves nothing behind, and says so when what it shows is broken on purpose."""
