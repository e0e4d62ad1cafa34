"""Which callback URLs are accepted: internal addresses in every known notation, and public ones."""

import ipaddress
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.world import words
from mockserver.engine.addresses import (
    LONGEST_URL,
    BadTarget,
    check_any,
    check_public_https,
    host_of,
    is_loopback_target,
    is_public,
    literal_address,
)

LOOPBACK = words(
    "127.0.0.1 127.255.255.254 127.1 127.0.1 0x7f.1 0X7F.1 0x7f000001 0x7F.0x0.0x0.0x1 0177.0.0.1 0177.0000.0000.0001",
    "017700000001 2130706433 00000177.0.0.1 127.0x0000000000000001 127.0.0.1. 2130706433. 0x7f.0.0.1.",
    "[::1] [0:0:0:0:0:0:0:1]",
    "localhost LOCALHOST localhost. a.localhost a.b.LocalHost. example.com.localhost",
)

WRAPPED_LOOPBACK = words(
    "[::ffff:127.0.0.1] [::ffff:7f00:1] [::1%25lo] [::1%lo] [2002:7f00:1::] [64:ff9b::7f00:1] [64:ff9b::127.0.0.1]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
)
"""Addresses that lead to this machine only by way of something else, or by a zone: captured, never contacted."""

FOLDED_TO_LOOPBACK = words(
    "１２７.０.０.１ 127。0。0。1 127．0．0．1 ①②⑦.⓪.⓪.① ０x7f.1 ２１３０７０６４３３ ｌｏｃａｌｈｏｓｔ ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "localhoſt",
    "local\u00adhost local\u200bhost local\u200dhost 127\u00ad.0.0.1 127.0.0.1。 localhost．",
)

INTERNAL = words(
    "0 0.0.0.0 00 0x0 1 10.0.0.1 10.255.255.255 012.0.0.1 172.16.0.1 172.31.255.255 192.168.0.1 192.168.1 3232235777",
    "169.254.169.254 169.254.43518 0xa9fea9fe 2852039166 100.64.0.1 100.127.255.254 192.0.0.1 192.0.2.1 198.18.0.1",
    "198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255 4294967295",
    "[::] [::ffff:10.0.0.1] [::ffff:169.254.169.254] [::ffff:a9fe:a9fe] [fe80::1] [fe80::1%25eth0] [fc00::1] [fd12::1]",
    "[ff02::1] [ff0e::1] [2001:db8::1] [100::1] [2002:a00:1::] [2002:a9fe:a9fe::] [2002:e000:1::] [64:ff9b::a00:1]",
    "[64:ff9b::a9fe:a9fe] [64:ff9b::e000:1] [2001:0:7f00:1::]",
)

NOT_GLOBAL_BY_THE_REGISTRIES = words(
    "[::127.0.0.1] [::169.254.169.254] [::a9fe:a9fe] [::2] [fec0::1] [64:ff9b:1::7f00:1] [64:ff9b:1::a9fe:a9fe]",
    "[::ffff:0:127.0.0.1] [::ffff:0:a9fe:a9fe] [3fff::1] [5f00::1] [4000::1]",
    "192.88.99.1 192.88.99.255 [2002:c058:6301::] 192.0.0.9 [2001:1::1] [2001:20::1]",
    "0127.0.0.1 010.0.0.1 0177.0.0.01",
)
"""IPv4-compatible, site-local, local-use NAT64, translated, documentation, segment routing, unassigned, the 6to4 relay,
protocol assignments, and numbers that are internal once their leading zeros are ignored."""

