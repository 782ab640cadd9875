"""The one place where listings, responses and agreements of ours become documents (FEP-0837 on a Note).

A listing's document is built from what its readers may know, never filtered from the whole: the member who posted it
is not looked at here, only its author on the wire, which is the board unless the member chose their own name. What is
for neighbouring networks only has the same words and is addressed to their boards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any, Final

from activitypub.vocabulary import LISTING_CONTEXT, PLAIN_CONTEXT, PUBLIC
from fedaid.board.queries import Listing, Match, Photo, Response
from fedaid.board.rules import TAKES_RESPONSES, Kind, ListingState, Mode, Rhythm
from fedaid.board.wire.threads import context_address, replies_to_come
from fedaid.foundation import wording
from fedaid.foundation.i18n import ENGLISH, speaking
from fedaid.foundation.names import Names
from fedaid.foundation.text import paragraphs

LANGUAGE: Final = "en"  # of the words that we put around what members write
_STATE_SENTENCES: Final = {
    ListingState.FILLED: "Filled, thank you.",
    ListingState.DONE: "Done, thank you.",
    ListingState.EXPIRED: "Its time is over.",
}
_PRIMARY_ACTIONS: Final = {
    Mode.HOURS: "deliverService",
    Mode.GIFT: "deliverService",
    Mode.LOAN: "transferCustody",
    Mode.SWAP: "transfer",
}
RHYTHM_WORDS: Final = {
    Rhythm.STANDING: "again and again",
    Rhythm.WEEKLY: "every week",
    Rhythm.FORTNIGHTLY: "every two weeks",
    Rhythm.MONTHLY: "every month",
}
_RETURNS: Final = {
    Mode.GIFT: "a gift, nothing is asked in return",
    Mode.LOAN: "a loan, it comes back",
    Mode.SWAP: "a swap, let us talk",
}


def wire_time(moment: datetime) -> str:
    """An instant as AS2 writes it, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def quantity(minutes: int) -> dict[str, str]:
    """A length of time as a Valueflows measure: hours as a decimal, minutes where hours would need rounding."""
    if minutes % 3:
        return {"hasUnit": "minute", "hasNumericalValue": str(minutes)}
    hours = f"{minutes // 60}.{minutes % 60 * 5 // 3:02d}"
    return {"hasUnit": "hour", "hasNumericalValue": hours.rstrip("0").rstrip(".")}


def _pieces(count: int) -> dict[str, str]:
    return {"hasUnit": "one", "hasNumericalValue": str(count)}


def listing_object(
    listing: Listing,
    board_handle: str,
    helpers: int,
    names: Names,
    photo: Photo | None = None,
    neighbours: Sequence[str] = (),
) -> dict[str, Any]:
    """The listing as its readers elsewhere see it, without a context; ``helpers`` is how many were found.

    ``neighbours`` are the boards that may have it, where it is for linked networks only.
    """
    content = listing_content(listing, helpers)
    document: dict[str, Any] = {
        "id": listing.uri,
        "type": "Note",
        "attributedTo": listing.author_actor,
        "audience": listing.board_actor,
        **audience_of(listing, neighbours),
        "published": wire_time(listing.published_at),
        **_updated(listing),
        "url": listing.page,
        "name": listing.title,
        "purpose": listing.kind.value,
        "content": content,
        "contentMap": {LANGUAGE: content},
        "sensitive": False,
        **_times(listing),
        **_location(listing),
        "publishes": _primary(listing, helpers, names),
        **_reciprocal(listing, names),
        **_conversation(listing),
        **_attachment(listing, photo, names),
        "tag": [*_hashtags(listing, names), _board_mention(listing.board_actor, board_handle, names)],
    }
    return document


def audience_of(listing: Listing, neighbours: Sequence[str]) -> dict[str, list[str]]:
    if listing.is_public:
        return {"to": [PUBLIC], "cc": [f"{listing.author_actor}/followers", listing.board_actor]}
    return {"to": list(neighbours), "cc": []}


def _conversation(listing: Listing) -> dict[str, Any]:
    """Public replies are named below what is public; nobody replies in public to anything else."""
    if not listing.is_public:
        return {}
    return {"context": context_address(listing), "replies": replies_to_come(listing)}


def _updated(listing: Listing) -> dict[str, str]:
    published, updated = wire_time(listing.published_at), wire_time(listing.updated_at)
    return {"updated": updated} if updated != published else {}


