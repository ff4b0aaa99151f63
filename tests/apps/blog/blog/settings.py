"""What the blog is told, all of it by its environment.

BLOG_DATABASE           mysql://user:password@host:port/name, or ?unix_socket=/path for one without a network
BLOG_SENTINELS          address:port, with commas between them
BLOG_MONITOR            the service's name in the Sentinels
BLOG_REDIS_PASSWORD     empty for none, as BLOG_SENTINEL_PASSWORD
BLOG_REDIS_USER         empty for the default user, as BLOG_SENTINEL_USER
BLOG_LOCK               the key of the lock
BLOG_REPLICAS           how many replicas must have a lock before it counts
BLOG_PATIENCE           seconds that a request waits for a lock, also through a failover, before it says that it failed
"""

import os
import secrets
from urllib.parse import parse_qs, unquote, urlsplit

_database = urlsplit(os.environ["BLOG_DATABASE"])
_socket = parse_qs(_database.query).get("unix_socket", [""])[0]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.mysql",
        "NAME": _database.path.lstrip("/"),
        "USER": unquote(_database.username or "root"),
        "PASSWORD": unquote(_database.password or ""),
        "HOST": _socket or _database.hostname or "127.0.0.1",
        "PORT": str(_database.port or ""),
        # Nobody listens in on a Unix socket; reading all certificates anew for each request costs 20 ms.
        "OPTIONS": {"charset": "utf8mb4", "ssl_disabled": bool(_socket)},
    }
}

BLOG_SENTINELS = [
    (address.strip("[]"), int(port))
    for address, _, port in (each.rpartition(":") for each in os.environ["BLOG_SENTINELS"].split(","))
]
BLOG_MONITOR = os.environ["BLOG_MONITOR"]
BLOG_REDIS_PASSWORD = os.environ.get("BLOG_REDIS_PASSWORD") or None
BLOG_REDIS_USER = os.environ.get("BLOG_REDIS_USER") or None
BLOG_SENTINEL_USER = os.environ.get("BLOG_SENTINEL_USER") or None
BLOG_SENTINEL_PASSWORD = os.environ.get("BLOG_SENTINEL_PASSWORD") or None
BLOG_LOCK = os.environ["BLOG_LOCK"]
BLOG_REPLICAS = int(os.environ.get("BLOG_REPLICAS", "1"))
BLOG_PATIENCE = float(os.environ.get("BLOG_PATIENCE", "60"))

SECRET_KEY = secrets.token_hex(32)
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["user"]
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "blog.urls"
USE_TZ = True
