"""Strings, bitmaps, hashes, lists, sets and sorted sets: every command with its options and its documented reply."""

from __future__ import annotations

from redis_fleet.drills.context import Place
from redis_fleet.drills.drill import Drill
from redis_fleet.drills.expect import error, fields, members, one_of, that
from redis_fleet.drills.sorted_sets import COMBINED, SORTED_SETS
from redis_fleet.drills.tables import Replicas, Row, show
from redis_fleet.drills.transcript import Notebook

_NOT_A_NUMBER = error("ERR value is not an integer")
_TRIO = ("caocao", "liubei", "sunquan")

STRINGS = (
    Row("SET {fans} 100", "OK", "a string, and here a number: the usual counter of fans or posts"),
    Row("INCR {fans}", 101, "one more; no two clients can ever count the same one"),
    Row("INCRBY {fans} 10", 111),
    Row("DECR {fans}", 110),
    Row("DECRBY {fans} 10", 100),
    Row("INCRBYFLOAT {fans} 0.5", "100.5"),
    Row("INCR {fans}", _NOT_A_NUMBER, "what is no whole number cannot be counted with INCR any more"),
    Row("SET {message} 'hello world'", "OK"),
    Row("SET {message} 'hello tarena'", "OK", "SET replaces whatever was there"),
    Row("GET {message}", "hello tarena"),
    Row("STRLEN {message}", 12),
    Row("APPEND {message} !", 13, "the new length"),
    Row("GETRANGE {message} 6 -1", "tarena!"),
    Row("SETRANGE {message} 0 H", 13),
    Row("MSET {a} 1 {b} 2", "OK", "several at once, all or none seen by others"),
    Row("MGET {a} {b} {nobody}", ["1", "2", None], "one answer each; (nil) for a key that is not there"),
    Row("SET {key} value NX EX 3", "OK", "only if it is not there, and only for 3 seconds: the lock of the lock drill"),
    Row("SET {key} other NX EX 3", None, "(nil): somebody else has it"),
    Row("TTL {key}", that("1 to 3 seconds", lambda reply: reply in (1, 2, 3))),
    Row("SET {key} again XX PX 60000", "OK", "only if it is there; the time in milliseconds"),
    Row("SET {key} kept KEEPTTL", "OK", "without KEEPTTL a SET takes the time to live away"),
    Row("PTTL {key}", that("1 to 60000 milliseconds", lambda reply: 0 < reply <= 60000)),
    Row("EXISTS {message} {key} {nobody}", 2),
    Row("TYPE {message}", "string"),
    Row("DEL {fans}", 1, "1 key was removed"),
    Row("GET {fans}", None),
)

BITMAPS = (
    Row("SETBIT {online:7} 0 1", 0, "user 7 was here on day 0; the reply is what the bit was before"),
    Row("SETBIT {online:7} 29 1", 0),
    Row("SETBIT {online:7} 29 1", 1, "the same day again is not counted twice"),
    Row("GETBIT {online:7} 29", 1),
    Row("GETBIT {online:7} 5", 0),
    Row("BITCOUNT {online:7}", 2, "2 days of the month"),
    Row("BITCOUNT {online:7} 0 0", 1, "of the first byte only: a range counts bytes, which are 8 days each"),
    Row("BITPOS {online:7} 0", 1, "the first day that the user was not here"),
    Row("STRLEN {online:7}", 4, "a month of one user takes 4 bytes"),
    Row("SETBIT {online:7} 30 2", error("ERR bit is not an integer"), "a bit is 0 or 1"),
)

HASHES = (
    Row("HSET {user:1} username guods", 1, "an object under one key: each field can be changed alone"),
    Row("HSET {user:1} username guods age 30", 1, "several fields; the reply counts those that are new"),
    Row("HSETNX {user:1} username somebody", 0, "0: the field is there and stays as it is"),
    Row("HMSET {user:1} city beijing posts 9", "OK", "old; deprecated since Redis 4.0, HSET does the same"),
    Row("HGET {user:1} username", "guods"),
    Row("HGET {user:1} nothing", None),
    Row("HMGET {user:1} username age nothing", ["guods", "30", None], "in the order that was asked for"),
    Row("HGETALL {user:1}", fields({"username": "guods", "age": "30", "city": "beijing", "posts": "9"})),
    Row("HKEYS {user:1}", members(["username", "age", "city", "posts"])),
    Row("HVALS {user:1}", members(["guods", "30", "beijing", "9"])),
    Row("HLEN {user:1}", 4),
    Row("HEXISTS {user:1} age", 1),
    Row("HEXISTS {user:1} nothing", 0),
    Row("HINCRBY {user:1} posts 1", 10, "counts within the object"),
    Row("HINCRBY {user:1} posts -3", 7),
    Row("HINCRBYFLOAT {user:1} posts 0.5", "7.5"),
    Row("HINCRBY {user:1} city 1", error("ERR hash value is not an integer")),
    Row("HDEL {user:1} age nothing", 1, "1 of the two was there"),
    Row("HLEN {user:1}", 3),
    Row("SET {user:1} gone", "OK", "SET asks nobody: the whole object is gone"),
    Row("HGET {user:1} username", error("WRONGTYPE"), "and it is no hash any more"),
)

