"""What a result depends on besides notebook and parameters: the code, the libraries, the machine."""

import os
import platform
import re
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from wbme.base.hashing import sha256_bytes, sha256_file
from wbme.base.paths import project_root
from wbme.lab.redact import redact

# The libraries whose arithmetic can reach a pixel or a table.
COMPUTE = [
    "numpy",
    "scipy",
    "pandas",
    "pillow",
    "opencv-python",
    "moderngl",
    "scikit-image",
    "matplotlib",
    "torch",
    "torchvision",
    "fastai",
    "diffusers",
    "onnxruntime",
    "openvino",
    "av",
]

_NUMERIC_FLAGS = re.compile(r"avx|fma|f16c|amx|bf16|sse4|neon|asimd|sve|i8mm")
_DIFF_LIMIT = 1 << 20
_DATA = (".json", ".yaml", ".npz", ".glsl", ".safetensors")


@cache
def versions() -> dict[str, str]:
    """Installed versions of the libraries that compute, and Python's."""
    found = {"python": platform.python_version()}
    for name in COMPUTE:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


@cache
def device() -> dict[str, Any]:
    """CPU model, its numeric flags, core count, memory in bytes, and GPU names where a driver answers."""
    import psutil

    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = re.search(r"model name\s*:\s*(.+)", text)
    flags = re.search(r"(?:flags|Features)\s*:\s*(.+)", text)
    names = sorted(f for f in (flags.group(1).split() if flags else []) if _NUMERIC_FLAGS.search(f))
    return {
        "cpu": model.group(1).strip() if model else platform.processor() or platform.machine(),
        "flags": names,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory": psutil.virtual_memory().total,
        "gpu": _gpus(),
    }


def _gpus() -> list[str]:
    try:
        command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return done.stdout.split("\n")[:-1]


def git() -> dict[str, Any]:
    """Commit of the project, whether the tree differs from it, that difference, and the names of new files.

    ``{}`` outside a git checkout. The difference is cut at 1 MiB and what looks like a secret is held back;
    its digest covers all of it.
    """
    root = project_root()

    def ask(*words: str) -> bytes:
        command = ["git", "-C", str(root), *words]
        return subprocess.run(command, capture_output=True, timeout=20, check=True).stdout

    try:
        diff = ask("diff", "HEAD", "--no-ext-diff", "--", ".")
        new = ask("ls-files", "--others", "--exclude-standard").decode("utf-8", "replace").splitlines()
        commit = ask("rev-parse", "HEAD").decode().strip()
    except (OSError, subprocess.SubprocessError):
        return {}
    text = redact(diff[:_DIFF_LIMIT].decode("utf-8", "replace"))
    dirty = {"diff_sha256": sha256_bytes(diff), "diff": text} if diff else {}
    return {"commit": commit, "dirty": bool(diff or new), "untracked": new[:100], **dirty}


def repository() -> str:
    """Address of the remote ``origin`` without login or token; ``""`` where there is none."""
    command = ["git", "-C", str(project_root()), "remote", "get-url", "origin"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return redact(done.stdout.strip())


def imported_code() -> dict[str, str]:
    """Digest of every file of ``wbme`` that this process has imported, and of the data files beside them.

    Keys are paths relative to the package. This is the code that a result depends on.
    """
    package = Path(__file__).resolve().parents[1]
    files: set[Path] = set()
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and name.split(".")[0] == "wbme":
            path = Path(file).resolve()
            files.add(path)
            depth = ("*",) if path.parent == package else ("*", "*/*")  # people/characters/*.yaml too
            files.update(p for d in depth for p in path.parent.glob(d) if p.suffix in _DATA)
    return {p.relative_to(package).as_posix(): sha256_file(p) for p in sorted(files)}


def current_code(names: dict[str, str]) -> dict[str, str]:
    """Today's digests of the files in ``names``; a file that is gone has the digest ``''``."""
    package = Path(__file__).resolve().parents[1]
    return {n: sha256_file(package / n) if (package / n).is_file() else "" for n in names}
