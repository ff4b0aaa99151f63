"""Add one to a score: as one writes it first, and with a lock around it."""

import time
from contextlib import suppress

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from redis.exceptions import RedisError
from user.models import UserProfile

from blog import locking

NAME = "guoxiaonao"
PAUSE = 0.1


def add_one() -> None:
    """Read, add, write back: what another request writes in between is lost."""
    u = UserProfile.objects.get(username=NAME)
    u.score += 1
    u.save()


def test(_request: HttpRequest) -> JsonResponse:
    """Add one with nothing around it."""
    add_one()
    return JsonResponse({"said": "HI HI HI"})


def locked(_request: HttpRequest) -> JsonResponse:
    """Add one while nobody else does; tries again while there is no master to ask for the lock."""
    tries, ends = 0, time.monotonic() + settings.BLOG_PATIENCE
    while time.monotonic() < ends:
        tries += 1
        lock = locking.lock(settings.BLOG_LOCK)
        try:
            if not lock.acquire():
                continue
        except RedisError:
            time.sleep(PAUSE)
            continue
        try:
            add_one()
        finally:
            # Once it is written nothing is tried again, or it would be added twice: a lock that cannot be given back
            # because the master has just died expires.
            with suppress(RedisError):
                lock.release()
        return JsonResponse({"said": "HI HI HI", "tries": tries})
    return JsonResponse({"said": "lock is failed", "tries": tries}, status=503)


def score(_request: HttpRequest) -> JsonResponse:
    """Return the score."""
    return JsonResponse({"score": UserProfile.objects.get(username=NAME).score})
