"""evolink: the request of `POST /v1/images/generations` (document 002, "Body"; claims EV-…)."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from mockserver.engine.sizes import Pair
from mockserver.providers.parsing import NOT_BLANK, Fields

MODEL = "gpt-image-2-beta"
LONGEST_PROMPT = 2_000
"""Unicode characters (EV-PROMPT-1: the schema's maxLength; the prose says tokens)."""

MOST_REFERENCES = 16
REFERENCE_EXTENSIONS = (".jpeg", ".jpg", ".png", ".webp")
OTHER_IMAGES = (
    *(".apng", ".avif", ".bmp", ".cr2", ".eps", ".gif", ".heic", ".heif", ".ico", ".jfif", ".jp2", ".jxl", ".nef"),
    *(".pbm", ".pdf", ".pgm", ".ppm", ".psd", ".raw", ".svg", ".svgz", ".tga", ".tif", ".tiff", ".xbm", ".xpm"),
)
"""Extensions of pictures of other kinds; any other path may trigger a download (EV-REF-1)."""

PIXELS: dict[str, Pair] = {"1:1": (1024, 1024), "3:2": (1536, 1024), "2:3": (1024, 1536), "auto": (1024, 1024)}
"""EV-SIZE-1; the pixels are ours (EV-OUT-1)."""


def _reference(url: str) -> str:
    """An http(s) URL whose path does not end like a picture of another kind (EV-REF-1, EV-REF-2)."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or any(c.isspace() for c in url):
        raise ValueError("must be an http or https URL")
    name = parts.path.rpartition("/")[2]
    extension = name[name.rfind(".") :].lower() if "." in name else ""
    if extension in OTHER_IMAGES:
        raise ValueError(f"only {', '.join(REFERENCE_EXTENSIONS)} images are supported")
    return url


Reference = Annotated[str, AfterValidator(_reference)]
References = Annotated[list[Reference], Field(max_length=MOST_REFERENCES, fail_fast=True)]


class Generation(Fields):
    """EV-MODEL-1, EV-PROMPT-1, EV-SIZE-1, EV-REF-1, EV-CB-1."""

    model: Literal["gpt-image-2-beta"]
    prompt: Annotated[str, Field(max_length=LONGEST_PROMPT), NOT_BLANK]
    size: Literal["1:1", "3:2", "2:3", "auto"] = "auto"
    image_urls: References = Field(default_factory=list)
    callback_url: str | None = None
