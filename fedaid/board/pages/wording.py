"""How listings are said on pages: their facts in the viewer's own words and time zone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from fedaid.board.queries import Listing, Noticed, Reach, StoredPicture
from fedaid.board.rules import Kind, ListingState, Mode, Rhythm, Visibility
from fedaid.board.wire.shapes import RHYTHM_WORDS
from fedaid.foundation import wording
from fedaid.foundation.i18n import gettext as _
from fedaid.foundation.i18n import ngettext
from fedaid.foundation.places import distance_km
from fedaid.foundation.text import paragraphs
from fedaid.foundation.viewer import Viewer

NAMED_MAX = 3
KIND_WORDS = {Kind.REQUEST: "Request", Kind.OFFER: "Offer"}
RETURN_WORDS = {Mode.HOURS: "hours", Mode.GIFT: "a gift", Mode.LOAN: "a loan", Mode.SWAP: "a swap, let us talk"}
RHYTHM_CHOICE_WORDS = {Rhythm.ONCE: "once", **RHYTHM_WORDS}
VISIBILITY_CHOICE_WORDS = {
    Visibility.EVERYBODY: "everybody: neighbours, linked networks, and who follows the board",
    Visibility.NEIGHBOURS: "members here and in linked networks",
    Visibility.MEMBERS: "members here only",
    Visibility.GROUP: "only those in the group whose board it is on",
}
SEEN_BY_WORDS = {
    Visibility.NEIGHBOURS: "Members here and in linked networks",
    Visibility.MEMBERS: "Members here only",
    Visibility.GROUP: "This group only",
}
NUMBER_WORDS = ("None", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
STATE_WORDS = {
    ListingState.DRAFT: "Not on the board yet",
    ListingState.OPEN: "Open",
    ListingState.PARTLY_FILLED: "Some help found",
    ListingState.FILLED: "Filled, thank you",
    ListingState.DONE: "Done, thank you",
    ListingState.EXPIRED: "Its time is over",
    ListingState.WITHDRAWN: "Taken off the board",
}

_TAG_OR_SHORTCODE = re.compile(r'<(?:[^"<>]|"[^"]*")*>|:[a-zA-Z0-9_]{2,64}:')


@dataclass(frozen=True)
class Shown:
    """A listing with everything a page says about it.

    when, people, back   the facts in words, empty where there is nothing to say
    badge                the state where it is not simply open
    seen_by              who may see it, where that is not everybody
    away                 how far it is from where the viewer lives, where both are known
    who                  who posted it, as far as the viewer may know
    face                 whose initials stand beside that
    network              the neighbouring network it is from, empty for ours
    details              safe to be put into a page as it is
    """

    listing: Listing
    kind: str
    when: str
    people: str
    back: str
    badge: str
    who: str
    face: str
    network: str
    age: str
    until: str
    details: Markup
    is_open: bool
    is_mine: bool
    seen_by: str = ""
    away: str = ""


def shown(one: Noticed, viewer: Viewer, now: datetime, lives_at: tuple[float, float] | None = None) -> Shown:
    """The listing in words for this viewer, who lives there."""
    listing = one.listing
    who, face = _called(one, viewer)
    return Shown(
        listing=listing,
        kind=_(KIND_WORDS[listing.kind]),
        when=_when(listing, viewer, now),
        people=_people(listing, one.helpers),
        back=_back(listing),
        badge="" if listing.state is ListingState.OPEN else _(STATE_WORDS[listing.state]),
        who=who,
        face=face,
        network="" if listing.local else one.board.name,
        age=ago(listing.published_at, now),
        until=wording.day_and_time(listing.expires_at, viewer.time_zone) if listing.expires_at is not None else "",
        details=_details(listing),
        is_open=listing.takes_responses(now),
        is_mine=listing.is_by(viewer),
        seen_by=SEEN_BY_WORDS.get(listing.visibility, ""),
        away=_away(listing, viewer, lives_at),
    )


def _away(listing: Listing, viewer: Viewer, lives_at: tuple[float, float] | None) -> str:
    if lives_at is None or listing.lat is None or listing.lon is None or listing.is_by(viewer):
        return ""
    return _("about %(km)s km away", km=max(1, round(distance_km(lives_at, (listing.lat, listing.lon)))))


def _when(listing: Listing, viewer: Viewer, now: datetime) -> str:
    times = listing.time_from(now)
    span = wording.time_span(*times, viewer.time_zone)
    if not listing.stands:
        return span
    rhythm = _(RHYTHM_WORDS[listing.rhythm])
    if not span:
        return rhythm
    is_first = times == (listing.starts_at, listing.ends_at)
    if is_first:
        return _("%(rhythm)s, first %(when)s", rhythm=rhythm, when=span)
    return _("%(rhythm)s, next %(when)s", rhythm=rhythm, when=span)


def _people(listing: Listing, helpers: int) -> str:
    if listing.people == 1:
        return ""
    if not listing.local:
        return ngettext("%(num)s person", "%(num)s people", listing.people)
    if helpers == 0:
        return ngettext("%(num)s person, none found yet", "%(num)s people, none found yet", listing.people)
    return _("%(found)s of %(people)s people found", found=_number(helpers), people=_number(listing.people).lower())


def _number(count: int) -> str:
    """``Two``, and figures above ten."""
    return _(NUMBER_WORDS[count]) if count < len(NUMBER_WORDS) else str(count)


def _back(listing: Listing) -> str:
    if listing.mode is Mode.HOURS and listing.minutes is not None:
        return _("about %(hours)s", hours=wording.in_words(listing.minutes))
    return _(RETURN_WORDS[listing.mode])


def _called(one: Noticed, viewer: Viewer) -> tuple[str, str]:
    """How whoever posted it is called, and whose initials stand beside that."""
    if one.listing.is_by(viewer) and not one.listing.is_for_elsewhere:
        return _("You"), viewer.name
    name = one.author.name if one.author is not None else _("A neighbour")
    return name, name


def _details(listing: Listing) -> Markup:
    html = paragraphs(listing.description) if listing.local else listing.content_html
    return Markup(html)  # noqa: S704 - ours is escaped, theirs went through the sanitiser when it came


def with_emoji(html: Markup, pictures: Sequence[StoredPicture], folder: str = "/pictures") -> Markup:
    """The HTML with custom emoji where their shortcodes stand in its text; inside tags nothing is touched."""
    emoji = {one.alt: one for one in pictures if one.emoji}
    if not emoji:
        return html

    def shown_as_picture(found: re.Match[str]) -> str:
        one = emoji.get(found[0])
        return f'<img class="emoji" src="{folder}/{one.id}" alt="{one.alt}" title="{one.alt}">' if one else found[0]

    return Markup(_TAG_OR_SHORTCODE.sub(shown_as_picture, html))  # noqa: S704 - shortcodes are letters and digits


def reached(reach: Reach) -> str:
    """How far a listing has got, for the neighbour who posted it."""
    if not reach.waiting and not reach.lost:
        return ngettext("It has reached one network.", "It has reached all %(num)s other networks.", reach.total)
    parts = [_("It has reached %(arrived)s of %(total)s other networks.", arrived=reach.arrived, total=reach.total)]
    if reach.waiting:
        on_the_way = _(
            "On its way to %(networks)s; we keep trying, there is nothing you need to do.",
            networks=_named(reach.waiting),
        )
        parts.append(on_the_way)
    if reach.lost:
        parts.append(_("Not taken by %(networks)s.", networks=_named(reach.lost)))
    return " ".join(parts)


def _named(hosts: Sequence[str]) -> str:
    """Some of them by name, the others counted."""
    shown = list(hosts[:NAMED_MAX])
    rest = len(hosts) - len(shown)
    return ", ".join([*shown, _("%(count)s more", count=rest)] if rest else shown)


def ago(then: datetime, now: datetime) -> str:
    """``just now``, ``5 min ago``, ``3 h ago``, ``2 days ago``."""
    minutes = int((now - then).total_seconds() // 60)
    if minutes < 1:
        return _("just now")
    if minutes < 60:
        return _("%(minutes)s min ago", minutes=minutes)
    if minutes < 24 * 60:
        return _("%(hours)s h ago", hours=minutes // 60)
    days = minutes // (24 * 60)
    return _("yesterday") if days == 1 else ngettext("%(num)s day ago", "%(num)s days ago", days)
