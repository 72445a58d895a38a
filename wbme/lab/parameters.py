"""Strict parameters: read from a notebook's tagged cell, checked before a kernel starts.

A parameters cell holds lines ``name: type = default  # help`` with the types bool, int, float, str
and lists of them. Papermill itself lets unknown names and decayed types pass; here both are refused.
"""

import ast
import io
import json
import math
import re
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wbme.base.errors import NotebookError, ParameterError
from wbme.lab.notebook import Notebook
from wbme.lab.redact import redact

TYPES: dict[str, Any] = {
    "bool": bool,
    "int": int,
    "float": float,
    "str": str,
    "list[int]": list[int],
    "list[float]": list[float],
    "list[str]": list[str],
}


@dataclass(frozen=True)
class Parameter:
    """One line of a parameters cell; ``type`` is a key of TYPES."""

    name: str
    type: str
    default: Any
    help: str


def declared(notebook: Notebook) -> dict[str, Parameter]:
    """The parameters of ``notebook`` in their order; NotebookError names a line that is not one."""
    text = notebook.parameters_source
    where = f"parameters cell of {notebook.name}"
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise NotebookError(f"{where}: line {error.lineno} is not Python") from error
    comments = {
        token.start[0]: token.string.lstrip("# ").strip()
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT
    }
    found: dict[str, Parameter] = {}
    for node in tree.body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value):
            raise NotebookError(f"{where}: line {node.lineno} must read 'name: type = default  # help'")
        kind = ast.unparse(node.annotation).replace(" ", "")
        if kind not in TYPES:
            raise NotebookError(f"{where}: {node.target.id} has type {kind}; use one of {', '.join(TYPES)}")
        try:
            default = ast.literal_eval(node.value)
        except (ValueError, TypeError) as error:
            raise NotebookError(f"{where}: the default of {node.target.id} is not a plain value") from error
        parameter = Parameter(node.target.id, kind, default, comments.get(node.end_lineno or 0, ""))
        found[parameter.name] = Parameter(
            parameter.name, kind, check(parameter, default, where), parameter.help
        )
    return found


def check(parameter: Parameter, value: Any, where: str) -> Any:
    """``value`` if it is of the parameter's type (an int passes as float), else ParameterError."""
    from pydantic import TypeAdapter, ValidationError

    try:
        found = TypeAdapter(TYPES[parameter.type]).validate_python(value, strict=True)
        for item in found if isinstance(found, list) else [found]:
            _storable(parameter, item, where)
        return found
    except ValidationError:
        raise ParameterError(
            f"{where}: {parameter.name} must be {parameter.type}, not {value!r} ({type(value).__name__})"
            f"{_hint(parameter.type, value)}"
        ) from None


def _storable(parameter: Parameter, item: Any, where: str) -> None:
    """Refuse what run.json cannot hold (nan, inf, bytes that are not UTF-8) or must not (secrets)."""
    if isinstance(item, float) and not math.isfinite(item):
        raise ParameterError(f"{where}: {parameter.name} must be a finite number, not {item}")
    if isinstance(item, str) and item.encode("utf-8", "replace").decode() != item:
        raise ParameterError(
            f"{where}: {parameter.name} is not UTF-8 text; rename the file or folder it names"
        )
    if isinstance(item, str) and redact(item) != item:
        raise ParameterError(
            f"{redact(where)}: {parameter.name} holds a password or a token and would be written down; "
            "read it from the environment in the notebook instead"
        )


def _hint(kind: str, value: Any) -> str:
    """What to write instead, for the decays that YAML and papermill are known for."""
    if isinstance(value, tuple) or (isinstance(value, str) and value.strip().startswith("(")):
        return "; write a list, [64, 64], instead of a tuple"
    if kind == "float" and isinstance(value, str):
        whole = re.fullmatch(r"([-+]?\d+)(e[-+]?\d+)", value.strip().lower())
        return f"; YAML reads {value} as text: write {whole[1]}.0{whole[2]}" if whole else ""
    if kind == "bool":
        return "; write true or false"
    if kind == "str" and isinstance(value, bool | int | float):
        return "; put it in quotes"
    return ""


def from_text(parameter: Parameter, text: str, where: str) -> Any:
    """A value typed on the command line: ``1e-4`` is a float here, lists are JSON or comma-separated."""
    kind = parameter.type
    if kind == "str":
        return check(parameter, text, where)
    try:
        if kind == "bool":
            return {"true": True, "false": False}[text.lower()]
        if kind in ("int", "float"):
            return check(parameter, TYPES[kind](text), where)
        if text.lstrip().startswith("["):
            return check(parameter, json.loads(text), where)
        if text.lstrip().startswith("("):
            raise ValueError
        item = {"list[int]": int, "list[float]": float, "list[str]": str}[kind]
        return check(parameter, [item(part.strip()) for part in text.split(",") if part.strip()], where)
    except (ValueError, KeyError):
        raise ParameterError(
            f"{where}: {parameter.name} must be {kind}, not {text!r}{_hint(kind, text)}"
        ) from None


def resolve(notebook: Notebook, given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The full set of parameters: defaults overlaid with ``given``.

    Raises ParameterError for a name that the notebook does not have (with the nearest one) or a
    value of another type; ``where`` says in the sentence where the value came from.
    """
    known = declared(notebook)
    for name in given:
        if name not in known:
            raise ParameterError(f"{where}: {notebook.name} has no parameter {name!r}{_nearest(name, known)}")
    return {
        name: check(parameter, given[name], where) if name in given else parameter.default
        for name, parameter in known.items()
    }


def _nearest(name: str, known: Mapping[str, Parameter]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=1)
    listed = ", ".join(known) or "none"
    return f"; did you mean {close[0]!r}?" if close else f"; it has: {listed}"
