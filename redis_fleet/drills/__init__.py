"""Drills: see a technique work, on a sandbox, on servers of its own or on a deployment, and read what it means."""
