"""Test hosts: containers that behave like small VMs, reached over SSH."""