MALFORMED = [
    "",
    "https://",
    "https:///127.0.0.1/",
    "https:/127.0.0.1/",
    "https:127.0.0.1",
    "//example.com/",
    "example.com",
    "https://example.com\\@127.0.0.1",
    "https:\\\\127.0.0.1/",
    "https://127.0.0.1\\@example.com",
    " https://example.com/",
    "https://example.com/ ",
    "https://exam ple.com/",
    "https://example.com/a\tb",
    "https://exa\nmple.com/",
    "https://127.0.0.1\0.example.com/",
    "https://example.com/\u00a0",
    "https://127.0.0.1%00.example.com/",
    "https://%6c%6f%63%61%6c%68%6f%73%74/",
    "https://127.0.0.%31/",
    "https://localhost%2eexample.com/",
    "https://example.com／@127.0.0.1/",
    "https://example.com＠127.0.0.1/",
    "https://example.com＃@127.0.0.1/",
    "https://example.com:65536/",
    "https://example.com:0/",
    "https://example.com:00/hook",
    "https://example.com:-1/",
    "https://example.com:+443/",
    "https://example.com:４４３/",
    "https://example.com:abc/",
    "https://[::1/",
    "https://::1/",
    "https://[::g]/",
    "https://[]/",
    "https://0x/",
    "https://4294967296/",
    "https://256.0.0.1/",
    "https://127.0.0.08/",
    "https://.localhost/",
    "https://localhost../",
    "https://127..0.0.1/",
    "https://-a.example/",
    "https://a-.example/",
    f"https://{'a' * 64}.example/",
    "https://exa!mple.com/",
]

GOOD = [
    "https://your-domain.com/webhooks/image-task-completed",
    "https://app.example.com",
    "https://app.example.com:8443/hook?task=1&x=%2F#part",
    "https://user:password@app.example.com/hook",
    "https://8.8.8.8/hook",
    "https://172.15.255.255/",
    "https://172.32.0.1/",
    "https://100.128.0.1/",
    "https://[2606:4700:4700::1111]:8443/hook",
    "https://[2002:808:808::]/",
    "https://[64:ff9b::8.8.8.8]/",
    "https://예시.한국/콜백",
    "https://例え.jp/フック",
    "https://bücher.example/",
    "https://xn--bcher-kva.example/",
    "HTTPS://APP.EXAMPLE.COM/Hook",
    "https://app.example.com./hook",
    "https://my_host.example/",
    "https://localhost.example.com/",
    "https://notlocalhost/",
    "https://127.0.0.1.example.com/",
    "https://example.com/?next=https://127.0.0.1/",
    "https://example.com#@127.0.0.1/",
    "https://127.0.0.1%2f@example.com",
]
"""The last one's host is example.com: a percent sign ends no host (RFC 3986, 3.2)."""


def at(host: str) -> list[str]:
    """URLs whose host is `host`, with all that may stand around it."""
    return [f"https://{host}{rest}" for rest in ("", "/", "/hook?x=1", ":8443/hook", "#f", "?q")] + [
        f"https://{user}@{host}/hook"
        for user in ("example.com", "user:pass", "example.com:443", "a%2fb", "8.8.8.8", "")
    ]


def refused(url: str) -> str:
    with pytest.raises(BadTarget) as refusal:
        check_public_https(url)
    return str(refusal.value)


@pytest.mark.claim("EV-CB-1")
@pytest.mark.parametrize("host", LOOPBACK + WRAPPED_LOOPBACK + FOLDED_TO_LOOPBACK + INTERNAL)
def test_no_internal_address_passes(host: str) -> None:
    assert {refused(url) for url in at(host)} == {"internal addresses are not allowed"}


@pytest.mark.claim("EV-CB-1")
@pytest.mark.parametrize("host", NOT_GLOBAL_BY_THE_REGISTRIES)
def test_no_address_passes_that_is_not_globally_routable(host: str) -> None:
    assert refused(f"https://{host}/hook") == "internal addresses are not allowed"


@pytest.mark.claim("EV-CB-1")
@pytest.mark.parametrize("url", MALFORMED)
def test_what_is_no_url_is_refused(url: str) -> None:
    assert refused(url)


def test_a_bracketed_host_is_an_ipv6_address_or_nothing() -> None:
    assert refused("https://[v1.127.0.0.1]/")


@pytest.mark.claim("EV-CB-1")
@pytest.mark.parametrize("url", GOOD)
def test_a_public_https_url_passes(url: str) -> None:
    check_public_https(url)


@pytest.mark.claim("EV-CB-1")
@pytest.mark.parametrize("scheme", ["http", "HTTP"])
def test_https_alone_is_supported(scheme: str) -> None:
    assert refused(f"{scheme}://app.example.com/") == "only https is supported"


