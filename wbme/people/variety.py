"""What people differ in, and how often: the tables of ``variety.yaml``."""

import functools
import importlib.resources
from typing import Any

import yaml


@functools.cache
def tables() -> dict[str, Any]:
    """All tables by name, each with its comment in the file; colours are sRGB in [0, 1]."""
    return yaml.safe_load(
        importlib.resources.files("wbme.people").joinpath("variety.yaml").read_text("utf-8")
    )
