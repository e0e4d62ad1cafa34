"""Generated requests, valid and invalid, from the documents' tables alone."""

import string
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from .library import sizes

XH = sizes()["xhuoapi"]["gpt-image-2"]
MULTIPLE, LONGEST, MOST_PIXELS = XH["multiple"], XH["longest_side"], XH["most_pixels"]
ALIASES = frozenset(XH["aliases"])
IC = sizes()["icodeeasy"]["gpt-image-2"]
EV = sizes()["evolink"]["gpt-image-2-beta"]

SCRIPTS = (
    "a red apple",
    "노을 진 바다",
    "夕焼けの海",
    "日落时的海",
    "غروب الشمس",
    "закат",
    "सूर्यास्त",
    "🌅🎨",
    "e\u0301tude",
    "שקיעה",
)


def prompts(longest: int = 200) -> SearchStrategy[str]:
    """Prompts in every script, not blank, at most `longest` characters, without the mock's own directives."""
    free = st.text(
        st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp")), min_size=1, max_size=min(longest, 60)
    )
    return st.one_of(st.sampled_from(SCRIPTS), free).filter(lambda text: bool(text.strip()) and "[mock:" not in text)


def long_prompts(length: int) -> SearchStrategy[str]:
    """Prompts of exactly `length` characters, in one-byte to four-byte scripts."""
    return st.sampled_from("a한日🌅é").map(lambda letter: letter * length)


# xhuoapi, gpt-image-2


def within_limits(width: int, height: int) -> bool:
    """XH-SIZE-3, as the document states it."""
    sides = width % MULTIPLE == 0 and height % MULTIPLE == 0
    return bool(sides and max(width, height) <= LONGEST and width * height <= MOST_PIXELS)


def _sides() -> SearchStrategy[int]:
    """Positive multiples of 16 up to the limit."""
    return st.integers(1, LONGEST // MULTIPLE).map(lambda units: units * MULTIPLE)


def allowed_sizes(most: int = MOST_PIXELS) -> SearchStrategy[str]:
    """Sizes inside upstream's limits; `most` keeps the pictures of a run small."""
    pairs = st.tuples(_sides(), _sides()).filter(lambda pair: within_limits(*pair) and pair[0] * pair[1] <= most)
    edges = st.sampled_from(["16x16", "3840x16", "16x3840", "3840x2160", "2160x3840", "2880x2880"])
    return st.one_of(pairs.map(_size), edges)


def beyond_limits() -> SearchStrategy[str]:
    """Well-formed sizes outside upstream's limits: by one, by a step, in one side or in the product."""
    odd = st.tuples(_sides(), st.integers(1, LONGEST)).flatmap(lambda pair: st.permutations(list(pair)))
    long = st.tuples(st.integers(LONGEST + 1, 20_000), _sides()).flatmap(lambda pair: st.permutations(list(pair)))
    large = st.tuples(_sides(), _sides())
    edges = st.sampled_from(
        ["800x600", "3856x16", "16x3856", "3840x2176", "2896x2880", "1023x1024", "1024x1025", "1254x1255"]
    )
    pairs = st.one_of(odd, long, large).filter(lambda pair: not within_limits(pair[0], pair[1]))
    return st.one_of(pairs.map(_size), edges).filter(lambda size: size not in ALIASES)


def malformed_sizes() -> SearchStrategy[str]:
    """Text that has not the form WIDTHxHEIGHT and is neither auto nor empty."""
    known = st.sampled_from(
        ["1024", "1024x", "x1024", "1024x1024x1024", "1024*1024", "1:1", "16:9", "large", "1k", "AUTO ", "axb"]
    )
    text = st.text(string.ascii_letters + string.digits + ":*,.", min_size=1, max_size=12)
    return st.one_of(known, text).filter(lambda size: size != "auto" and not _is_pair(size))


def odd_sizes() -> SearchStrategy[str]:
    """Nearly WIDTHxHEIGHT: refused by a ruling (XH-SIZE-5)."""
    return st.sampled_from(
        [
            "0x0",
            "0x1024",
            "+1024x1024",
            "-16x16",
            " 1024x1024",
            "1024x1024 ",
            "1024 x 1024",
            "1024X1024",
            "1024×1024",
            "01024x1024",
            "1024x01024",
            "１０２４x１０２４",
            "1024x1024\n",
            "1e3x1024",
            "١٠٢٤x١٠٢٤",
            "1024.0x1024",
        ]
    )


def nano_sizes() -> SearchStrategy[str]:
    """Anything at all: nano-banana takes it (XH-NANO-2)."""
    return st.one_of(st.sampled_from(["2048x2048", "1:1", "1536x1024", "0x0", "auto", "", "x"]), st.text(max_size=12))


def _size(pair: Any) -> str:
    return f"{pair[0]}x{pair[1]}"


def _is_pair(text: str) -> bool:
    width, x, height = text.partition("x")
    return bool(x) and width.isdigit() and height.isdigit()


# icodeeasy


def icodeeasy_requests() -> SearchStrategy[dict[str, Any]]:
    """Valid requests without references."""
    return st.fixed_dictionaries(
        {"model": st.just("gpt-image-2"), "prompt": prompts()},
        optional={
            "n": st.integers(1, 3),
            "size": st.sampled_from([*IC["ratios"], "auto", "1536x1024", "1024x1024", "1024x1792"]),
            "resolution": st.sampled_from(IC["resolutions"]),
            "quality": st.sampled_from(IC["qualities"]),
            "response_format": st.sampled_from(["url", "b64_json"]),
        },
    )


def icodeeasy_faults() -> SearchStrategy[Mapping[str, Any]]:
    """Fields that make a valid request invalid by the document."""
    return st.one_of(
        _field("size", st.sampled_from(["7:1", "1:7", "16:10", "0:0", "1:", ":1", "wide", "1:1:1"])),
        _field("resolution", st.sampled_from(["4k", "1", "2kk", "high", "8k"])),
        _field("model", st.sampled_from(["gpt-image-1", "dall-e-3", "gpt-image-2-beta", "x"])),
        _field("image_urls", st.integers(17, 20).map(lambda count: ["https://example.com/a.png"] * count)),
        _field(
            "image_urls",
            st.sampled_from(["http://example.com/a.png", "ftp://example.com/a.png"]).map(lambda url: [url]),
        ),
        _field("image_urls", st.just(["data:image/png;base64,%%%not-base64%%%"])),
    )


# evolink


def evolink_requests() -> SearchStrategy[dict[str, Any]]:
    """Valid requests, with references and without."""
    return st.fixed_dictionaries(
        {"model": st.just("gpt-image-2-beta"), "prompt": prompts(EV["longest_prompt"])},
        optional={"size": st.sampled_from(EV["ratios"]), "image_urls": st.lists(_references(), max_size=4)},
    )


def _references() -> SearchStrategy[str]:
    names = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=8)
    return st.builds("https://example.com/{}{}".format, names, st.sampled_from(EV["extensions"]))


