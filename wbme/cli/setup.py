"""Set up wbme on a machine that has Python and make: system packages, .venv, the locked packages, assets.

Run as a file by any Python 3.11+ (``python3 wbme/cli/setup.py [--tests]``): it needs the standard library
alone. It may be stopped at any moment and repairs what it left half done; the stamp is written last.
"""

import ctypes
import fcntl
import glob
import hashlib
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# What the wheels need from the system: what the loader asks for, and Debian's and Ubuntu's package of it.
LIBRARIES = {
    "libGL.so.1": "libgl1",
    "libxcb.so.1": "libxcb1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libEGL.so.1": "libegl1",
    "swrast_dri.so": "libgl1-mesa-dri",  # Mesa's software renderer
}
# Drivers of Mesa lie outside the loader's path: there, and since version 24.3 all in one library.
DRIVERS = ("/usr/lib*/dri/swrast_dri.so", "/usr/lib/*/dri/swrast_dri.so", "/usr/lib*/**/libgallium*.so")
# The program that drives the browser in tests brings a Node.js, which needs this one.
TEST_LIBRARIES = {"libatomic.so.1": "libatomic1"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
GPU_PARTS = ("nvidia-", "cuda-", "triton")
NOTIFICATION = "@jupyterlab/apputils-extension:notification"
CPU_BUILD = "the pip line for CPU that pytorch.org shows, with .venv/bin/pip"
NEEDED_BYTES = 10_000_000_000
PROBE = """
import importlib.metadata, json, sys
print(json.dumps({"python": sys.version_info[:2], "packages": {d.metadata["Name"]: d.version
    for d in reversed(list(importlib.metadata.distributions())) if d.metadata["Name"]}}))
"""


class SetupError(Exception):
    """What is wrong and what to do, in one sentence."""


def say(sentence: str) -> None:
    """Tell the user one thing that happens now."""
    print(f"wbme set-up: {sentence}", flush=True)


def run(command: list[str | Path], **options: Any) -> subprocess.CompletedProcess:
    """subprocess.run that leaves the exit status to the caller."""
    return subprocess.run(command, check=False, **options)


# -- what the system has


def load_library(name: str) -> None:
    """Load a shared library, or see that a driver is there; OSError when it is not."""
    if name != "swrast_dri.so":
        ctypes.CDLL(name)
    elif not any(glob.glob(pattern, recursive=True) for pattern in DRIVERS):
        raise OSError(f"{name}: no such driver")


def missing_libraries(load: Callable[[str], object] = load_library, tests: bool = False) -> list[str]:
    """Debian packages of the shared libraries that the dynamic loader does not find."""

    def absent(name: str) -> bool:
        try:
            load(name)
        except OSError:
            return True
        return False

    libraries = LIBRARIES | (TEST_LIBRARIES if tests else {})
    return [libraries[name] for name in libraries if absent(name)] if sys.platform == "linux" else []


def find_chromium(which: Callable[[str], str | None] = shutil.which) -> str | None:
    """Path of a Chromium or Chrome on PATH, or of playwright's own, or None.

    Ubuntu's start script of the Chromium snap does not count: it runs neither as root nor in a container.
    """
    for path in filter(None, map(which, BROWSERS)):
        with open(path, "rb") as file:
            if b"/snap/" not in file.read(4096):
                return path
    cache = os.path.expanduser(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or "~/.cache/ms-playwright")
    return max(glob.glob(f"{cache}/chromium-*/chrome-linux*/chrome"), default=None)


def has_chromium_package(os_release: str) -> bool:
    """Whether this system's apt offers a real Chromium, by the text of /etc/os-release: Debian's does, and
    Ubuntu's is an empty package that points to a snap."""
    return "ubuntu" not in os_release.lower()


def missing_packages(
    tests: bool,
    venv_works: bool,
    os_release: str = "",
    load: Callable[[str], object] = load_library,
    which: Callable[[str], str | None] = shutil.which,
) -> list[str]:
    """Debian packages to install first; with ``tests`` also the browser that the tests drive."""
    wanted = missing_libraries(load, tests)
    if which("git") is None:
        wanted.append("git")
    if not venv_works:
        wanted.append(f"python3.{sys.version_info.minor}-venv")
    if tests and has_chromium_package(os_release) and find_chromium(which) is None:
        wanted.append("chromium")
    return wanted


def install_packages(wanted: list[str]) -> None:
    """Install ``wanted`` by apt-get, as root or by passwordless sudo; otherwise SetupError with the line."""
    line = f"apt-get install -y --no-install-recommends {' '.join(wanted)}"
    if shutil.which("apt-get") is None:
        raise SetupError(
            f"these Debian packages, or what your system calls them, are missing: {' '.join(wanted)}; "
            "install them and run the same command again"
        )
    sudo: list[str] = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if sudo and (not shutil.which("sudo") or run([*sudo, "true"], capture_output=True).returncode):
        raise SetupError(f"run 'sudo apt-get update && sudo {line}', then the same command again")
    say(f"installing system packages: {' '.join(wanted)}")
    apt = [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"]
    options = ["install", "-y", "--no-install-recommends"]
    for command in (["update"], [*options, *wanted]):
        if run([*apt, *command], stdout=subprocess.DEVNULL).returncode and command != ["update"]:
            raise SetupError(f"'{line}' failed (its own message is above): put that right and run again")


# -- which Python packages to install


def canonical(name: str) -> str:
    """A distribution name in the registry's normal spelling."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_lock(text: str) -> dict[str, str]:
    """``name==version`` lines as {canonical name: version}."""
    return {canonical(name): version for name, version in re.findall(r"^(\S+?)==(\S+)$", text, re.M)}


def release(version: str) -> tuple[int, ...]:
    """The numbers of a version without its suffixes: '2.13.0+cpu' -> (2, 13, 0)."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def in_range(version: str, requirement: str) -> bool:
    """Whether ``version`` meets a requirement made of >= and < clauses, such as 'torch>=2.11,<3'."""
    least = re.search(r">=\s*([\d.]+)", requirement)
    below = re.search(r"<\s*([\d.]+)", requirement)
    here = release(version)
    return (not least or here >= release(least[1])) and (not below or here < release(below[1]))


def keeps_torch(version: str | None, requirement: str, locked: str | None) -> bool:
    """Whether an installed torch is the user's own choice, to be left alone: in range, not the lock's."""
    return version is not None and version != locked and in_range(version, requirement)


def choose(lock: dict[str, str], installed: dict[str, str], keep_torch: bool) -> tuple[list[str], list[str]]:
    """The lines to install and the names left out.

    Beside a kept torch its GPU parts stay as they are, and so does torchvision, which fits one build of torch
    only; fastai, which needs torchvision, comes only where there is one.
    """
    out: set[str] = set()
    if keep_torch:
        out = {"torch", "torchvision"} | {name for name in lock if name.startswith(GPU_PARTS)}
        if "torchvision" not in installed:
            out.add("fastai")
    lines = [f"{n}=={v}" for n, v in lock.items() if n not in out and not _same(installed.get(n), v)]
    return lines, sorted(name for name in out & set(lock) if name not in installed)


def _same(installed: str | None, locked: str) -> bool:
    return installed is not None and installed.split("+")[0] == locked


# -- the steps


def stamp(root: Path) -> str:
    """Digest of all that decides what is installed: lock, project file, this script, and where they lie."""
    digest = hashlib.sha256(str(root).encode())
    for name in ("requirements.lock", "pyproject.toml", "wbme/cli/setup.py"):
        digest.update(hashlib.sha256((root / name).read_bytes()).digest())
    return digest.hexdigest()


def probe(python: Path | str) -> dict | None:
    """Version and packages of an interpreter, read from metadata alone; None when it does not run."""
    try:
        done = run([python, "-c", PROBE], capture_output=True, text=True, cwd="/")
        found = json.loads(done.stdout)
    except (OSError, ValueError):
        return None
    found["packages"] = {canonical(name): version for name, version in found["packages"].items()}
    return found


def repair(venv: Path) -> list[str]:
    """Forget packages whose installation was cut off: pip writes RECORD last, and believes any METADATA."""
    torn = [d for d in venv.glob("lib/python*/site-packages/*.dist-info") if not (d / "RECORD").exists()]
    for folder in torn:
        shutil.rmtree(folder)
    return [folder.name for folder in torn]


def make_venv(venv: Path, requirement: str) -> dict:
    """Make or mend ``venv``; returns its probe. A torch in range of the base Python is made visible in it."""
    python = venv / "bin" / "python"
    torn = repair(venv)
    if torn:
        say(f"installing again what was cut off: {', '.join(torn)}")
    found = probe(python)
    if found and found["python"] < [3, 11]:
        version = ".".join(map(str, found["python"]))
        raise SetupError(f"{venv} is for Python {version} and wbme needs 3.11 or newer: remove it, run again")
    if found and "pip" in found["packages"]:
        return found
    base = getattr(sys, "_base_executable", None) or sys.executable
    command = [base, "-m", "venv", str(venv)]
    torch = (probe(base) or {"packages": {}})["packages"].get("torch")
    if torch and in_range(torch, requirement):
        say(f"keeping torch {torch} of {base}: .venv sees the packages of that Python")
        command.insert(3, "--system-site-packages")
    if not found:
        say(f"making .venv with Python {platform.python_version()}")
        command.insert(3, "--clear")
    if run(command).returncode:
        raise SetupError(
            f"{base} could not make {venv}: 'apt-get install python3.{sys.version_info.minor}-venv' "
            "(or the same for your system), then run again"
        )
    found = probe(python)
    if not found:
        raise SetupError(f"{python} does not run: remove {venv} and run again")
    return found


def announce_download(root: Path) -> None:
    """Say the size before gigabytes come, and leave a person the time to stop; SetupError on a full disk."""
    if sys.platform != "linux":
        return  # elsewhere torch is small: its CUDA libraries are made for Linux
    free = shutil.disk_usage(root).free
    if free < NEEDED_BYTES:
        raise SetupError(
            f"{root} has {free / 1e9:.1f} GB free and {NEEDED_BYTES / 1e9:.0f} GB are needed: free space, "
            f"or run {CPU_BUILD}, for the smaller build of torch, then the same command again"
        )
    say(
        "now about 3 GB are downloaded, 8 GB on disk, most of it torch with CUDA; for its CPU build (0.2 GB) "
        f"stop here (Ctrl-C), run {CPU_BUILD}, then the same command again"
    )
    if sys.stdin.isatty():
        time.sleep(8)


def pip(python: Path, *arguments: str) -> None:
    """Run pip of ``python``; SetupError when it fails."""
    command = [str(python), "-m", "pip", "--disable-pip-version-check", "install", *arguments]
    if run(command, cwd=ROOT).returncode:
        raise SetupError("pip failed (its own message is above): put that right and run again")


def install(root: Path, python: Path, found: dict, project: dict) -> None:
    """Bring ``python`` to what the lock (Linux x86-64, Python 3.11) or else pyproject.toml asks for."""
    packages = found["packages"]
    lock = read_lock((root / "requirements.lock").read_text())
    requirement = torch_requirement(project)
    keep = keeps_torch(packages.get("torch"), requirement, lock["torch"])
    locked = found["python"] == [3, 11] and sys.platform == "linux" and platform.machine() == "x86_64"
    lines, left_out = choose(lock, packages, keep)
    if keep:
        say(f"keeping the installed torch {packages['torch']}")
        if left_out:
            say(f"left out, since they are made for torch {lock['torch']}: {', '.join(left_out)}")
    if not keep and not _same(packages.get("torch"), lock["torch"]):
        announce_download(root)
    if locked:
        if lines:
            say(f"to install from requirements.lock: {len(lines)} of {len(lock)} packages")
            pip(python, "--no-deps", *lines)
        pip(python, "--quiet", "--no-deps", "--editable", ".")
        return
    say("the lock is for Linux x86-64 with Python 3.11; installing the newest that pyproject.toml admits")
    extras = [name for name in extras_of_all(project) if not (keep and name == "train")]
    pinned = [f"torch=={packages['torch']}"] if keep else []
    pip(python, "--editable", f".[{','.join(extras)}]", *pinned)


def silence_news(venv: Path) -> None:
    """Turn off the pop-up that asks for Jupyter news: it covers the notebook and calls a web site."""
    settings = venv / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(json.dumps({NOTIFICATION: {"fetchNews": "false", "checkForUpdates": False}}))


def torch_requirement(project: dict) -> str:
    """The requirement of pyproject.toml that names torch."""
    return next(line for line in project["dependencies"] if re.match(r"torch\b", line))


def extras_of_all(project: dict) -> list[str]:
    """Names of the extras that 'all' is made of."""
    return re.findall(r"[\w-]+", project["optional-dependencies"]["all"][0].split("[")[1])


def main(arguments: list[str]) -> int:
    """Do what is missing; at once when nothing is."""
    if os.name != "posix":
        raise SetupError("wbme runs on Linux and macOS; on Windows use WSL 2")
    tests = "--tests" in arguments
    venv = ROOT / ".venv"
    python, mark, digest = venv / "bin" / "python", venv / "wbme-setup", stamp(ROOT)
    venv_works = importlib.util.find_spec("ensurepip") is not None or (venv / "bin" / "pip").exists()
    os_release = Path("/etc/os-release")
    wanted = missing_packages(tests, venv_works, os_release.read_text() if os_release.exists() else "")
    if wanted:
        install_packages(wanted)
    if not (mark.exists() and mark.read_text() == digest and python.exists()):
        with open(ROOT / "pyproject.toml", "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # of two commands at once the second waits, and finds it done
            project = tomllib.load(file)["project"]
            install(ROOT, python, make_venv(venv, torch_requirement(project)), project)
            silence_news(venv)
            if run([python, "-m", "wbme", "assets", "get"], cwd=ROOT, stdout=subprocess.DEVNULL).returncode:
                raise SetupError("the asset files could not be had (the reason is above): run again")
            mark.write_text(digest)
        say("done")
    if tests and find_chromium() is None:
        say("installing the Chromium that the tests drive")
        if run([python, "-m", "playwright", "install", "--with-deps", "chromium"]).returncode:
            raise SetupError("the tests need a Chromium: install Google Chrome or Chromium and run again")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SetupError as error:
        sys.exit(f"wbme set-up: {error}")
    except KeyboardInterrupt:
        sys.exit("wbme set-up: stopped; the same command goes on from here")
