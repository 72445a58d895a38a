"""The card of a model (``model.json``, schema 1): what it is and which live inputs its graph has."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wbme.base.errors import ModelError

SCHEMA = 1
HEADS = ("layered", "plain")
# Fields of every card, and those that say which network its weights belong to.
GRAPH = {"name": str, "head": str, "controls": dict, "multiple": int, "face_width": int}
WEIGHTS = {"architecture": str, "head": str, "characters": list, "branches": bool}


def read(path: Path, fields: Mapping[str, type]) -> dict[str, Any]:
    """The card at ``path``, checked for its schema and ``fields``, ``GRAPH`` or ``WEIGHTS``.

    ModelError says which file and field is wrong.
    """
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        if card["schema"] != SCHEMA:
            raise ValueError(f"schema {card['schema']} is not {SCHEMA}")
        for field, kind in fields.items():
            if not isinstance(card[field], kind) or (kind is int and card[field] < 1):
                raise TypeError(f"{field} {card[field]!r} is no {kind.__name__} that fits")
        if card["head"] not in HEADS:
            raise ValueError(f"head {card['head']!r} is none of {', '.join(HEADS)}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = getattr(error, "strerror", None) or (f"no {error}" if isinstance(error, KeyError) else error)
        raise ModelError(f"{path} is not a model card ({why}): train or copy the model again") from error
    return card