def _times(listing: Listing) -> dict[str, str]:
    """``hasEnd`` of the Note is how long the listing stands; ``startTime`` and ``endTime`` are those of the help."""
    found = {"hasEnd": listing.expires_at, "startTime": listing.starts_at, "endTime": listing.ends_at}
    return {key: wire_time(moment) for key, moment in found.items() if moment is not None}


def _intent_times(listing: Listing) -> dict[str, str]:
    if listing.starts_at is not None and listing.ends_at is None:
        return {"hasPointInTime": wire_time(listing.starts_at)}
    found = {"hasBeginning": listing.starts_at, "hasEnd": listing.ends_at}
    return {key: wire_time(moment) for key, moment in found.items() if moment is not None}


def _location(listing: Listing) -> dict[str, Any]:
    if not listing.place and listing.lat is None:
        return {}
    place: dict[str, Any] = {"type": "Place"}
    if listing.place:
        place["name"] = listing.place
    if listing.lat is not None:
        place |= {"latitude": listing.lat, "longitude": listing.lon, "radius": listing.radius_m, "units": "m"}
    return {"location": place}


def _primary(listing: Listing, helpers: int, names: Names) -> dict[str, Any]:
    intent: dict[str, Any] = {
        "id": listing.primary_uri,
        "type": "Intent",
        "action": _PRIMARY_ACTIONS[listing.mode],
        ("receiver" if listing.kind is Kind.REQUEST else "provider"): listing.author_actor,
        **_intent_times(listing),
    }
    if listing.category:
        intent["resourceConformsTo"] = names.category(listing.category)
    if listing.mode is Mode.LOAN:
        intent["resourceQuantity"] = _pieces(1)
    elif listing.minutes is not None:
        intent |= {"resourceQuantity": quantity(listing.minutes), "effortQuantity": quantity(listing.minutes)}
    if listing.people > 1:
        intent["availableQuantity"] = _pieces(max(listing.people - helpers, 0))
    if listing.state not in TAKES_RESPONSES:
        intent["finished"] = True
    return intent


def _reciprocal(listing: Listing, names: Names) -> dict[str, Any]:
    if not listing.reciprocal_uri:
        return {}
    intent: dict[str, Any] = {
        "id": listing.reciprocal_uri,
        "type": "Intent",
        "action": "transfer",
        ("provider" if listing.kind is Kind.REQUEST else "receiver"): listing.author_actor,
    }
    if listing.mode is Mode.HOURS:
        intent["resourceConformsTo"] = names.ledger
        if listing.minutes is not None:
            intent["resourceQuantity"] = quantity(listing.minutes)
    return {"reciprocal": intent}


def hashtag_of(slug: str) -> str:
    """A category as a hashtag: hyphens would end it."""
    return slug.replace("-", "")


def _attachment(listing: Listing, photo: Photo | None, names: Names) -> dict[str, list[dict[str, Any]]]:
    """A photo as Mastodon sends one (FEP-1311), its words for those who do not see it in ``name``.

    Other servers fetch files unsigned, so the photo of what is not public stays here.
    """
    if photo is None or not listing.is_public:
        return {}
    picture = {"type": "Image", "mediaType": "image/webp", "url": names.photo(photo.listing_id), "name": photo.alt}
    return {"attachment": [{**picture, "width": photo.width, "height": photo.height}]}


def _hashtags(listing: Listing, names: Names) -> list[dict[str, str]]:
    if not listing.category:
        return []
    name = hashtag_of(listing.category)
    return [{"type": "Hashtag", "name": f"#{name}", "href": names.tag(name)}]


def _board_mention(board_actor: str, handle: str, names: Names) -> dict[str, str]:
    """A board that mentions itself gets the replies of Mastodon's people, who answer all that are mentioned."""
    return {"type": "Mention", "href": board_actor, "name": f"@{handle}@{names.host}"}


def listing_content(listing: Listing, helpers: int) -> str:
    """What Mastodon shows: the facts first, in one paragraph, then the details and how to answer."""
    lines = [f"<strong>{_heading(listing.kind, listing.mode)}: {escape(listing.title)}</strong>"]
    lines += [escape(line) for line in fact_lines(listing, helpers)]
    parts = [f"<p>{'<br>'.join(lines)}</p>", paragraphs(listing.description)]
    if listing.state in TAKES_RESPONSES:
        parts.append(_how_to_answer(listing))
    return "".join(parts)


def _heading(kind: Kind, mode: Mode) -> str:
    if kind is Kind.REQUEST:
        return "Request"
    return "To borrow" if mode is Mode.LOAN else "Offer"


