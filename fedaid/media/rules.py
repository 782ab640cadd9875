"""Makes a stranger's picture harmless: decoded, made small and written anew, so nothing but its pixels is left."""

import io
from typing import Final

from PIL import Image, ImageOps

from fedaid.foundation.refused import Refused
from fedaid.foundation.said import said

CONTENT_TYPE: Final = "image/webp"  # of everything we serve
QUALITY: Final = 80
# What is asked for, and the decoders that may look at it: SVG, HTML and all else are nobody's here (attack S73).
KINDS: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"})
_FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP", "AVIF")


def harmless(content: bytes, pixels_max: int, side_pixels_max: int) -> bytes:
    """The picture as WebP with no side longer than that, without place, camera or anything hidden (S54, S73).

    Of a moving picture the first frame. Raises Refused for what is no such picture or has too many pixels.
    """
    try:
        return _written_anew(content, pixels_max, side_pixels_max)
    except Refused:
        raise
    except Exception:  # noqa: BLE001 - a decoder fed with rubbish raises whatever it likes
        raise Refused("no_picture", "This is no picture that can be shown.") from None


def size_of(content: bytes) -> tuple[int, int]:
    """Width and height in pixels of a picture that was made harmless."""
    with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
        return opened.width, opened.height


def _written_anew(content: bytes, pixels_max: int, side_pixels_max: int) -> bytes:
    with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
        if opened.width * opened.height > pixels_max:  # known from the head, before anything is unpacked
            raise Refused("too_many_pixels", said("A picture may have at most %(count)s pixels.", count=pixels_max))
        opened.draft("RGB", (side_pixels_max, side_pixels_max))
        shown = ImageOps.exif_transpose(opened)
        shown = shown.convert("RGBA" if shown.has_transparency_data else "RGB")
        shown.thumbnail((side_pixels_max, side_pixels_max))
        written = io.BytesIO()
        shown.save(written, "WEBP", quality=QUALITY, exif=b"", icc_profile=None, xmp=b"")
        return written.getvalue()
