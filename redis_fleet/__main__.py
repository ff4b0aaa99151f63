"""python -m redis_fleet."""

from redis_fleet.cli.main import main

main()
