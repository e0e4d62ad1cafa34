"""The cache of rendered pictures: bounded by bytes, the least recently used goes first."""

from concurrent.futures import ThreadPoolExecutor

from mockserver.engine.picture_cache import ENTRY_BYTES, Key, PictureCache
from mockserver.engine.picture_layout import Label


def key(name: str, prompt: str = "") -> Key:
    return Label("a", "b", "c", name, prompt), 16, 16, "png"


def test_a_picture_is_found_again() -> None:
    cache = PictureCache(10_000)
    kept = cache.add(key("one"), b"x" * 100)
    assert cache.find(key("one")) is kept
    assert cache.find(key("two")) is None
    assert cache.add(key("two"), b"x" * 100).etag == kept.etag != cache.add(key("three"), b"y").etag


def test_the_least_recently_used_goes_first() -> None:
    cache = PictureCache(3 * (ENTRY_BYTES + 100))
    for name in ("one", "two", "three"):
        cache.add(key(name), b"x" * 100)
    cache.find(key("one"))
    cache.add(key("four"), b"x" * 100)
    assert [name for name in ("one", "two", "three", "four") if cache.find(key(name))] == ["one", "three", "four"]
    assert cache.size == cache.limit


def test_a_picture_larger_than_the_cache_is_not_kept() -> None:
    cache = PictureCache(5_000)
    cache.add(key("small"), b"x")
    assert cache.add(key("large"), b"x" * 5_000).data == b"x" * 5_000
    assert cache.find(key("large")) is None
    assert cache.find(key("small")) is not None


def test_its_size_is_right_whatever_threads_do() -> None:
    cache = PictureCache(50_000)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: cache.add(key(str(n % 60)), b"x" * (n % 60)), range(4_000)))
    kept = [number for number in range(60) if cache.find(key(str(number)))]
    assert cache.size == sum(ENTRY_BYTES + number for number in kept) <= 50_000
    assert len(kept) > 40
