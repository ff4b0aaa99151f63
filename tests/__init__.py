"""Everything that tests redis-fleet; see run.py for how the parts are run together."""
