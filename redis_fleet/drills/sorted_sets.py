"""The commands of sorted sets with their documented replies, and the slips that one meets in notes about them."""

from __future__ import annotations

from redis_fleet.drills.expect import error
from redis_fleet.drills.tables import Row

_SYNTAX = error("ERR syntax error")

SORTED_SETS = (
    Row("ZADD {scores} 60 zhang 70 wang 80 li 90 zhao", 4, "each member has a score, and the set is kept in its order"),
    Row("ZADD {scores} NX 1 zhang", 0, "NX: only new members; zhang keeps 60"),
    Row("ZADD {scores} XX CH 75 wang", 1, "XX: only known members; CH: count what changed"),
    Row("ZADD {scores} INCR 5 zhang", "65", "INCR: add to the score, as ZINCRBY"),
    Row("ZRANGE {scores} 0 -1", ["zhang", "wang", "li", "zhao"], "from the lowest score"),
    Row("ZRANGE {scores} 0 1 WITHSCORES", ["zhang", "65", "wang", "75"]),
    Row("ZREVRANGE {scores} 0 2", ["zhao", "li", "wang"], "the three best"),
    Row("ZREVRANGE {scores} 0 0 WITHSCORES", ["zhao", "90"]),
    Row("ZRANGEBYSCORE {scores} 70 90", ["wang", "li", "zhao"], "both ends belong to it"),
    Row("ZRANGEBYSCORE {scores} 70 90 WITHSCORES", ["wang", "75", "li", "80", "zhao", "90"]),
    Row("ZRANGEBYSCORE {scores} (75 +inf", ["li", "zhao"], "( leaves the end out; -inf and +inf are no end at all"),
    Row("ZRANGEBYSCORE {scores} 0 100 LIMIT 1 2", ["wang", "li"], "skip 1, then 2: a page"),
    Row("ZRANGEBYSCORE {scores} 0 100 WITHSCORES LIMIT 1 1", ["wang", "75"]),
    Row("ZRANGEBYSCORE {scores} 0 100 1 2", _SYNTAX, "offset and count need the word LIMIT in front"),
    Row("ZREVRANGEBYSCORE {scores} 90 70", ["zhao", "li", "wang"], "from above: the higher end comes first"),
    Row("ZSCORE {scores} li", "80"),
    Row("ZSCORE {scores} nobody", None),
    Row("ZCOUNT {scores} 70 80", 2),
    Row("ZCARD {scores}", 4),
    Row("ZRANK {scores} zhang", 0, "places count from 0, here from the lowest score"),
    Row("ZREVRANK {scores} zhang", 3, "and here from the highest: zhang is fourth"),
    Row("ZRANK {scores} nobody", None),
    Row("ZINCRBY {scores} 30 zhang", "95"),
    Row("ZREVRANK {scores} zhang", 0, "and zhang leads"),
    Row("ZREM {scores} li nobody", 1),
    Row("ZREMRANGEBYSCORE {scores} 70 80", 1, "wang"),
    Row("ZRANGE {scores} 0 -1 WITHSCORES", ["zhao", "90", "zhang", "95"]),
)

COMBINED = (
    Row("ZADD {math} 60 zhang 70 wang", 2),
    Row("ZADD {art} 90 wang 50 li", 2),
    Row("ZUNIONSTORE {all} 2 {math} {art}", 3, "who is in any of the 2; scores are added"),
    Row("ZRANGE {all} 0 -1 WITHSCORES", ["li", "50", "zhang", "60", "wang", "160"]),
    Row("ZUNIONSTORE {all} 2 {math} {art} AGGREGATE MIN", 3, "the lower score instead"),
    Row("ZSCORE {all} wang", "70"),
    Row("ZUNIONSTORE {all} 2 {math} {art} AGGREGATE MAX", 3, "the higher"),
    Row("ZSCORE {all} wang", "90"),
    Row("ZUNIONSTORE {all} 2 {math} {art} WEIGHTS 2 0.5", 3, "scores are weighted, one weight a key"),
    Row("ZRANGE {all} 0 -1 WITHSCORES", ["li", "25", "zhang", "120", "wang", "185"]),
    Row("ZUNIONSTORE {all} 2 {math} {art} WEIGHTS 2 0.5 AGGREGATE MAX", 3, "first weighted, then compared"),
    Row("ZSCORE {all} wang", "140", "the higher of 70·2 and 90·0.5"),
    Row("ZINTERSTORE {both} 2 {math} {art}", 1, "only who is in both"),
    Row("ZRANGE {both} 0 -1 WITHSCORES", ["wang", "160"]),
    Row("ZINTERSTORE {both} 2 {math} {art} WEIGHTS 1 2 AGGREGATE SUM", 1),
    Row("ZSCORE {both} wang", "250"),
    Row("ZINTERSTORE {both} 2 {math} {art} WEIGHTS 1 2 AGGREGATE MIN", 1),
    Row("ZSCORE {both} wang", "70"),
    Row("ZINTERSTORE {both} 2 {math} {art} WEIGHTS 1 2 AGGREGATE MAX", 1),
    Row("ZSCORE {both} wang", "180"),
    Row("ZINTERSTORE {both} 2 {math} {art} WEIGHTS 2", _SYNTAX, "one weight for two keys: each key needs its own"),
    Row(
        "ZUNIONSTORE {all} {math} {art} AGGREGATE MAX",
        error("ERR value is not an integer"),
        "the number of keys is missing in front of them; nothing was changed",
    ),
    Row("ZSCORE {all} wang", "140"),
)
