"""A user's folder is signed by names, sizes and times, in memory that does not grow with it."""

import os
import tracemalloc

from wbme.lab.externals import signature


def test_a_signature_follows_names_sizes_and_times_of_files_and_nothing_else(tmp_path):
    (tmp_path / "a").mkdir()
    for name in ("a/1", "b"):
        (tmp_path / name).write_bytes(b"xy")
        os.utime(tmp_path / name, ns=(1, 1))
    first = signature(tmp_path)
    assert signature(tmp_path) == first and signature(tmp_path / "b") != signature(tmp_path / "a/1")
    seen = {first}
    for change in (
        lambda: os.utime(tmp_path / "b", ns=(1, 2)),
        lambda: (tmp_path / "b").rename(tmp_path / "c"),
        lambda: (tmp_path / "c").rename(tmp_path / "a/c"),
        lambda: (tmp_path / "a/c").write_bytes(b"xyz"),
        lambda: (tmp_path / "gone").symlink_to(tmp_path / "nowhere"),
    ):
        change()
        seen.add(signature(tmp_path))
    assert len(seen) == 6
    assert signature(tmp_path / "none") == signature(tmp_path / "neither")


def test_many_files_are_signed_flat(tmp_path):
    for k in range(3000):
        if k % 100 == 0:
            (tmp_path / f"{k}").mkdir()
        (tmp_path / f"{k // 100 * 100}" / f"{k}").touch()
    tracemalloc.start()
    signature(tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2e5
