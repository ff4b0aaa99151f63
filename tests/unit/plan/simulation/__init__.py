"""A deployment that exists only in memory: servers, Sentinels, machines and clients, as far as a plan can touch them.

``spec`` writes descriptions, ``servers`` and ``watchers`` are the processes, ``world`` lets time pass between them and
writes keys, ``looking`` makes ``Observed`` of it, ``doing`` carries a plan out as redis_fleet.agent does, and
``rules`` is what no plan may do.
"""
