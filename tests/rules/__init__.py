"""Tests of decisions, without any server."""
