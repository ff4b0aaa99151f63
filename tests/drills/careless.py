"""A lock that somebody got wrong."""

from __future__ import annotations

from redis.lock import Lock


class Careless(Lock):
    """Forgets NX: whoever asks gets it."""

    def do_acquire(self, token: str) -> bool:
        """Take it from whoever has it."""
        return bool(self.redis.set(self.name, token, px=int((self.timeout or 0) * 1000)))
