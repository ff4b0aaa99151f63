"""In a real browser: nothing is complained of, nothing is fetched, everything is drawn and nothing hangs over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from redis_fleet.report import write
from tests.report import sample
from tests.report.browser import PATH, Browser

pytestmark = pytest.mark.skipif(PATH is None, reason="there is no Chromium here")
# How many pixels of a chart have the colour of its first series, or of a problem where it has none: its picture is
# looked at, the library's word is not enough.
DRAWN = """[...document.querySelectorAll(".chart")].map((each) => {
  const data = JSON.parse(each.querySelector("script").textContent), canvas = each.querySelector("canvas");
  const name = data.series.length ? "--one" : "--problem";
  const colour = parseInt(getComputedStyle(document.documentElement).getPropertyValue(name).trim().slice(1), 16);
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let found = 0;
  for (let at = 0; at < pixels.length; at += 4) {
    found += pixels[at + 3] === 255 && (pixels[at] << 16) + (pixels[at + 1] << 8) + pixels[at + 2] === colour;
  }
  return found;
})"""
TOO_WIDE = """[...document.querySelectorAll("body *")].filter((each) => {
  const box = each.getBoundingClientRect();
  const scrolled = each.parentElement.closest("pre, .command, .scroll, svg");
  return (box.right > innerWidth + 0.5 || box.left < -0.5) && !scrolled && box.width;
}).map((each) => each.tagName + "." + each.className)"""
SMALLEST = """Math.min(...[...document.querySelectorAll("body *")].filter((each) =>
  [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) && each.checkVisibility() &&
  !["SCRIPT", "STYLE"].includes(each.tagName)).map((each) => parseFloat(getComputedStyle(each).fontSize)))"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Give the pages as files."""
    folder = tmp_path_factory.mktemp("pages")
    bad, verified = sample.page("shared-machines", bad=True), sample.verification(bad=True)
    made = {"good": sample.page(), "bad": bad, "verified": verified, "large": sample.large()}
    for name, content in made.items():
        write(folder / f"{name}.html", content)
    return {name: folder / f"{name}.html" for name in made}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Give a browser."""
    with Browser(tmp_path_factory.mktemp("profile")) as made:
        yield made


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", ["good", "bad", "verified", "large"])
def test_a_page_is_whole(browser: Browser, files: dict[str, Path], name: str, width: int, dark: bool) -> None:
    browser.open(files[name], width, dark=dark)
    browser.evaluate('document.querySelectorAll("details").forEach((each) => { each.open = true; })')

    assert browser.evaluate("innerWidth") == width
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    assert browser.evaluate(TOO_WIDE) == []
    assert browser.evaluate(SMALLEST) >= 12
    drawn = browser.evaluate(DRAWN)
    assert len(drawn) == {"good": 6, "bad": 8, "verified": 0, "large": 0}[name]
    assert all(count > 50 for count in drawn), drawn
    assert browser.complaints == []
    assert browser.asked_for == [files[name].resolve().as_uri()]


def test_series_of_two_units_have_an_axis_each(browser: Browser, files: dict[str, Path]) -> None:
    browser.open(files["good"])

    axes = 'Object.keys(Chart.getChart(document.querySelector(".timeline canvas")).scales).sort()'
    assert browser.evaluate(axes) == ["room", "x", "y0", "y1"]


def test_it_is_light_on_paper(browser: Browser, files: dict[str, Path], tmp_path: Path) -> None:
    browser.open(files["good"], dark=True)
    ground = "getComputedStyle(document.body).backgroundColor"
    line = 'Chart.getChart(document.querySelector("canvas")).data.datasets[0].borderColor'
    dark = browser.evaluate(ground), browser.evaluate(line)

    browser.evaluate('dispatchEvent(new Event("beforeprint"))')
    assert browser.evaluate(line) == "#0b5fc0"
    assert browser.evaluate(ground) == "rgb(246, 247, 249)"
    browser.evaluate('dispatchEvent(new Event("afterprint"))')
    assert (browser.evaluate(ground), browser.evaluate(line)) == dark

    browser.pdf(tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().count(b"/Type /Page\n") in range(4, 12)
    assert browser.complaints == []


def test_the_buttons_open_and_close_the_steps(browser: Browser, files: dict[str, Path]) -> None:
    browser.open(files["good"])
    count = 'document.querySelectorAll("details.part[open]").length'

    assert browser.evaluate(count) == 0
    browser.evaluate('document.querySelector("[data-open=all]").click()')
    assert browser.evaluate(count) > 10
    browser.evaluate('document.querySelector("[data-open=none]").click()')
    assert browser.evaluate(count) == 0


def test_without_scripts_the_numbers_are_there(browser: Browser, files: dict[str, Path]) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(files["good"], 360)
        assert browser.evaluate("document.documentElement.scrollWidth") == 360
        assert browser.evaluate('document.querySelector(".canvas").clientHeight') == 0
        assert "Without JavaScript" in browser.evaluate("document.body.innerText")
        assert browser.evaluate('document.querySelectorAll(".chart .numbers tbody tr").length') > 60
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