def fact_lines(listing: Listing, helpers: int) -> list[str]:
    """State, time, place, people and hours of a listing, one plain line each."""
    lines = [_STATE_SENTENCES[listing.state]] if listing.state in _STATE_SENTENCES else []
    if listing.urgent and listing.state in TAKES_RESPONSES:
        lines.append("Urgent")
    lines.append(f"When: {_when(listing)}")
    if listing.place:
        lines.append(f"Where: {listing.place} (approximate)")
    if listing.people > 1:
        lines.append(f"People: {listing.people}, {helpers} found")
    if listing.mode is not Mode.HOURS:
        lines.append(f"In return: {_RETURNS[listing.mode]}")
    elif listing.minutes is not None:
        lines.append(f"Time credit: {hours_spelled(listing.minutes)}")
    return lines


@speaking(ENGLISH)  # whoever asks: a document is the same for all
def _when(listing: Listing) -> str:
    span = wording.time_span(listing.starts_at, listing.ends_at, listing.time_zone)
    if listing.stands:
        return f"{RHYTHM_WORDS[listing.rhythm]}, first {span}" if span else RHYTHM_WORDS[listing.rhythm]
    if span or listing.expires_at is None:
        return span or "any time"
    return f"any time until {wording.day(listing.expires_at, listing.time_zone)}"


def hours_spelled(minutes: int) -> str:
    """``2 hours``, ``1 hour 30 minutes``."""
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} hour{'s' * (hours != 1)}"] * bool(hours) + [f"{rest} minute{'s' * (rest != 1)}"] * bool(rest)
    return " ".join(parts)


def _how_to_answer(listing: Listing) -> str:
    shown = escape(listing.page.partition("://")[2])
    purpose = "to offer help" if listing.kind is Kind.REQUEST else "to say that you would like it"
    return f'<p>Reply to this post, or open <a href="{escape(listing.page)}">{shown}</a> {purpose}.</p>'


def listing_activity(kind: str, activity_id: str, body: dict[str, Any], at: datetime) -> dict[str, Any]:
    """The Create or Update of a listing, by its author."""
    return {
        "@context": LISTING_CONTEXT,
        "id": activity_id,
        "type": kind,
        "actor": body["attributedTo"],
        "published": wire_time(at),
        "to": body["to"],
        "cc": body["cc"],
        "object": body,
    }


def delete_activity(
    activity_id: str, listing: Listing, at: datetime, audience: Mapping[str, list[str]]
) -> dict[str, Any]:
    """The Delete of a listing, by its author, for those who had it."""
    return {
        "@context": LISTING_CONTEXT,
        "id": activity_id,
        "type": "Delete",
        "actor": listing.author_actor,
        "published": wire_time(at),
        **audience,
        "object": {"id": listing.uri, "type": "Tombstone", "formerType": "Note", "deleted": wire_time(at)},
    }


def announce_activity(
    activity_id: str,
    listing: Listing,
    announced: str | dict[str, Any],
    at: datetime,
    neighbours: Sequence[str] = (),
) -> dict[str, Any]:
    """The board shows what a member says under their own name.

    ``announced`` is the listing's id, which Mastodon shows as a boost, or the member's activity unchanged (FEP-1b12).
    """
    return {
        "@context": PLAIN_CONTEXT,
        "id": activity_id,
        "type": "Announce",
        "actor": listing.board_actor,
        "published": wire_time(at),
        **_announced_to(listing, neighbours),
        "object": announced,
    }


def _announced_to(listing: Listing, neighbours: Sequence[str]) -> dict[str, list[str]]:
    if listing.is_public:
        return {"to": [PUBLIC], "cc": [f"{listing.board_actor}/followers", listing.author_actor]}
    return {"to": list(neighbours), "cc": []}


def tombstone_document(uri: str) -> dict[str, Any]:
    """What stands where a listing was."""
    return {"@context": LISTING_CONTEXT, "id": uri, "type": "Tombstone", "formerType": "Note"}


def offer_document(response: Response, listing: Listing) -> dict[str, Any]:
    """The response of a member of ours to a neighbour's listing: Offer(Agreement) from the member to its author."""
    document: dict[str, Any] = {
        "@context": LISTING_CONTEXT,
        "id": response.uri,
        "type": "Offer",
        "actor": response.helper_actor,
        "published": wire_time(response.created_at),
        "to": [response.asked_actor],
        "object": {"type": "Agreement", **_commitments(listing, response.minutes)},
    }
    if response.message:
        document["content"] = paragraphs(response.message)
    return document


