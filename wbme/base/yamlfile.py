"""YAML without surprises: no key twice, no number that means another one, always a mapping of names."""

import functools
import re
from pathlib import Path
from typing import Any

from wbme.base.errors import WbmeError


@functools.cache
def _loader() -> Any:
    """SafeLoader that refuses what it would otherwise change without a word."""
    import yaml

    class Strict(yaml.SafeLoader):
        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            seen: list[Any] = []  # a key may be a list, which no set takes
            for key, _ in node.value:
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"{key.value!r} stands there twice", key.start_mark
                    )
                seen.append(key.value)
            return super().construct_mapping(node, deep)

        def construct_yaml_int(self, node: Any) -> int:
            if re.fullmatch(r"[-+]?0\d+|.*:.*", node.value):
                words = f"{node.value} would be read as another number: put it in quotes"
                raise yaml.constructor.ConstructorError(None, None, words, node.start_mark)
            return int(super().construct_yaml_int(node))

    Strict.add_constructor("tag:yaml.org,2002:int", Strict.construct_yaml_int)
    return Strict


def load(path: Path, failure: type[WbmeError]) -> dict[str, Any]:
    """A YAML file that holds a mapping; ``failure`` with file and line otherwise.

    Octal (010) and base-60 (1:30) numbers, and keys that stand twice, are refused.
    """
    import yaml

    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_loader())
    except OSError as error:
        raise failure(f"cannot read {path}: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        words = " ".join(str(getattr(error, "problem", None) or error).split())[:300]
        raise failure(f"{path}{line} cannot be read as YAML: {words}") from error
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise failure(f"{path} must hold 'name: value' lines")
    return content
