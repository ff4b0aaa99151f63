"""The blog of the notes: thirty requests at once that each add one, with no lock, and with one of this deployment."""

from __future__ import annotations

import threading
from types import TracebackType

from redis_fleet.drills.application_access import entrance_of, remove
from redis_fleet.drills.blog_site import REQUESTS, Round, Site, need_packages, site
from redis_fleet.drills.context import Deployment, Place
from redis_fleet.drills.drill import Drill
from redis_fleet.drills.master_moves import failed_over
from redis_fleet.drills.report import Chart, Series
from redis_fleet.drills.transcript import Notebook

OPEN, LOCKED = "/test", "/test/locked"
_WITHOUT, _PATIENT, _WITH = 2, 6, 10
_LOOK = "SELECT score FROM user_profile"


def run(place: Place, book: Notebook) -> None:
    """Show all of it, with a database and application servers of the drill's own."""
    need_packages()
    deployment = place.deployment()
    entrance = entrance_of(deployment.target)
    replicas = min(1, len(deployment.replicas()))
    key = place.key("score")
    with site(entrance, key, replicas, f"redis_fleet_drill_{place.token}") as blog:
        free = _without(blog, book)
        held = _with(blog, book)
        _chart(book, free, held)
        _failing_over(blog, deployment, book)
    # Its owner gives a lock back, unless the master died just then.
    remove(deployment, key)


def _without(blog: Site, book: Notebook) -> list[Round]:
    book.part("Without a lock: u.score += 1; u.save()")
    done: list[Round] = []
    # Whether two requests meet is up to the machine: in two rounds of thirty it would be odd if none did.
    while len(done) < _WITHOUT or (len(done) < _PATIENT and not _lost(done)):
        each = blog.round(OPEN)
        done.append(each)
        _note(blog, book, OPEN, each, ok=each.score <= REQUESTS, expected=f"less than {REQUESTS}, as a rule")
    sent, lost = REQUESTS * len(done), _lost(done)
    book.check(
        "updates that the application had confirmed, and that are not there",
        f"{lost} of {sent}",
        ok=lost > 0,
        expected="some",
        meaning="two requests read the same score, each adds one to it, and the second overwrites what the first "
        "wrote. Nobody was told: every request was answered with success",
        where="blog",
    )
    book.measure("lost without a lock", 100 * lost / sent, "%", "of updates that the application had confirmed")
    return done


def _lost(done: list[Round]) -> int:
    return sum(REQUESTS - each.score for each in done)


def _with(blog: Site, book: Notebook) -> list[Round]:
    book.part("With a lock of this deployment around it, found through the Sentinels")
    done = []
    for number in range(1, _WITH + 1):
        each = blog.round(LOCKED)
        done.append(each)
        meaning = ""
        if number == 1:
            meaning = (
                "one after the other, whichever server they came to. What is locked here is a name that all agree on"
            )
        _note(blog, book, LOCKED, each, ok=each.score == REQUESTS, expected=str(REQUESTS), meaning=meaning)
    longest = max(each.longest for each in done)
    book.measure("longest wait for an answer, with the lock", longest, "s", "of the one who came last")
    return done


def _note(blog: Site, book: Notebook, path: str, done: Round, *, ok: bool, expected: str, meaning: str = "") -> None:
    failed = f", {done.failed} requests failed" if done.failed else ""
    book.check(
        f"{REQUESTS} times curl one of {' '.join(each + path for each in blog.servers)}; {_LOOK}",
        f"{done.score} ({done.seconds:.1f} s{failed})",
        ok=ok and not done.failed,
        expected=f"{expected}, every request answered",
        meaning=meaning,
        where="blog",
    )


def _chart(book: Notebook, free: list[Round], held: list[Round]) -> None:
    rows = tuple((float(place), float(each.score)) for place, each in enumerate([*free, *held]))
    labels = (*(f"no lock {each}" for each in range(1, len(free) + 1)), *map(str, range(1, len(held) + 1)))
    title = f"The score after {REQUESTS} requests that each added one"
    meaning = f"{REQUESTS} is right; the numbered ones are with the lock"
    book.chart(Chart("bars", title, meaning, (Series("score", "", rows),), labels=labels))


def _failing_over(blog: Site, deployment: Deployment, book: Notebook) -> None:
    book.part("The master is killed in the middle")
    with _Rounds(blog) as going:
        report = failed_over(deployment, book)
    if not report:
        return
    waited = max((each.longest for each in going.done), default=0.0)
    wrong = [each for each in going.done if each.score != REQUESTS or each.failed]
    retried = sum(each.retried for each in going.done)
    book.check(
        f"round after round of {REQUESTS} requests meanwhile: the scores",
        ", ".join(str(each.score) for each in going.done) + (f"; {going.failure}" if going.failure else ""),
        ok=bool(going.done) and not wrong and not going.failure and retried > 0,
        expected=f"{REQUESTS} each, every request answered, some of them not at the first try",
        meaning=f"{retried} requests found no master or waited too long, and tried again; the longest took "
        f"{waited:.1f} s. Nobody's update was lost or done twice",
        where="blog",
    )
    book.measure("longest wait for an answer, through a failover", waited, "s", "no error, only patience")


class _Rounds:
    """Sends round after round while it is entered; the last one ends before it is left, unless that is in a hurry."""

    def __init__(self, blog: Site) -> None:
        self._blog = blog
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="rounds", daemon=True)
        self.done: list[Round] = []
        self.failure = ""

    def __enter__(self) -> _Rounds:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        # Whoever is interrupted does not wait for requests that may wait for a master themselves.
        if kind is None or issubclass(kind, Exception):
            self._thread.join()

    def _go_on(self) -> None:
        try:
            while not self._over.is_set():
                self.done.append(self._blog.round(LOCKED))
        except Exception as error:  # noqa: BLE001  (in a thread nobody else would tell it)
            self.failure = f"{type(error).__name__}: {error}"


DRILL = Drill(
    "blog",
    "An application's lost updates",
    f"a Django blog on two servers: {REQUESTS} requests at once lose updates; with a lock none, also in a failover",
    run,
    "deployment",
)