def _commitments(listing: Listing, minutes: int | None) -> dict[str, Any]:
    amount = {"resourceQuantity": quantity(minutes)} if minutes is not None else {}
    primary = listing.primary_uri or listing.uri
    found = {"stipulates": {"type": "Commitment", "satisfies": primary, **amount}}
    if listing.reciprocal_uri:
        found["stipulatesReciprocal"] = {"type": "Commitment", "satisfies": listing.reciprocal_uri, **amount}
    return found


def agreement_object(match: Match, listing: Listing) -> dict[str, Any]:
    """The agreement, which names the two people for the first time; only their two networks see it."""
    agreement: dict[str, Any] = {
        "id": match.agreement_uri,
        "type": "Agreement",
        "attributedTo": listing.author_actor,
        **_commitments(listing, match.minutes),
    }
    agreement["stipulates"] |= {
        "id": f"{match.agreement_uri}#primary",
        "action": _PRIMARY_ACTIONS[listing.mode],
        "provider": match.provider,
        "receiver": match.receiver,
    }
    if "stipulatesReciprocal" in agreement:
        agreement["stipulatesReciprocal"] |= {
            "id": f"{match.agreement_uri}#reciprocal",
            "action": "transfer",
            "provider": match.receiver,
            "receiver": match.provider,
        }
    return agreement


def agreement_document(match: Match, listing: Listing) -> dict[str, Any]:
    """The agreement as its two parties may fetch it."""
    return {"@context": LISTING_CONTEXT, **agreement_object(match, listing)}


def accept_activity(activity_id: str, response: Response, match: Match, listing: Listing) -> dict[str, Any]:
    """The board's yes to an Offer, with the agreement as its result (FEP-0837)."""
    return {
        "@context": LISTING_CONTEXT,
        "id": activity_id,
        "type": "Accept",
        "actor": listing.author_actor,
        "to": [response.helper_actor],
        "object": response.uri,
        "result": agreement_object(match, listing),
    }


def reject_activity(activity_id: str, response: Response, listing: Listing, reason: str) -> dict[str, Any]:
    """The board's no to an Offer, or the end of what it had accepted."""
    document: dict[str, Any] = {
        "@context": LISTING_CONTEXT,
        "id": activity_id,
        "type": "Reject",
        "actor": listing.author_actor,
        "to": [response.helper_actor],
        "object": response.uri,
    }
    if reason:
        document["content"] = reason
    return document


def undo_activity(activity_id: str, response: Response) -> dict[str, Any]:
    """A member of ours takes an Offer back."""
    return {
        "@context": LISTING_CONTEXT,
        "id": activity_id,
        "type": "Undo",
        "actor": response.helper_actor,
        "to": [response.asked_actor],
        "object": {"id": response.uri, "type": "Offer", "actor": response.helper_actor},
    }


@dataclass(frozen=True)
class PrivateNote:
    """A word to one person elsewhere, which only they receive.

    sender, recipient   ids of actors; ``handle`` and ``page`` are the recipient's
    text                plain; ``link``, the page that it is about, stands below it unless it is empty
    """

    uri: str
    sender: str
    recipient: str
    handle: str
    page: str
    text: str
    link: str = ""
    in_reply_to: str = ""


def private_note_activity(activity_id: str, note: PrivateNote, at: datetime) -> dict[str, Any]:
    """The Create of a Note that mentions one person and is addressed to nobody else: Mastodon's private mention."""
    mention = f'<a href="{escape(note.page)}" class="u-url mention">{escape(note.handle)}</a>'
    content = f'<p><span class="h-card">{mention}</span></p>{paragraphs(note.text)}'
    if note.link:
        content += f'<p><a href="{escape(note.link)}">{escape(note.link.partition("://")[2])}</a></p>'
    body = {
        "id": note.uri,
        "type": "Note",
        "attributedTo": note.sender,
        **({"inReplyTo": note.in_reply_to} if note.in_reply_to else {}),
        "published": wire_time(at),
        "to": [note.recipient],
        "cc": [],
        "content": content,
        "tag": [{"type": "Mention", "href": note.recipient, "name": note.handle}],
    }
    return {
        "@context": LISTING_CONTEXT,
        "id": activity_id,
        "type": "Create",
        "actor": note.sender,
        "published": wire_time(at),
        "to": body["to"],
        "cc": [],
        "object": body,
    }
