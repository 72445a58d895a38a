"""LSUN's databases, and LMDB files that are cut off, damaged or empty: no crash, and what can be read is."""

import hashlib
import io
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from wbme.base.errors import MediaError
from wbme.data import manifest, sources
from wbme.data.candidates import draw
from wbme.data.layouts.lmdb_file import Database

_PAGE = 4096


def page(number, flags, nodes=(), pages=None):
    """A page of LMDB's format 1 with ``nodes`` (bytes, in the order of their keys)."""
    if pages is not None:
        return struct.pack("<QHHI", number, 0, flags, pages)
    data, upper, starts = bytearray(_PAGE), _PAGE, []
    for node in nodes:
        upper -= len(node) + (len(node) & 1)
        data[upper : upper + len(node)] = node
        starts.append(upper)
    struct.pack_into("<QHHHH", data, 0, number, 0, flags, 16 + 2 * len(nodes), upper)
    struct.pack_into(f"<{len(starts)}H", data, 16, *starts)
    return bytes(data)


def write_lmdb(path, items):
    """``items`` (bytes: bytes) as the C library lays them out: leaves, branches, overflow pages."""
    pages, leaves, nodes, first = [b"", b""], [], [], None

    def close():
        leaves.append((first, len(pages)))
        pages.append(page(len(pages), 2, nodes))
        nodes.clear()

    for key, value in sorted(items.items()):
        large = len(value) > 1000
        size = 8 + len(key) + (8 if large else len(value))
        if sum(len(n) + 3 for n in nodes) + size + 20 > _PAGE - 16:
            close()
        if not nodes:
            first = key
        told = value
        if large:
            count = -(-(16 + len(value)) // _PAGE)
            whole = page(len(pages), 4, pages=count) + value
            told = struct.pack("<Q", len(pages))
            pages += [whole[k * _PAGE : (k + 1) * _PAGE].ljust(_PAGE, b"\0") for k in range(count)]
        nodes.append(
            struct.pack("<HHHH", len(value) & 0xFFFF, len(value) >> 16, large, len(key)) + key + told
        )
    if nodes:
        close()
    root, depth = (leaves[0][1] if leaves else (1 << 64) - 1), min(len(leaves), 1)
    while len(leaves) > 1:
        above = [leaves[k : k + 60] for k in range(0, len(leaves), 60)]
        leaves, depth = [], depth + 1
        for group in above:
            branch = [
                struct.pack("<HHHH", n & 0xFFFF, n >> 16, 0, len(key) if k else 0) + (key if k else b"")
                for k, (key, n) in enumerate(group)
            ]
            leaves.append((group[0][0], len(pages)))
            pages.append(page(len(pages), 1, branch))
        root = leaves[0][1]
    for number, transaction in ((0, 0), (1, 1)):
        used = (depth, 0, 0, 0, len(items), root) if transaction else (0, 0, 0, 0, 0, (1 << 64) - 1)
        meta = struct.pack("<QHHI", number, 0, 8, 0) + struct.pack("<IIQQ", 0xBEEFC0DE, 1, 0, 1 << 40)
        meta += struct.pack("<IHHQQQQQ", _PAGE, 8, 0, 0, 0, 0, 0, (1 << 64) - 1)
        meta += struct.pack("<IHHQQQQQ", 0, 0, *used) + struct.pack("<QQ", len(pages) - 1, transaction)
        pages[number] = meta.ljust(_PAGE, b"\0")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(pages))
    return b"".join(pages)


def key_of(number):
    return hashlib.sha1(str(number).encode()).hexdigest().encode()


