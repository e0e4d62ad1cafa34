"""Builds PNG files from pieces of a deflate stream, most of which are cached and shared by pictures.

A piece is several filtered rows, already deflated and ended on a byte boundary (a full flush), with its part of
the Adler-32 checksum. Pieces are concatenated, so that only a picture's new rows have to be encoded.

Almost every row has the filter `Up` and so consists mostly of runs of one byte. `RunEncoder` deflates runs without
expanding them: at 3840x2160 the rows are 25 MB, which zlib alone would need 20 ms or more for.
"""

import heapq
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from struct import pack
from typing import NamedTuple

from mockserver.engine.fast_dataclass import fast_dataclass

SIGNATURE = b"\x89PNG\r\n\x1a\n"
UP = 2  # the filter type of a row that is encoded as its difference from the row above
_ADLER = 65521
_LAST = b"\x01\x00\x00\xff\xff"  # an empty stored block, marked as the stream's last
_END = 256  # the symbol that ends a block
_LONGEST = 258  # the longest match that deflate can encode, and its symbol (285)
_LONGEST_SYMBOL = 285
_MOST_KNOWN = 2048  # encoded runs that a code keeps


class Adler(NamedTuple):
    """The Adler-32 checksum of some bytes, started at 0: their sum, their weighted sum, their number.

    Not reduced modulo 65521.
    """

    a: int
    b: int
    length: int

    def then(self, other: "Adler") -> "Adler":
        """The checksum of these bytes followed by the other's."""
        return Adler(self.a + other.a, self.b + other.b + other.length * self.a, self.length + other.length)

    def plus(self, more: tuple[int, int]) -> "Adler":
        """The checksum after some bytes have been raised; `more` is by how much that raises `a` and `b`."""
        return Adler(self.a + more[0], self.b + more[1], self.length)

    def times(self, n: int) -> "Adler":
        """The checksum of these bytes repeated `n` times."""
        return Adler(self.a * n, self.b * n + self.a * self.length * (n * (n - 1) // 2), self.length * n)


EMPTY = Adler(0, 0, 0)


@fast_dataclass
class Piece:
    """Deflated bytes that begin and end on a byte boundary, and the checksum of the bytes that they decode to."""

    data: bytes
    sum: Adler


def deflated(rows: bytes) -> Piece:
    """A piece made by zlib, for rows (each with its filter byte) that are not made of long runs."""
    packer = zlib.compressobj(1, zlib.DEFLATED, -12, 6)  # a small window and table: large ones take longer to set up
    data = packer.compress(rows) + packer.flush(zlib.Z_FULL_FLUSH)
    both = zlib.adler32(rows, 0)
    return Piece(data, Adler(both & 0xFFFF, both >> 16, len(rows)))


def run_sum(byte: int, count: int) -> Adler:
    """The checksum of `count` equal bytes."""
    return Adler(byte * count, byte * count * (count + 1) // 2, count)


@lru_cache(maxsize=1)
def _length_symbols() -> dict[int, tuple[int, str]]:
    """Match length (3 to 258) → its symbol and its extra bits, first bit first (RFC 1951, section 3.2.5)."""
    table = {_LONGEST: (_LONGEST_SYMBOL, "")}
    length = 3
    for symbol in range(257, _LONGEST_SYMBOL):
        extra = max(0, (symbol - 261) // 4)
        for value in range(1 << extra):
            table.setdefault(length + value, (symbol, f"{value:0{extra}b}"[::-1] if extra else ""))
        length += 1 << extra
    return table


def _code_lengths(weights: Mapping[int, int]) -> dict[int, int]:
    """Symbol → length of its Huffman code in bits. The code is complete, as inflaters demand."""
    heap: list[tuple[int, int, tuple[int, ...]]] = []
    heap += [(weight, symbol, (symbol,)) for symbol, weight in weights.items()]
    heapq.heapify(heap)
    lengths = dict.fromkeys(weights, 0)
    while len(heap) > 1:
        first, second = heapq.heappop(heap), heapq.heappop(heap)
        merged = first[2] + second[2]
        for symbol in merged:
            lengths[symbol] += 1
        heapq.heappush(heap, (first[0] + second[0], first[1], merged))
    return lengths


def _codes(lengths: Mapping[int, int]) -> dict[int, str]:
    """Symbol → its canonical code, first bit first (RFC 1951, section 3.2.2)."""
    codes, code, before = {}, 0, 0
    for symbol, length in sorted(lengths.items(), key=lambda item: (item[1], item[0])):
        code <<= length - before
        codes[symbol] = f"{code:0{length}b}"
        code, before = code + 1, length
    return codes


def _header(lengths: Mapping[int, int]) -> str:
    """The start of a dynamic block: code lengths of 4 bits each; one distance code, for distance 1."""
    counts = f"{286 - 257:05b}"[::-1] + "00000" + f"{19 - 4:04b}"[::-1]
    lengths_of_lengths = "000" * 3 + "001" * 16  # 16, 17 and 18 (repeats) are unused, 0 to 15 take 4 bits
    written = [lengths.get(symbol, 0) for symbol in range(286)] + [1]
    return "0" + "01" + counts + lengths_of_lengths + "".join(f"{length:04b}" for length in written)


class RunEncoder:
    """Encodes deflate blocks of runs of a few byte values, with a Huffman code made for their frequencies.

    `frequencies` has the weight of each run (byte, count). No other byte can be encoded; if `exact`, no other run.
    """

    def __init__(self, frequencies: Mapping[tuple[int, int], int], exact: bool = False) -> None:
        weights = Counter({_END: 1} if exact else dict.fromkeys(range(_END, _LONGEST_SYMBOL + 1), 1))
        for (byte, count), times in frequencies.items():
            whole, rest = divmod(count - 1, _LONGEST)
            weights[byte] += times if rest > 2 else times * (rest + 1)
            weights[_LONGEST_SYMBOL] += times * whole
            if rest > 2:
                weights[_length_symbols()[rest][0]] += times
        lengths = _code_lengths(weights)
        self._codes = _codes(lengths)
        self._head = _header(lengths)
        self._known: dict[tuple[int, int], str] = {}

    def bits(self, byte: int, count: int) -> str:
        """The bits, first bit first, for `count` (1 or more) times `byte`, one of the bytes in `frequencies`."""
        known = self._known.get((byte, count))
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[byte, count] = self._encoded(byte, count)
        return known

    def _encoded(self, byte: int, count: int) -> str:
        literal = self._codes[byte]
        whole, rest = divmod(count - 1, _LONGEST)
        if rest < 3:
            literal, tail = literal * (rest + 1), ""
        else:
            symbol, extra = _length_symbols()[rest]
            tail = self._codes[symbol] + extra + "0"
        return literal + (self._codes[_LONGEST_SYMBOL] + "0") * whole + tail if whole else literal + tail

    def piece(self, bits: str, total: Adler) -> Piece:
        """A block of these bits, closed by an empty stored block so that it ends on a byte boundary."""
        block = self._head + bits + self._codes[_END] + "000"
        size = (len(block) + 7) // 8
        return Piece(int(block[::-1], 2).to_bytes(size, "little") + b"\x00\x00\xff\xff", total)


class Rows(NamedTuple):
    """Rows as bits of a deflate block, and the checksum of the bytes that they decode to."""

    bits: str
    sum: Adler

    def times(self, n: int) -> "Rows":
        """These rows repeated `n` times."""
        return Rows(self.bits * n, self.sum.times(n))


def encode_row(code: RunEncoder, runs: Sequence[tuple[int, int]]) -> Rows:
    """A row filtered `Up`, of runs (byte, count)."""
    a = b = length = 0
    for byte, count in ((UP, 1), *runs):
        b += count * a + byte * count * (count + 1) // 2
        a += byte * count
        length += count
    return Rows(code.bits(UP, 1) + "".join([code.bits(byte, count) for byte, count in runs]), Adler(a, b, length))


def row_difference(above: Sequence[int], below: Sequence[int], widths: Sequence[int]) -> list[tuple[int, int]]:
    """The difference between two rows of parts as runs (byte, count), with equal neighbours joined."""
    runs: list[tuple[int, int]] = []
    last, length = -1, 0
    for old, new, width in zip(above, below, widths, strict=True):
        byte = (new - old) % 256
        if byte != last and length:
            runs.append((last, length))
            length = 0
        last, length = byte, length + 3 * width
    return [*runs, (last, length)]


def join_rows(code: RunEncoder, parts: Sequence[Rows]) -> Piece:
    """The rows as one piece."""
    total = EMPTY
    for part in parts:
        total = total.then(part.sum)
    return code.piece("".join(part.bits for part in parts), total)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(data, zlib.crc32(kind)))


def _text(key: str, value: str) -> bytes:
    """A tEXt chunk where Latin-1 holds the value, else an iTXt chunk."""
    try:
        return _chunk(b"tEXt", key.encode("ascii") + b"\0" + value.encode("latin-1"))
    except UnicodeEncodeError:
        # The five zero bytes: end of key, not compressed, method 0, no language, no translated key.
        return _chunk(b"iTXt", key.encode("ascii") + b"\0\0\0\0\0" + scalar(value).encode())


def scalar(text: str) -> str:
    """The text with lone surrogates, which no encoding can carry, as U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def assemble(width: int, height: int, pieces: Iterable[Piece], facts: Mapping[str, str]) -> bytes:
    """A PNG (8-bit RGB) of pieces, `height` rows of 1 + 3 * `width` bytes in all, and the facts as text."""
    pieces = tuple(pieces)
    total = Adler(1, 0, 0)
    for piece in pieces:
        total = total.then(piece.sum)
    adler = pack(">HH", total.b % _ADLER, total.a % _ADLER)
    stream = b"".join([b"\x78\x01", *(piece.data for piece in pieces), _LAST, adler])
    texts = b"".join(_text(key, value) for key, value in facts.items())
    header = _chunk(b"IHDR", pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"".join([SIGNATURE, header, texts, _chunk(b"IDAT", stream), _chunk(b"IEND", b"")])
