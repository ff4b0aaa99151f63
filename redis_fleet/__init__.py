"""redis-fleet: one YAML file in, a Redis that is deployed, verified and fails over out."""

__version__ = "0.1.0"