def encoded(number, kind):
    rgb = np.random.default_rng(number).integers(0, 255, (40, 32, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("WBME_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def lsun(tmp_path):
    root = tmp_path / "lsun"
    for name, first, kind in (
        ("church_outdoor_train_lmdb", 0, "WEBP"),
        ("church_outdoor_val_lmdb", 20, "JPEG"),
        ("cat", 40, "WEBP"),
    ):
        write_lmdb(root / name / "data.mdb", {key_of(k): encoded(k, kind) for k in range(first, first + 8)})
        (root / name / "lock.mdb").write_bytes(b"")
    return root


def listed(tmp_path, root):
    (tmp_path / "listing").mkdir(exist_ok=True)
    return manifest.listing(tmp_path / "listing", root, "auto", "rooms", "")


def test_pictures_come_out_of_the_databases_byte_for_byte(tmp_path, lsun):
    found = listed(tmp_path, lsun)
    assert found.layout == "lsun" and len(found) == 24
    assert found.told == "LSUN, 3 databases: cat, church_outdoor_train_lmdb, church_outdoor_val_lmdb"
    made = sources.write(tmp_path / "out", draw(found, 0, 0))
    found.keep(tmp_path / "out", made.pictures)
    assert len(made.pictures) == 24 and not made.rejected
    for row in made.pictures:
        number = next(k for k in range(60) if key_of(k).decode() == row["identity"])
        kind = "JPEG" if row["split"] == "val" and row["group"] == "church_outdoor" else "WEBP"
        data = encoded(number, kind)
        assert (made.folder / row["file"]).read_bytes() == data
        assert row["sha256"] == hashlib.sha256(data).hexdigest()
        assert row["file"].endswith(".jpg" if kind == "JPEG" else ".webp")
    split = {(row["group"], row["split"]) for row in made.pictures if row["group"] != "cat"}
    assert split == {("church_outdoor", "train"), ("church_outdoor", "val")}
    assert all(row["sha256"] for row in manifest.read(tmp_path / "out"))
    assert sorted(path.name for path in (lsun / "cat").iterdir()) == ["data.mdb", "lock.mdb"]


def test_one_database_alone_is_a_set(tmp_path, lsun):
    assert len(listed(tmp_path, lsun / "church_outdoor_val_lmdb")) == 8


def test_a_database_that_is_cut_off_gives_what_is_left_of_it(tmp_path, lsun):
    path = lsun / "cat/data.mdb"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - _PAGE // 2])
    found = listed(tmp_path, lsun)
    why = [one.rejected for one in found.rejected]
    assert "cat/data.mdb lacks its last 2,048 bytes; copy it again" in why[0]
    assert len(found) >= 16
    path.write_bytes(whole[:6000])
    assert "is cut off at 6,000 bytes; copy it again" in listed(tmp_path, lsun).rejected[1].rejected
    for rest in (b"", b"x" * 100, b"\0" * 9000):
        path.write_bytes(rest)
        found = listed(tmp_path, lsun)
        assert len(found) == 16 and "cat/data.mdb is no LMDB file" in found.rejected[0].rejected
        assert str(tmp_path) not in found.rejected[0].rejected


def test_a_value_that_is_no_picture_is_rejected_alone(tmp_path):
    items = {key_of(0): encoded(0, "WEBP"), key_of(1): b"not a picture", key_of(2): b""}
    write_lmdb(tmp_path / "set/cat/data.mdb", items)
    made = sources.write(tmp_path / "out", draw(listed(tmp_path, tmp_path / "set"), 0, 0))
    assert len(made.pictures) == 1
    assert {row["name"] for row in made.rejected} == {f"cat/data.mdb/{key_of(k).decode()}" for k in (1, 2)}
    assert all("is not a picture" in row["why"] for row in made.rejected)


def test_an_empty_database_has_no_items(tmp_path):
    write_lmdb(tmp_path / "data.mdb", {})
    assert list(Database(tmp_path / "data.mdb").items()) == []


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_anywhere_ends_in_errors_of_ours_only(tmp_path, data):
    items = {key_of(k): bytes([k]) * (50 + 1500 * (k % 3 == 0)) for k in range(120)}
    whole = bytearray(write_lmdb(tmp_path / "data.mdb", items))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) // _PAGE - 1)) * _PAGE + data.draw(st.integers(0, 200))
        whole[at] = data.draw(st.integers(0, 255))
    (tmp_path / "data.mdb").write_bytes(whole[: data.draw(st.integers(len(whole) // 2, len(whole)))])
    try:
        database = Database(tmp_path / "data.mdb")
        for item in database.items():
            if not isinstance(item, MediaError):
                database.value(item.key, 1 << 20)
    except MediaError as error:
        assert "\n" not in str(error)


def test_what_the_c_library_writes_is_read(tmp_path):
    lmdb = pytest.importorskip("lmdb")
    items = {key_of(k): bytes([k % 251]) * (20 + 9000 * (k % 40 == 0)) for k in range(4000)}
    env = lmdb.open(str(tmp_path), map_size=1 << 28)
    with env.begin(write=True) as change:
        for key, value in items.items():
            change.put(key, value)
    with env.begin(write=True) as change:  # pages that were freed must not be seen
        for key in list(items)[::3]:
            change.delete(key)
            del items[key]
    env.close()
    database = Database(tmp_path / "data.mdb")
    assert database.entries == len(items) and not database.short
    assert [item.key for item in database.items()] == sorted(items)
    assert all(database.value(key, 1 << 20) == items[key] for key in list(items)[::7])


@pytest.mark.slow
def test_a_hundred_thousand_keys_are_listed_flat(tmp_path):
    items = {f"{k:040x}".encode(): b"x" for k in range(100_000)}
    write_lmdb(tmp_path / "set/bedroom_train_lmdb/data.mdb", items)
    tracemalloc.start()
    found = listed(tmp_path, tmp_path / "set")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == 100_000 and peak < 4e6