@pytest.mark.parametrize("scheme", ["ftp", "file", "javascript", "ws", "wss", "data"])
def test_other_schemes_are_no_callbacks(scheme: str) -> None:
    assert refused(f"{scheme}://app.example.com/") == "it must be an absolute http or https URL"


@pytest.mark.claim("EV-CB-1")
def test_2048_characters_pass_and_2049_do_not() -> None:
    longest = "https://app.example.com/".ljust(LONGEST_URL, "a")
    check_public_https(longest)
    assert (len(longest), refused(longest + "a")) == (2048, "it is longer than 2048 characters")


@pytest.mark.claim("EV-CB-1")
@given(
    st.ip_addresses(v=4),
    st.sampled_from(["{}", "{:#x}", "0{:o}", "[::ffff:{}]", "[64:ff9b::{:x}:{:x}]", "[2002:{:x}:{:x}::]"]),
)
def test_an_ipv4_address_passes_in_every_notation_or_in_none(address: ipaddress.IPv4Address, notation: str) -> None:
    number = int(address)
    text = notation.format(
        *(
            [number >> 16, number & 0xFFFF]
            if notation.count("{") == 2
            else [str(address) if "ffff" in notation else number]
        )
    )
    url = f"https://{text}/"
    not_global = [ipaddress.ip_network("192.88.99.0/24"), ipaddress.ip_network("192.0.0.0/24")]
    if address.is_global and not address.is_multicast and not any(address in network for network in not_global):
        check_public_https(url)
    else:
        assert refused(url) == "internal addresses are not allowed"


@given(st.text() | st.text().map("https://{}".format) | st.text().map("https://[{}]/".format))
def test_any_text_is_accepted_or_refused_and_never_crashes(text: str) -> None:
    for check in (check_public_https, check_any):
        with suppress(BadTarget):
            check(text)
    is_loopback_target(text)


@pytest.mark.claim("XH-CB-3")
@pytest.mark.parametrize(
    "url", [*GOOD, "http://127.0.0.1:9000/hook", "http://localhost/", "http://10.0.0.1/", "http://[::1]:80/"]
)
def test_a_provider_without_a_check_takes_any_http_url(url: str) -> None:
    check_any(url)


@pytest.mark.claim("XH-CB-3")
@pytest.mark.parametrize(
    "url",
    [
        url
        for url in MALFORMED
        if url not in ("https://0x/", "https://4294967296/", "https://256.0.0.1/", "https://127.0.0.08/")
    ]
    + ["ftp://a/", "not a url", "/hook"],
)
def test_a_malformed_url_is_refused_everywhere(url: str) -> None:
    with pytest.raises(BadTarget):
        check_any(url)


@pytest.mark.parametrize("host", LOOPBACK + FOLDED_TO_LOOPBACK)
def test_this_machine_is_known_in_every_notation(host: str) -> None:
    assert is_loopback_target(f"http://{host}:9000/hook")


@pytest.mark.parametrize(
    "url",
    [
        f"http://{host}/"
        for host in [
            *INTERNAL,
            *WRAPPED_LOOPBACK,
            "app.example.com",
            "8.8.8.8",
            "localhost.example.com",
            "127.0.0.1.nip.io",
        ]
    ]
    + [
        "http://127.0.0.1@example.com/",
        "http://example.com#@127.0.0.1",
        "ftp://127.0.0.1/",
        "",
        "http://127.0.0.1\\@a.com",
    ],
)
def test_anything_else_is_not_this_machine(url: str) -> None:
    assert not is_loopback_target(url)


@pytest.mark.parametrize(
    ("host", "address"), [("127.1", "127.0.0.1"), ("[::ffff:8.8.8.8]", "::ffff:8.8.8.8"), ("::1%lo", "::1")]
)
def test_a_literal_is_read(host: str, address: str) -> None:
    assert literal_address(host) == ipaddress.ip_address(address)


def test_a_name_is_no_literal() -> None:
    assert literal_address("app.example.com") is None


def test_scheme_and_host_come_in_lower_case() -> None:
    assert host_of("HTTPS://User@APP.Example.com:8443/Path") == ("https", "app.example.com")


def test_multicast_is_no_place_to_post_to() -> None:
    assert not is_public(ipaddress.ip_address("239.1.1.1"))
    assert is_public(ipaddress.ip_address("8.8.8.8"))
