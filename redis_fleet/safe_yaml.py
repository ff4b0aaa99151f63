"""YAML read by libyaml where there is any: it takes a tenth of the time that PyYAML's own parser takes."""

from __future__ import annotations

from typing import Any

import yaml

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(text: str) -> Any:
    """Return what a text of ours holds; raises YAMLError where it is no YAML."""
    return yaml.load(text, Loader=LOADER)  # noqa: S506 (both loaders are safe ones)
