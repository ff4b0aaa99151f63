"""Which variables a template names."""

from __future__ import annotations

from functools import lru_cache

import jinja2
from jinja2 import meta

_parser = jinja2.Environment(autoescape=False)  # noqa: S701 nothing is rendered with it


def is_template(text: object) -> bool:
    """Say whether there is anything to fill in; not in what is encrypted."""
    return isinstance(text, str) and ("{{" in text or "{%" in text)


def names_in(text: object) -> set[str]:
    """Return the variables and functions that a text takes from elsewhere; none where it cannot be read."""
    return set(_names(text)) if isinstance(text, str) and is_template(text) else set()


@lru_cache(maxsize=4096)
def _names(text: str) -> frozenset[str]:
    try:
        return frozenset(meta.find_undeclared_variables(_parser.parse(text)))
    except jinja2.TemplateError:
        return frozenset()
