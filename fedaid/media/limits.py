"""Every maximum about pictures of other servers, with its unit."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MediaLimits:
    """What a stranger's picture may cost us, and how many are kept.

    picture_bytes_max        of a picture's file; a larger one is not shown
    emoji_bytes_max          the same for an emoji
    pixels_max               of a picture that is decoded at all (attack S73)
    picture_side_pixels_max  to which a picture is made smaller, on its longer side
    emoji_side_pixels_max    the same for an emoji
    cache_bytes_max          kept in all; what nobody looked at for longest goes first
    keep_days                how long a picture is kept before it is fetched anew
    failed_seconds           how long one that could not be had is not asked for again
    fetches_at_once_max      pictures fetched and made harmless at the same time
    tidy_seconds             how often it is looked for what need not be kept
    """

    picture_bytes_max: int = 8 * 1024 * 1024
    emoji_bytes_max: int = 256 * 1024
    pixels_max: int = 33_000_000
    picture_side_pixels_max: int = 1600
    emoji_side_pixels_max: int = 128
    cache_bytes_max: int = 200 * 1024 * 1024
    keep_days: float = 30
    failed_seconds: float = 600
    fetches_at_once_max: int = 4
    tidy_seconds: float = 3600
