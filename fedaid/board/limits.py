"""The numbers of the board that an admin may change."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BoardLimits:
    """How long listings stay, and how often it is looked for those whose time is over.

    request_days                for which a request stays, unless its author chooses another day, at most a year away
    offer_days                  the same for an offer
    expire_look_seconds         how late a listing may leave the board
    tidy_seconds                how often what nobody needs any more is looked for
    public_answers_max          public answers to a listing that its replies and its conversation lead to
    expiry_warning_days         how long before it leaves the board its author reads so on My day
    expiry_notice_days          how long before that they get a notice, or half of its time: in time for a weekly mail
    expired_shown_days          how long after that it stands there still, to be put back
    thanks_characters_max       of the words with which somebody thanks for help
    photo_bytes_max             of the file of a photo that a member chooses
    photo_pixels_max            of it before it is made smaller
    photo_side_pixels_max       to which it is made smaller, on its longer side
    photo_waits_days            for which a new photo waits when a change of a listing was refused
    catch_up_pages_max          of a board's outbox that are read when one of ours begins to follow it (S14)
    catch_up_activities_max     of it that are looked at
    catch_up_fetches_max        things that it only names and that are fetched for it
    catch_up_fetch_seconds_max  how long that may take, all together
    """

    request_days: int = 14
    offer_days: int = 90
    expire_look_seconds: float = 60.0
    tidy_seconds: float = 3600.0
    public_answers_max: int = 200
    expiry_warning_days: int = 3
    expiry_notice_days: int = 8
    expired_shown_days: int = 14
    thanks_characters_max: int = 500
    photo_bytes_max: int = 10 * 1024 * 1024
    photo_pixels_max: int = 50_000_000
    photo_side_pixels_max: int = 1600
    photo_waits_days: int = 7
    catch_up_pages_max: int = 10
    catch_up_activities_max: int = 200
    catch_up_fetches_max: int = 20
    catch_up_fetch_seconds_max: float = 20.0
