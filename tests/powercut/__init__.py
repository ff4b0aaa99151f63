"""A power cut in an emulated machine: which acknowledged writes are on the disk afterwards, for each appendfsync."""
