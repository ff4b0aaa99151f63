"""A machine: files, packages, units, disks, listeners."""
