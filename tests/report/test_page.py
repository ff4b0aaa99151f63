"""The page is complete in itself, says everything that the reports say, and nothing else."""

from __future__ import annotations

import hashlib
import re
import stat
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from redis_fleet import report as pages
from redis_fleet.drills.report import Chart, Mark, Series
from redis_fleet.report import Page, of_drills, of_failover, rendered, write
from redis_fleet.report.charts import figure
from tests.report import sample
from tests.unit.cases.builder import fleet_of

VOID = {"meta", "link", "br", "img", "input", "hr"}
FETCHES = r"\bfetch\(|XMLHttpRequest|WebSocket|importScripts|import\(|EventSource|sendBeacon"
HOME = Path(pages.__file__).parent
GOOD, BAD, VERIFIED = sample.page(), sample.page("shared-machines", bad=True), sample.verification(bad=True)
PAGES = {"good": GOOD, "bad": BAD, "verified": VERIFIED}


class Reader(HTMLParser):
    """Keeps the text, the tags with their attributes, and what is inside scripts and styles."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.code: dict[str, list[str]] = {"script": [], "style": []}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in self.code:
            self.code[tag].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.code:
            self.code[self.open[-1]][-1] += data
        else:
            self.text += data


def read(content: Page) -> Reader:
    """Return a page, read."""
    reader = Reader()
    reader.feed(rendered(content))
    reader.close()
    return reader


@pytest.mark.parametrize("name", PAGES)
def test_it_is_well_formed(name: str) -> None:
    found = read(PAGES[name])

    assert (found.wrong, found.open) == ([], [])
    ids = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all(
        str(attributes["href"])[1:] in ids for tag, attributes in found.tags if tag == "a"
    ), "a link leads nowhere"  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_fetched(name: str) -> None:
    found = read(PAGES[name])

    fetching = ("src", "srcset", "data", "poster", "background", "action", "formaction", "ping", "style")
    for tag, attributes in found.tags:
        assert not set(attributes) & set(fetching), (tag, attributes)
        assert str(attributes.get("href", "#")).startswith("#")
        assert not [each for each in attributes if each.startswith("on")]
    assert not {tag for tag, _ in found.tags} & {"link", "iframe", "object", "embed", "base", "img", "form"}
    for style in found.code["style"]:
        assert not re.search(r"url\(|@import|image-set", style)
    for script in found.code["script"]:
        assert not re.search(FETCHES, script)
        assert "sourceMappingURL" not in script
    # The browser holds to it as well: only these scripts and this style, and no address at all.
    policy = next(str(each["content"]) for _, each in found.tags if each.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


def test_it_says_everything() -> None:
    text = read(BAD).text

    for drill in (*sample.drills(), *sample.bad_drills()):
        for each in (drill["title"], drill["proves"], *drill["problems"], drill["skipped"]):
            assert each in text
        for step in drill["steps"]:
            for word in ("part", "doing", "seen", "meaning"):
                assert step[word] in text
            if not step["ok"]:
                assert text.count(step["expected"]) > 1, "with the step and among the problems"
        for measure in drill["measures"]:
            assert measure["name"] in text
        for chart in drill["charts"]:
            assert chart["title"] in text
            for mark in chart["marks"]:
                assert mark["text"].removesuffix(" begins").removesuffix(" ends") in text
    assert "5 of 7 drills as documented, 1 differs, 1 skipped" in text
    assert "23 November 2026, 19:20 UTC" in text
    assert "redis 7.0.15" in text


def test_a_verification_says_everything() -> None:
    text = read(VERIFIED).text

    assert "1 of 12 checks failed" in text
    assert all(check["seen"] in text and check["check"] in text for each in VERIFIED.subjects for check in each.checks)
    assert "12 checks, all ok" in read(sample.verification()).text


@pytest.mark.parametrize("name", ["bad", "verified"])
def test_what_comes_from_outside_is_text(name: str) -> None:
    """Also in the data of charts: its end tag would end the script."""
    whole = rendered(PAGES[name])
    found = read(PAGES[name])

    assert sample.EVIL in found.text
    assert sample.EVIL not in whole
    assert "alert(1)</script>" not in whole
    assert not [attributes for tag, attributes in found.tags if tag == "img"]


def test_the_title_of_a_deployment_is_text() -> None:
    reports = [sample.report("rdb", sample.EVIL, proves=sample.EVIL, skipped=sample.EVIL, ok=False)]

    assert sample.EVIL not in rendered(of_drills(reports, made=sample.MADE, software=sample.EVIL))


def test_the_same_content_is_the_same_page() -> None:
    assert rendered(sample.page()) == rendered(sample.page())


def test_it_is_small() -> None:
    """The charting library is most of it, and only there when there is a chart."""
    assert len(rendered(GOOD)) < 400_000
    assert len(rendered(VERIFIED)) < 40_000
    assert sum(file.stat().st_size for file in (HOME / "vendor").iterdir()) < 300_000


@pytest.mark.parametrize("sample_name", ["sentinel", "shared-machines"])
def test_no_password_is_in_it(sample_name: str) -> None:
    fleet = fleet_of(sample_name)
    text = rendered(sample.page(sample_name, bad=True))

    secrets = {process.password.reveal() for process in fleet.processes if process.password}
    assert secrets
    assert not [secret for secret in secrets if secret in text]


def test_writing_replaces_the_whole_file_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    path.write_text("before")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
        with pytest.raises(OSError, match="full"):
            write(path, VERIFIED)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("report.html", "before")]

    write(path, VERIFIED)
    assert path.read_text(encoding="utf-8") == rendered(VERIFIED)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]


def test_parts_that_differ_are_open_and_others_are_not() -> None:
    parts = [each for tag, each in read(BAD).tags if tag == "details" and "part" in str(each["class"])]

    assert [each["class"] for each in parts if "open" in each] == ["part differs"]
    # With few steps everything is open.
    few = of_drills(sample.drills()[-1:], made=sample.MADE)
    assert all("open" in each for tag, each in read(few).tags if tag == "details" and each["class"] == "part")


@pytest.mark.parametrize(
    ("reply", "looks"),
    [
        (sample.DIFF, ["removed", "added"]),
        ("-a 1\n    +a 2\n    -b", ["removed", "added", "removed"]),  # indented for the terminal
        ("-1", []),
        ("- one\nsomething else", []),
    ],
)
def test_a_diff_is_told_by_its_lines(reply: str, looks: list[str]) -> None:
    drilled = sample.report("rdb", "Snapshots", steps=[sample.step("diff", reply, "")])
    found = read(of_drills([drilled], made=sample.MADE))

    classes = [str(each.get("class")) for tag, each in found.tags if tag == "span"]
    assert [each for each in classes if each in ("added", "removed")] == looks
    assert reply.replace("\n    ", "\n") in found.text


def test_bytes_that_are_no_text_can_be_seen(tmp_path: Path) -> None:
    reply = b"a\x00b\x1b[31m\xff\r\ttab".decode("utf-8", "surrogateescape") + "\u202eback"
    drilled = sample.report("types", "Types", steps=[sample.step("GET bitmap", reply, "")], problems=[reply], ok=False)

    write(tmp_path / "page.html", of_drills([drilled], made=sample.MADE))
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert text.count(r"a\x00b\x1b[31m\xff\x0d" + "\ttab" + r"\u202eback") == 2


def test_a_failover_has_its_timeline_and_numbers() -> None:
    timeline = [
        {"at_ms": 1000, "text": "kill orders-6379@red1, the master, and keep it down", "kind": "step"},
        {
            "at_ms": 1010,
            "text": "first refused write: Connection reset by peer",
            "kind": "writer",
            "code": "writes_refused",
        },
        {"at_ms": 2500, "text": "still refused, 1.5 s", "kind": "tick"},
        {"at_ms": 4200, "text": "writes are accepted again after 3190 ms", "kind": "writer", "code": "writes_accepted"},
    ]
    report = {
        "ok": False, "service": "orders", "old_master": "orders-6379@red1", "new_master": "orders-6379@red2",
        "write_gap_ms": 3190, "acknowledged": 4000, "acknowledged_lost": None, "refused": 60, "rejoined_ms": 900,
        "how": "freeze", "stale_acknowledged_lost": 7, "kept_down": "SIGSTOP",
        "problems": ["the key could not be read back"], "timeline": timeline,
        "writes": [{"at_ms": at, "acknowledged": at, "refused": 0} for at in (0, 500, 1000)],
    }  # fmt: skip
    made = of_failover(report, fleet_of("sentinel"), made=sample.MADE)
    text = read(made).text

    assert "the failover is not as it should be: writes refused for 3,190 ms" in text
    assert "the key could not be read back" in text
    assert 'class="drill bad"' in rendered(made)
    assert "orders-6379@red1 → orders-6379@red2" in text
    assert "not known" in text
    assert "taken away, freeze: its process does nothing for a while (SIGSTOP)" in text
    assert "lost by a client that did not ask again" in text
    assert "As described; its processes were not asked." in text
    drawn = made.sections[0].figures[0]
    assert [mark.number for mark in drawn.marks] == [1, 2, 3]
    assert [(span.begin, span.end, span.text) for span in drawn.spans] == [(1.01, 4.2, "writes refused")]
    assert drawn.table.rows[0] == ("0.50", "1,000", "0")


def test_a_long_series_is_read_by_the_highest_of_each_interval() -> None:
    points = tuple((float(place), 50.0 if place == 777 else 1.0) for place in range(1000))
    chart = Chart("latency", "waits", "", (Series("client", "ms", points),))
    found = figure(as_dict(chart)).table

    assert found.thinned
    assert len(found.rows) == 40
    assert [row for row in found.rows if row[1] != "1"] == [("774.23", "50")]


def as_dict(chart: Chart) -> dict[str, Any]:
    """Return a chart as it is in a report's JSON."""
    series = [{"name": each.name, "unit": each.unit, "points": each.points} for each in chart.series]
    return {"kind": chart.kind, "title": chart.title, "meaning": "", "series": series, "marks": [], "labels": []}


