"""The page as text, and into a file: styles, scripts and data are all inside, and nothing is fetched."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from redis_fleet.project import TEMPLATES
from redis_fleet.report.charts import number
from redis_fleet.report.content import Page
from redis_fleet.report.layout import narrow, wide

_HERE = Path(__file__).parent
_LIBRARIES = ("vendor/chart.umd.min.js", "vendor/chartjs-plugin-annotation.min.js")
_OPEN = 45
"""A page with more steps than this begins with its parts closed, but for those that differ."""
_LETTERS = 20_000
_INDENT = "    "
# Control characters, what stands for bytes that are no UTF-8, and what turns the direction of writing around.
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


def write(path: Path, content: Page) -> None:
    """Write a page, whole or not at all, readable by everybody; raises OSError."""
    text = rendered(content).encode()
    handle, staged = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text)
            os.fchmod(file.fileno(), 0o644)
        Path(staged).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(staged).unlink()
        raise


def rendered(content: Page) -> str:
    """Return a page as HTML; the same content gives the same text."""
    scripts = [_static("static/page.js")]
    if any(section.figures for section in content.sections):
        scripts = [*map(_static, _LIBRARIES), _static("static/charts.js"), *scripts]
    style = _static("static/page.css")
    policy = (
        f"default-src 'none'; script-src {' '.join(map(_digest, scripts))}; style-src {_digest(style)};"
        " base-uri 'none'; form-action 'none'"
    )
    steps = sum(section.steps for section in content.sections)
    return _template().render(
        page=content,
        policy=policy,
        style=Markup(style),  # noqa: S704 - our own file
        scripts=[Markup(script) for script in scripts],  # noqa: S704 - our own files
        drawings=(("wide", wide(content.picture)), ("narrow", narrow(content.picture))) if content.picture else (),
        all_open=steps <= _OPEN,
        steps=steps,
    )


@cache
def _template() -> jinja2.Template:
    # An environment of its own: that of the configuration files must not escape, this one must.
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
        finalize=_visible,
    )
    environment.filters.update(number=_number, shortened=_shortened, differences=_differences)
    return environment.get_template("page.html.j2")


@cache
def _static(name: str) -> str:
    text = (_HERE / name).read_text(encoding="utf-8")
    # Developer tools would look for these beside the page.
    return re.sub(r"\n//# sourceMappingURL=\S*", "", text).strip()


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _visible(value: Any) -> Any:
    """Return what is written into the page: in texts, what cannot be seen is written as Redis would, \\x00."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return _UNSEEN.sub(lambda found: _named(ord(found[0])), value)


def _named(code: int) -> str:
    # A reply that is no UTF-8 comes as lone surrogates: 0xdc00 and the byte.
    code = code - 0xDC00 if 0xDC80 <= code <= 0xDCFF else code
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _number(value: Any) -> str:
    return number(float(value)) if isinstance(value, int | float) else str(value)


def _shortened(text: str) -> str:
    """Return a text for the page; what is far too long to be read loses its end."""
    return text if len(text) <= _LETTERS else f"{text[:_LETTERS]}\n… {len(text) - _LETTERS:,} more letters"


def _differences(text: str) -> list[tuple[str, str]]:
    """Return lines with how each looks: those of a diff are added, removed or plain, all others plain."""
    lines = text.split("\n")
    if all(line.startswith(_INDENT) for line in lines[1:]):
        # Indented for the terminal, where the first line stands behind that already.
        lines = [lines[0], *(line.removeprefix(_INDENT) for line in lines[1:])]
    firsts = {line[:1] for line in lines}
    if len(lines) == 1 or not firsts <= {"+", "-", "@", " ", ""} or not firsts & {"+", "-"}:
        return [("", "\n".join(lines))]
    looks = {"+": "added", "-": "removed"}
    return [("" if line.startswith(("+++", "---")) else looks.get(line[:1], ""), line) for line in lines]