LISTS = (
    Row("RPUSH {queue} 1 2 3", 3, "in order, and the same value may come twice: a queue"),
    Row("RPUSH {queue} 5", 4),
    Row("LPUSH {queue} 0", 5, "at the front"),
    Row("LRANGE {queue} 0 -1", ["0", "1", "2", "3", "5"], "from the first to the last (-1)"),
    Row("LRANGE {queue} 0 1", ["0", "1"]),
    Row("LINDEX {queue} -1", "5"),
    Row("LLEN {queue}", 5),
    Row("LPOP {queue}", "0", "RPUSH and LPOP: first in, first out"),
    Row("RPOP {queue}", "5"),
    Row("LINSERT {queue} BEFORE 3 2", 4),
    Row("LREM {queue} 1 2", 1, "removes one of the two 2"),
    Row("LSET {queue} 0 first", "OK"),
    Row("LTRIM {queue} 0 1", "OK", "keeps the first two: 'the latest N' of something"),
    Row("LRANGE {queue} 0 -1", ["first", "2"]),
    Row("RPOPLPUSH {queue} {working}", "2", "moves one to a second list: work that is not lost when a worker dies"),
    Row("BLPOP {queue} 1", ["{queue}", "first"], "waits for work, here at most 1 second; there is some"),
    Row("LLEN {queue}", 0, "an empty list is no key any more"),
)

SETS = (
    Row("SADD {follows:zhang} liubei sunquan caocao", 3, "whom zhang follows: nobody twice, no order"),
    Row("SADD {follows:zhang} liubei", 0, "already in"),
    Row("SADD {follows:wang} caocao lvbu", 2),
    Row("SMEMBERS {follows:zhang}", members(_TRIO)),
    Row("SCARD {follows:zhang}", 3),
    Row("SISMEMBER {follows:zhang} caocao", 1),
    Row("SISMEMBER {follows:zhang} lvbu", 0),
    Row("SRANDMEMBER {follows:zhang}", one_of(_TRIO), "any one of them, which stays in"),
    Row("SRANDMEMBER {follows:zhang} 2", that("two different ones", lambda reply: len(set(reply)) == 2)),
    Row("SRANDMEMBER {follows:zhang} -5", that("five, some of them twice", lambda reply: len(reply) == 5)),
    Row("SRANDOMMEMBER {follows:zhang}", error("ERR unknown command"), "a slip that one meets: it is SRANDMEMBER"),
    Row("SINTER {follows:zhang} {follows:wang}", ["caocao"], "whom both follow"),
    Row("SUNION {follows:zhang} {follows:wang}", members([*_TRIO, "lvbu"]), "whom any of them follows"),
    Row("SDIFF {follows:zhang} {follows:wang}", members(["liubei", "sunquan"]), "whom to suggest to wang"),
    Row("SDIFF {follows:wang} {follows:zhang}", ["lvbu"], "the order matters"),
    Row("SINTERSTORE {both} {follows:zhang} {follows:wang}", 1, "the same, kept under a key"),
    Row("SUNIONSTORE {any} {follows:zhang} {follows:wang}", 4),
    Row("SDIFFSTORE {only} {follows:zhang} {follows:wang}", 2),
    Row("SMEMBERS {both}", ["caocao"]),
    Row("SMEMBERS {any}", members([*_TRIO, "lvbu"])),
    Row("SMEMBERS {only}", members(["liubei", "sunquan"])),
    Row("SREM {follows:zhang} liubei caocao nobody", 2),
    Row("SMEMBERS {follows:zhang}", ["sunquan"]),
)

PARTS = (
    ("Strings", STRINGS),
    ("Bitmaps", BITMAPS),
    ("Hashes", HASHES),
    ("Lists", LISTS),
    ("Sets", SETS),
    ("Sorted sets", SORTED_SETS),
    ("Sorted sets combined", COMBINED),
)


def run(place: Place, book: Notebook) -> None:
    """Run every table on the master, and what reads on the replicas."""
    deployment = place.deployment()
    replicas = Replicas(deployment.master(), deployment.replicas())
    for title, rows in PARTS:
        show(place, book, replicas, title, rows)
    book.part("Where the replies came from")
    count = sum(row.reads for _, rows in PARTS for row in rows)
    names = ", ".join(each.name for each in replicas.all)
    book.check(
        "replicas that answered the reading commands",
        names or "none: this service has a master only",
        ok=True,
        meaning=f"{count} reading commands of {sum(len(rows) for _, rows in PARTS)} were asked of each as well",
        where=replicas.master.name,
    )


DRILL = Drill(
    "types",
    "The data types and their commands",
    "every command answers as documented, and what reads also on a replica",
    run,
    "deployment",
)
