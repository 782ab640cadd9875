"""The numbers of matching that an admin may change."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MatchingLimits:
    """How much is looked at and shown, and how quiet asking is.

    asks_per_person_per_week_max  times that one member is asked to help, by whomever; then nobody is offered them
    asks_at_once_max              people whom one press of the button asks
    asks_per_listing_max          people who are asked about one request in all
    suggestions_max               shown at one place
    candidates_max                members or listings that the database picks out for the rules to judge
    words_max                     words, and kinds of help, that are looked for at once
    word_listings_max             listings that are looked at for one of them, the newest
    offer_distance_km_max         between an offer and a request that both say where they are
    saved_searches_max            kept by one member
    alert_look_seconds            how late somebody is told of what is new for a search that they keep
    alert_searches_max            searches that are compared with new listings at once
    index_look_seconds            how late a listing of before an upgrade, or of elsewhere that changed, may be found
    index_listings_max            of them at once
    """

    asks_per_person_per_week_max: int = 2
    asks_at_once_max: int = 3
    asks_per_listing_max: int = 9
    suggestions_max: int = 5
    candidates_max: int = 100
    words_max: int = 100
    word_listings_max: int = 500
    offer_distance_km_max: int = 25
    saved_searches_max: int = 20
    alert_look_seconds: float = 30.0
    alert_searches_max: int = 300
    index_look_seconds: float = 60.0
    index_listings_max: int = 500
