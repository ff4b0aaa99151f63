"""Runs: the lock of a deployment, the log of who did what, and masters that were made by hand."""
