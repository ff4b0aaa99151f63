"""Locks of the deployment that the Sentinels name."""

from functools import cache

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.lock import Lock
from redis.retry import Retry
from redis.sentinel import Sentinel

# Longer than the work under it and than a failover: whoever holds it when the master dies still does afterwards.
LEASE = 20.0
WAIT_FOR = 3.0
_CONFIRM_MS = 1000


class ConfirmedLock(Lock):
    """A lock that counts only when enough replicas have it, so that a failover does not forget it."""

    def do_acquire(self, token: bytes) -> bool:
        """Take it and ask on the same connection who else has it; one that nobody else has is given back."""
        pipe = self.redis.pipeline(transaction=False)
        pipe.set(self.name, token, nx=True, px=int(self.timeout * 1000))
        pipe.execute_command("WAIT", settings.BLOG_REPLICAS, _CONFIRM_MS)
        taken, confirmed = pipe.execute()
        if taken and confirmed < settings.BLOG_REPLICAS:
            self.do_release(token)
            return False
        return bool(taken)


def lock(name: str) -> Lock:
    """Return a lock that somebody may wait for, for WAIT_FOR seconds."""
    return _master().lock(name, timeout=LEASE, blocking_timeout=WAIT_FOR, lock_class=ConfirmedLock)


@cache
def _master() -> Redis:
    """Return the client that all requests of this server share; it asks the Sentinels whenever it connects.

    It tries nothing twice: redis-py's own second try connects to the same address again, where an old master may have
    come back that does not know yet that it was replaced.
    """
    patience = {"socket_timeout": 3.0, "socket_connect_timeout": 3.0, "retry": Retry(NoBackoff(), 0)}
    own = {"password": settings.BLOG_SENTINEL_PASSWORD, **patience}
    sentinel = Sentinel(settings.BLOG_SENTINELS, sentinel_kwargs=own, **patience)
    return sentinel.master_for(
        settings.BLOG_MONITOR, username=settings.BLOG_REDIS_USER, password=settings.BLOG_REDIS_PASSWORD
    )