def test_the_library_is_the_one_that_was_published() -> None:
    told = (HOME / "vendor" / "README.md").read_text(encoding="utf-8")

    for file in (HOME / "vendor").glob("*.js"):
        row = next(line for line in told.splitlines() if line.startswith(f"| `{file.name}`"))
        assert hashlib.sha256(file.read_bytes()).hexdigest() in row
        licence = re.search(r"MIT, `([^`]+)`", row)
        assert licence
        assert "Permission is hereby granted" in (HOME / "vendor" / licence[1]).read_text(encoding="utf-8")


def _schemes() -> dict[str, dict[str, str]]:
    css = (HOME / "static" / "page.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root(?::not\(\.paper\))? \{(.*?)\}", css, re.DOTALL)
    light, dark = (dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block)) for block in blocks)
    assert light.keys() == dark.keys()
    return {"light": light, "dark": dark}


def _contrast(one: str, other: str) -> float:
    """Return the contrast of WCAG 2: 1 for the same, 21 for black on white."""

    def light(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dim = sorted((light(one), light(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


TEXT = [
    *((ink, paper) for ink in ("ink", "quiet", "link") for paper in ("page", "card", "soft")),
    *((tone, f"{tone}-soft") for tone in ("good", "bad", "skip")),
    *((tone, paper) for tone in ("good", "bad") for paper in ("card", "soft", "bad-soft")),
    *(("on-mark", mark) for mark in ("step", "writer", "sentinel", "problem", "one")),
    ("quiet", "bad-soft"), ("ink", "bad-soft"), ("ink", "skip-soft"), ("one", "card"),
]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_it(scheme: str) -> None:
    colours = _schemes()[scheme]

    weak = {pair: round(_contrast(colours[pair[0]], colours[pair[1]]), 2) for pair in TEXT}
    assert {pair: found for pair, found in weak.items() if found < 4.5} == {}
    lines = {name: _contrast(colours[name], colours["card"]) for name in ("one", "two", "three", "four", "step")}
    assert {name: found for name, found in lines.items() if found < 3} == {}


def test_a_chart_shows_what_lasted_by_codes_whatever_the_words() -> None:
    marks = (
        Mark(1.0, "it starts", code="begins", about="SAVE"),
        Mark(2.0, "SAVE ends"),
        Mark(3.0, "it is over", code="ends", about="SAVE"),
        Mark(4.0, "no", "writer", code="writes_refused"),
        Mark(5.0, "yes", "writer", code="writes_accepted"),
        Mark(6.0, "first refused write"),
    )
    found = figure(asdict(Chart("timeline", "all", "", (), marks)))

    assert [(span.begin, span.end, span.text) for span in found.spans] == [
        (1.0, 3.0, "SAVE"),
        (4.0, 5.0, "writes refused"),
    ]
    assert [mark.text for mark in found.marks] == ["SAVE ends", "no", "yes", "first refused write"]
