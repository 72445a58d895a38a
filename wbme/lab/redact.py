"""Passwords, keys and tokens in text: found, and replaced before anything is written down or sent."""

import os
import re
from typing import Any

HELD_BACK = "[held back]"
# user:password@ or token@ of a URL; git@ and other bare user names of ssh are no secret.
_LOGIN = re.compile(r"(\b[a-z][a-z0-9+.-]*://)(?!git@)[^\s/@\"'<>]+@", re.IGNORECASE)
_TOKEN = re.compile(
    r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|hf_[A-Za-z0-9]{20,}"
    r"|sk-[\w-]{20,}|xox[abprs]-[\w-]{10,}|AKIA[A-Z0-9]{16}|wandb_v\d_\w{20,}"
    r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,})"
)
_KINDS = r"(?:secret|token|passw(?:or)?d|passwd|api_?key|access_?key|credential)"
# In code a quoted value, in shell and dotenv files a bare one: `token = next(words)` is neither.
_QUOTED = re.compile(rf"(\w*{_KINDS}\w*[\"']?\s*[:=]\s*[\"'])([^\"'\s]{{8,}})(?=[\"'])", re.IGNORECASE)
_SHELL = re.compile(rf"(\b[A-Z0-9_]*{_KINDS.upper()}[A-Z0-9_]*=)([^\s\"'()\[\]]{{8,}})")
_NAME = re.compile(rf"{_KINDS}|_KEY$", re.IGNORECASE)


def redact(text: str) -> str:
    """``text`` without logins in URLs, well-known tokens, assigned secrets and secrets of the environment."""
    for name, value in os.environ.items():
        telling = len(value) >= 8 and not value.isalpha() and not os.path.exists(value)
        if _NAME.search(name) and telling and value in text:
            text = text.replace(value, HELD_BACK)
    text = _LOGIN.sub(r"\1", text)
    text = _TOKEN.sub(HELD_BACK, text)
    text = _QUOTED.sub(rf"\1{HELD_BACK}", text)
    return _SHELL.sub(rf"\1{HELD_BACK}", text)


def redact_all(value: Any) -> Any:
    """``value``, as JSON knows it, with every string in it redacted."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: redact_all(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redact_all(item) for item in value]
    return value
