"""Pieces of deflate streams: what any inflater makes of them, and their sums."""

import zlib
from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mockserver.engine.png import Adler, Piece, RunEncoder, assemble, deflated, encode_row, join_rows, run_sum, scalar

BYTES = st.sampled_from([0, 2, 80, 150, 106])
CODE = RunEncoder({(byte, 12): 5 for byte in (0, 2, 80, 150, 106)})


def inflated(*pieces: Piece) -> bytes:
    data = zlib.decompressobj(-15)
    return b"".join(data.decompress(piece.data) for piece in pieces)


def adler(piece: Piece) -> int:
    whole = Adler(1, 0, 0).then(piece.sum)
    return whole.b % 65521 << 16 | whole.a % 65521


@given(st.lists(st.tuples(BYTES, st.integers(1, 3000)), min_size=1, max_size=20))
def test_runs_inflate_to_their_bytes(runs: list[tuple[int, int]]) -> None:
    plain = b"\x02" + b"".join(bytes([byte]) * count for byte, count in runs)
    piece = join_rows(CODE, [encode_row(CODE, runs)])
    assert inflated(piece) == plain
    assert adler(piece) == zlib.adler32(plain)


@given(st.binary(max_size=2000), st.integers(1, 700), st.integers(0, 4))
def test_pieces_laid_end_to_end(plain: bytes, count: int, times: int) -> None:
    rows = encode_row(CODE, [(150, count)])
    pieces = [deflated(plain), join_rows(CODE, [rows.times(times)]), deflated(plain)]
    expected = plain + (b"\x02" + b"\x96" * count) * times + plain
    assert inflated(*pieces) == expected
    total = pieces[0].sum.then(pieces[1].sum).then(pieces[2].sum)
    assert adler(Piece(b"", total)) == zlib.adler32(expected)


def test_a_code_for_exact_frequencies() -> None:
    code = RunEncoder({(0, 1000): 9, (7, 3): 1, (2, 1): 10}, exact=True)
    piece = join_rows(code, [encode_row(code, [(7, 3), (0, 1000)])])
    assert inflated(piece) == b"\x02\x07\x07\x07" + bytes(1000)
    assert piece.sum == run_sum(2, 1).then(run_sum(7, 3)).then(run_sum(0, 1000))


def test_text_chunks() -> None:
    texts = {"plain": "naïve\n", "wide": "猫\0 😀", "broken": "\ud800 x"}
    data = assemble(2, 1, [deflated(bytes(7))], texts)
    with Image.open(BytesIO(data)) as picture:
        assert dict(picture.info) == {"plain": "naïve\n", "wide": "猫\0 😀", "broken": "\ufffd x"}
    assert b"tEXtplain\0na\xefve\n" in data


def test_surrogates_in_pairs_are_one_character() -> None:
    assert scalar("\ud83d\ude00\udc00") == "😀\ufffd"
