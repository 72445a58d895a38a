"""Tables as lines of JSON, each row with the schema that it was written in."""

import json
from pathlib import Path
from typing import Any

from wbme.base.errors import StoreError


def read(path: Path, schema: int, again: str, least: int = 1) -> list[dict[str, Any]]:
    """The rows of the table at ``path``, ``least`` or more.

    Raises StoreError where it is missing, damaged or too short, or a row is of another schema; ``again`` says
    how to make the table anew."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
        rows = [json.loads(line) for line in lines if line]
        other = sorted({str(row["schema"]) for row in rows} - {str(schema)})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StoreError(f"{path} is missing or no table that wbme reads; {again}") from error
    if other:
        raise StoreError(f"{path} has schema {other[0]}, this wbme reads {schema}; {again}")
    if len(rows) < least:
        raise StoreError(f"{path} has no rows; {again}")
    return rows
