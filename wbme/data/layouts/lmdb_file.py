"""Reading LMDB files (data format 1, written by LMDB 0.9 on 64-bit little-endian machines), by their pages.

Of our own, and with no memory map: the C library trusts the file, and one that is cut off or made to harm
ends the process. Every page number, offset and length is checked here before it is used. Layout after the
comments of OpenLDAP's mdb.c: a page has a head of 16 bytes (number, padding, flags, lower and upper end of
its free space, or the number of overflow pages); pages 0 and 1 are meta pages; the others form a B+ tree,
whose nodes have a head of 8 bytes (low and high half of a size or page, flags, key size).
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from wbme.base.errors import MediaError

_MAGIC, _FORMAT = 0xBEEFC0DE, 1
_BRANCH, _LEAF, _OVERFLOW, _META, _LEAF2 = 1, 2, 4, 8, 32
_BIG, _OTHER = 1, 6  # node flags: the value lies on overflow pages; a sub-database or several values
_HEAD, _NODE = 16, 8
_DEEPEST = 32


class Item(NamedTuple):
    """Key, and where its value lies in the file: offset and size in bytes."""

    key: bytes
    offset: int
    size: int


class Database:
    """The database in the file at ``path``, to be closed. Raises MediaError where it is none."""

    def __init__(self, path: Path):
        self.path = path
        try:
            self._file = open(path, "rb", buffering=0)  # noqa: SIM115 closed by close
            self._size = os.fstat(self._file.fileno()).st_size
        except OSError as error:
            raise MediaError(f"cannot open {path}: {error.strerror}; check its permissions") from error
        metas = [self._meta(offset) for offset in self._metas()]
        found = max((meta for meta in metas if meta), default=None)
        if found is None:
            self.close()
            raise MediaError(
                f"{path} is no LMDB file that wbme reads, or its start is damaged; copy it again"
            )
        _, self._page, self._depth, self.entries, self._root, self._last = found

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def short(self) -> int:
        """How many bytes the file lacks at its end, 0 where it is whole."""
        return max((self._last + 1) * self._page - self._size, 0)

    def lacks(self, item: Item) -> bool:
        """Whether the value of ``item`` lies beyond the end of the file."""
        return item.offset + item.size > self._size

    def _bytes(self, offset: int, size: int) -> bytes:
        data = os.pread(self._file.fileno(), size, offset) if offset + size <= self._size else b""
        if len(data) != size:
            raise MediaError(f"{self.path} is cut off at {self._size:,} bytes; copy it again")
        return data

    def _metas(self) -> list[int]:
        """Offsets of the two meta pages: the page size stands in the first one."""
        size = struct.unpack_from("<I", self._bytes(40, 4))[0] if self._size >= 4096 else 0
        return [0, size] if size in (1 << k for k in range(9, 17)) else [0]

    def _meta(self, offset: int) -> tuple[int, int, int, int, int, int] | None:
        """Transaction, page size, depth, entries, root and last page; None where it is no meta page."""
        if offset + 160 > self._size:
            return None
        data = self._bytes(offset, 160)
        magic, version = struct.unpack_from("<II", data, _HEAD)
        page = struct.unpack_from("<I", data, 40)[0]
        main, depth, _, _, _, entries, root = struct.unpack_from("<HHQQQQQ", data, 92)
        last, transaction = struct.unpack_from("<QQ", data, 136)
        right = magic == _MAGIC and version == _FORMAT and not main & ~0x0A  # no several values a key
        right = right and page in (1 << k for k in range(9, 17)) and depth <= _DEEPEST
        return (transaction, page, depth, entries, root, last) if right else None

    def _node_page(self, number: int, level: int) -> tuple[bytes, list[int]]:
        """The page and the offsets of its nodes; ``level`` 1 must be a leaf, others branches."""
        data = self._bytes(number * self._page, self._page)
        own, _, flags, lower, upper = struct.unpack_from("<QHHHH", data)
        wanted = _LEAF if level == 1 else _BRANCH
        kind = flags & (_BRANCH | _LEAF | _OVERFLOW | _META | _LEAF2)
        if own != number or kind != wanted or not _HEAD <= lower <= upper <= self._page:
            raise MediaError(f"page {number} of {self.path} is damaged; copy it again")
        nodes = list(struct.unpack_from(f"<{(lower - _HEAD) // 2}H", data, _HEAD))
        if any(not upper <= node <= self._page - _NODE for node in nodes):
            raise MediaError(f"page {number} of {self.path} is damaged; copy it again")
        return data, nodes

    def _node(self, data: bytes, node: int) -> tuple[int, int, bytes, int]:
        """Low and high part, flags, key, and where what follows begins within the page."""
        low, high, flags, length = struct.unpack_from("<HHHH", data, node)
        end = node + _NODE + length
        if end > len(data):
            raise MediaError(f"a key of {self.path} leaves its page; copy the file again")
        return low | high << 16, flags, data[node + _NODE : end], end

    def _item(self, number: int, data: bytes, node: int) -> Item:
        size, flags, key, start = self._node(data, node)
        if flags & _OTHER:
            raise MediaError(f"{self.path} holds sub-databases, as no published set of pictures does")
        if not flags & _BIG:
            return Item(key, number * self._page + start, min(size, len(data) - start))
        if start + 8 > len(data):
            raise MediaError(f"a value of {self.path} leaves its page; copy the file again")
        return Item(key, struct.unpack_from("<Q", data, start)[0] * self._page + _HEAD, size)

    def items(self) -> Iterator[Item | MediaError]:
        """All items in the order of their keys; in place of those of a damaged or missing page its error."""
        if self._depth == 0:
            return
        left = self._last + 1  # a tree has no page twice: damaged links shall not lead in circles
        waiting = [(self._root, self._depth)]
        while waiting:
            number, level = waiting.pop()
            left -= 1
            if left < 0:
                yield MediaError(f"the pages of {self.path} lead in circles; copy it again")
                return
            try:
                data, nodes = self._node_page(number, level)
                if level > 1:
                    below = [(self._child(data, node), level - 1) for node in nodes]
                    waiting += reversed(below)
                    continue
                found = [self._item(number, data, node) for node in nodes]
            except MediaError as error:
                yield error
                continue
            yield from found

    def _child(self, data: bytes, node: int) -> int:
        low, flags, _, _ = self._node(data, node)
        return low | flags << 32

    def value(self, key: bytes, largest: int) -> bytes:
        """The value of ``key``; MediaError where it is missing, cut off or of more than ``largest`` bytes."""
        number = self._root
        for level in range(self._depth, 0, -1):
            data, nodes = self._node_page(number, level)
            if level == 1:
                for node in nodes:
                    item = self._item(number, data, node)
                    if item.key == key:
                        if item.size > largest:
                            raise MediaError(f"{item.size:,} bytes are over the limit of {largest:,}")
                        return self._bytes(item.offset, item.size)
                break
            # The first key of a branch counts as lower than all; the last one not above leads down.
            keys = [self._node(data, node)[2] for node in nodes]
            number = self._child(data, nodes[max(sum(k <= key for k in keys[1:]), 0)])
        raise MediaError(f"{self.path} holds no {key!r} any more; list the set again")