def evolink_faults() -> SearchStrategy[Mapping[str, Any]]:
    """Fields that make a valid request invalid by the document."""
    return st.one_of(
        _field("size", st.sampled_from(["16:9", "4:3", "1024x1024", "1536x1024", "2:1", "large"])),
        _field("model", st.sampled_from(["gpt-image-2", "dall-e-3", "x"])),
        _field(
            "prompt", st.integers(EV["longest_prompt"] + 1, EV["longest_prompt"] + 50).map(lambda length: "a" * length)
        ),
        _field("callback_url", internal_urls()),
        _field("callback_url", st.just("http://example.com/hook")),
    )


def internal_urls() -> SearchStrategy[str]:
    """https URLs of documented internal addresses: 127/8, 10/8, 172.16/12, 192.168/16."""
    byte = st.integers(0, 255)
    hosts = st.one_of(
        st.builds("10.{}.{}.{}".format, byte, byte, byte),
        st.builds("172.{}.{}.{}".format, st.integers(16, 31), byte, byte),
        st.builds("192.168.{}.{}".format, byte, byte),
        st.builds("127.{}.{}.{}".format, byte, byte, byte),
    )
    return hosts.map("https://{}/hook".format)


ODD_INTERNAL_URLS = (
    "https://localhost/h", "https://app.localhost/h", "https://[::1]/h", "https://[::ffff:127.0.0.1]/h",
    "https://2130706433/h", "https://0x7f000001/h", "https://0177.0.0.1/h", "https://127.1/h", "https://127.0.0.1./h",
    "https://169.254.169.254/h", "https://0.0.0.0/h", "https://[fe80::1]/h", "https://[fd00::1]/h",
    "https://user:pass@10.0.0.1/h", "https://100.64.0.1/h", "https://localhost./h", "https://224.0.0.1/h",
)  # fmt: skip
"""Internal hosts in odd notations: refused by a ruling (EV-CB-1)."""


def _field(name: str, values: SearchStrategy[Any]) -> SearchStrategy[Mapping[str, Any]]:
    return values.map(lambda value: {name: value})
