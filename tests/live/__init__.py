"""Tests against real servers and Sentinels on this machine."""
