"""The two boards that every course shows, then a live one of many players whose ranks survive a failover."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from contextlib import suppress

from redis_fleet.agent.replication.view import CONNECTION_ERRORS
from redis_fleet.drills.context import Client, Deployment, NoMasterError, Place
from redis_fleet.drills.drill import Drill
from redis_fleet.drills.expect import error, that
from redis_fleet.drills.master_moves import failed_over
from redis_fleet.drills.tables import Replicas, Row, show
from redis_fleet.drills.transcript import Notebook

_PLAYERS, _EVENTS, _ALONE = 100_000, 20_000, 500
_PAGE = 5000
_ASKED = 200
_BOARD = "players"
# Should this process be killed in the middle, nothing of it stays for long.
_TIME_TO_LIVE = 900
_CATCH_UP_MS = 5000
_NOT_A_NUMBER = error("ERR value is not an integer")

MUSIC = (
    Row("ZADD {ranking} 1 song1 1 song2 1 song3 1 song4", 4, "a song is a member, the number of plays is its score"),
    Row("ZADD {ranking} 1 song5 1 song6 1 song7 1 song8", 4),
    Row("ZINCRBY {ranking} 50 song3", "51", "a song was played: add to its score"),
    Row("ZINCRBY {ranking} 60 song4", "61"),
    Row("ZINCRBY {ranking} 70 song8", "71"),
    Row(
        "ZREVRANGE {ranking} 0 2 WITHSCORES",
        ["song8", "71", "song4", "61", "song3", "51"],
        "the top three, kept in order by the server: no query sorts anything",
    ),
    Row("ZREVRANK {ranking} song3", 2, "third place: places count from 0"),
)
PHONES = (
    Row("ZADD {mobile-001} 5000 huawei 4000 oppo 3000 iphone", 3, "sold until the end of day 1"),
    Row("ZADD {mobile-002} 5200 huawei 4300 oppo 3230 iphone", 3, "day 2"),
    Row("ZADD {mobile-003} 5500 huawei 4660 oppo 3580 iphone", 3, "day 3"),
    Row("ZRANGE {mobile-003} 0 -1 WITHSCORES", ["iphone", "3580", "oppo", "4660", "huawei", "5500"], "the least first"),
    Row("ZUNIONSTORE {mobile-001:003} {mobile-001} {mobile-002} {mobile-003} AGGREGATE MAX", _NOT_A_NUMBER,
        "the number of keys belongs in front of them"),
    Row("ZUNIONSTORE {mobile-001:003} 3 {mobile-001} {mobile-002} {mobile-003}", 3, "this adds the days up"),
    Row("ZREVRANGE {mobile-001:003} 0 2 WITHSCORES", ["huawei", "15700", "oppo", "12960", "iphone", "9810"],
        "totals of totals: right only where a day's number is that day's sales alone"),
    Row("ZUNIONSTORE {mobile-001:003} 3 {mobile-001} {mobile-002} {mobile-003} AGGREGATE MAX", 3,
        "the highest of each instead, as these numbers grow from day to day"),
    Row("ZREVRANGE {mobile-001:003} 0 2 WITHSCORES", ["huawei", "5500", "oppo", "4660", "iphone", "3580"]),
)  # fmt: skip


def run(place: Place, book: Notebook) -> None:
    """Show all three."""
    deployment = place.deployment()
    replicas = Replicas(deployment.master(), deployment.replicas())
    show(place, book, replicas, "The music chart", MUSIC)
    show(place, book, replicas, "Three days of sales", PHONES)
    key = place.key(_BOARD)
    try:
        board = _filled(replicas.master, book, key)
        _played(replicas.master, book, key, board)
        _compared(replicas.master, book, key, board)
        _on_replicas(replicas, book, key, board)
        _after_failover(deployment, book, key, board)
    finally:
        with suppress(NoMasterError, *CONNECTION_ERRORS):
            deployment.master().call("UNLINK", key)


class Board:
    """What the board must be, counted here: scores by player."""

    def __init__(self, scores: dict[str, int]) -> None:
        """Begin with these."""
        self._scores = scores

    def play(self, player: str, points: int) -> None:
        """Give points to a player."""
        self._scores[player] += points

    @property
    def ranked(self) -> list[tuple[str, str]]:
        """Return players with their scores from the best on; of equal ones the later in the alphabet comes first."""
        return [
            (player, str(score))
            for player, score in sorted(self._scores.items(), key=lambda item: (item[1], item[0]), reverse=True)
        ]


def places_of(pairs: Sequence[str]) -> list[tuple[str, str]]:
    """Turn the reply of ZREVRANGE … WITHSCORES into (member, score)."""
    return list(zip(pairs[::2], pairs[1::2], strict=True))


def _filled(master: Client, book: Notebook, key: str) -> Board:
    book.part(f"A live board of {_PLAYERS:,} players")
    dice = random.Random(key)  # noqa: S311 - a game
    scores = {f"player:{number:06}": dice.randrange(1, 1_000_000) for number in range(_PLAYERS)}
    commands: list[tuple[object, ...]] = [("ZADD", key, score, player) for player, score in scores.items()]
    began = time.monotonic()
    for command in commands[:_ALONE]:
        master.call(*command)
    alone = _ALONE / (time.monotonic() - began)
    master.call("EXPIRE", key, _TIME_TO_LIVE)
    began = time.monotonic()
    master.pipeline(commands[_ALONE:])
    together = (_PLAYERS - _ALONE) / (time.monotonic() - began)
    book.do(master, "ZCARD", key, expect=_PLAYERS, meaning="written in batches: many commands, then all their replies")
    book.measure("writes, each waited for", alone, "a second")
    book.measure("writes in a pipeline", together, "a second", "the network is waited for once a batch")
    book.measure("pipeline against one by one", together / alone, "times as many")
    return Board(scores)


def _played(master: Client, book: Notebook, key: str, board: Board) -> None:
    dice = random.Random(key + "again")  # noqa: S311
    events = [(f"player:{dice.randrange(_PLAYERS):06}", dice.randrange(1, 50_000)) for _ in range(_EVENTS)]
    replies = master.pipeline([("ZINCRBY", key, points, player) for player, points in events])
    for player, points in events:
        board.play(player, points)
    book.check(
        f"ZINCRBY {_BOARD} … for {_EVENTS:,} games, in batches",
        f"{len(replies):,} replies",
        ok=len(replies) == _EVENTS,
        expected=f"{_EVENTS:,} replies",
        meaning="each reply is the player's new score",
        where=master.name,
    )


def _compared(master: Client, book: Notebook, key: str, board: Board) -> None:
    ranked = board.ranked
    top = [text for pair in ranked[:3] for text in pair]
    book.do(master, "ZREVRANGE", key, 0, 2, "WITHSCORES", expect=top, meaning="as counted by the drill itself")
    player, _ = ranked[_PLAYERS // 2]
    book.do(master, "ZREVRANK", key, player, expect=_PLAYERS // 2, meaning="the place of one among all")
    took = []
    for place in range(0, _PLAYERS, _PLAYERS // _ASKED):
        began = time.monotonic()
        master.call("ZREVRANK", key, ranked[place][0])
        took.append(time.monotonic() - began)
    book.measure("place of one player (ZREVRANK)", sorted(took)[len(took) // 2] * 1000, "ms", "median; the network too")
    _same(master, book, key, board, "the server keeps the order with every write")


def _same(who: Client, book: Notebook, key: str, board: Board, meaning: str) -> None:
    """Read the whole board from a server and hold it against what it must be."""
    seen: list[tuple[str, str]] = []
    for start in range(0, _PLAYERS, _PAGE):
        seen += places_of(who.call("ZREVRANGE", key, start, start + _PAGE - 1, "WITHSCORES"))
    ranked = board.ranked
    differing = sum(1 for one, other in zip(seen, ranked, strict=False) if one != other) + abs(len(seen) - len(ranked))
    book.check(
        f"ZREVRANGE {_BOARD} 0 -1 WITHSCORES, read in pages",
        f"{len(seen):,} places, {differing:,} not as counted",
        ok=not differing,
        expected=f"{len(ranked):,} places, each as counted",
        meaning=meaning,
        where=who.name,
    )


def _on_replicas(replicas: Replicas, book: Notebook, key: str, board: Board) -> None:
    if not replicas.all:
        return
    count = len(replicas.all)
    book.do(
        replicas.master,
        *("WAIT", count, _CATCH_UP_MS),
        expect=that(f"{count} replicas", lambda reply: isinstance(reply, int) and reply >= count),
        meaning="that many replicas have every write so far: from here on a failover cannot lose any of them",
    )
    for replica in replicas.all:
        _same(replica, book, key, board, "whoever asks for ranks need not ask the master")


def _after_failover(deployment: Deployment, book: Notebook, key: str, board: Board) -> None:
    book.part("The same board after the master died")
    if failed_over(deployment, book) is None:
        return
    master = deployment.master()
    _same(master, book, key, board, "every rank and score is what it was before the failover")
    first = board.ranked[-1][0]
    book.do(master, "ZINCRBY", key, 10_000_000, first, meaning="the game goes on at the new master")
    book.do(master, "ZREVRANK", key, first, expect=0, meaning="from the last place to the first")


DRILL = Drill(
    "leaderboard",
    "Leaderboards with sorted sets",
    "ranks are right, on replicas too, and the same after a failover",
    run,
    "deployment",
    more="the master is killed once; the Sentinels replace it",
)
