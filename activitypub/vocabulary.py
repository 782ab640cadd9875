"""Names of the language: types, the public audience, content types, and the contexts we write."""

from typing import Any, Final

AS2: Final = "https://www.w3.org/ns/activitystreams"
PUBLIC: Final = f"{AS2}#Public"
PUBLIC_SPELLINGS: Final = frozenset({PUBLIC, "as:Public", "Public"})  # ActivityPub section 5.6 names all three

SECURITY_V1: Final = "https://w3id.org/security/v1"
MULTIKEY_V1: Final = "https://w3id.org/security/multikey/v1"
DATA_INTEGRITY_V1: Final = "https://w3id.org/security/data-integrity/v1"
DATA_INTEGRITY_V2: Final = "https://w3id.org/security/data-integrity/v2"

CONTENT_TYPE: Final = "application/activity+json"
LD_CONTENT_TYPE: Final = f'application/ld+json; profile="{AS2}"'
ACCEPT: Final = f"{CONTENT_TYPE}, {LD_CONTENT_TYPE}"

FEDAID: Final = "urn:fedaid:ns:"
VALUEFLOWS: Final = "https://w3id.org/valueflows/ont/vf#"
OM2: Final = "http://www.ontology-of-units-of-measure.org/resource/om-2/"
SCHEMA: Final = "http://schema.org#"
TOOT: Final = "http://joinmastodon.org/ns#"
ASSERTION_METHOD: Final = "https://w3id.org/security#assertionMethod"
IMPLEMENTS: Final = "https://w3id.org/fep/844e#implements"
WEBFINGER: Final = "https://purl.archive.org/socialweb/webfinger#webfinger"

ACTOR_TYPES: Final = frozenset({"Application", "Group", "Organization", "Person", "Service"})
INTRANSITIVE_TYPES: Final = frozenset({"Arrive", "Question", "Travel"})
ACTIVITY_TYPES: Final = INTRANSITIVE_TYPES | {
    "Accept",
    "Add",
    "Announce",
    "Block",
    "Create",
    "Delete",
    "Dislike",
    "EmojiReact",
    "Flag",
    "Follow",
    "Ignore",
    "Invite",
    "Join",
    "Leave",
    "Like",
    "Listen",
    "Move",
    "Offer",
    "Read",
    "Reject",
    "Remove",
    "TentativeAccept",
    "TentativeReject",
    "Undo",
    "Update",
    "View",
}

Context = list[str | dict[str, Any]]

# Activities that need no names but the language's own, and those of a proof (FEP-8b32).
PLAIN_CONTEXT: Final[Context] = [AS2, DATA_INTEGRITY_V2]


def _reference(iri: str) -> dict[str, str]:
    """A term whose value is the address of something."""
    return {"@id": iri, "@type": "@id"}


# Actors: keys (security/v1, FEP-521a), Mastodon's terms, FEP-2c59, and how our servers name their ledger and board.
ACTOR_CONTEXT: Final[Context] = [
    AS2,
    SECURITY_V1,
    DATA_INTEGRITY_V2,
    MULTIKEY_V1,
    {
        "toot": TOOT,
        "schema": SCHEMA,
        "fa": FEDAID,
        "PropertyValue": "schema:PropertyValue",
        "value": "schema:value",
        "Hashtag": "as:Hashtag",
        "sensitive": "as:sensitive",
        "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
        "discoverable": "toot:discoverable",
        "indexable": "toot:indexable",
        "featured": _reference("toot:featured"),
        "focalPoint": {"@container": "@list", "@id": "toot:focalPoint"},
        "blurhash": "toot:blurhash",
        "alsoKnownAs": _reference("as:alsoKnownAs"),
        "movedTo": _reference("as:movedTo"),
        "assertionMethod": {"@id": ASSERTION_METHOD, "@type": "@id", "@container": "@set"},
        "webfinger": WEBFINGER,
        "implements": _reference(IMPLEMENTS),
        "fa:server": _reference("fa:server"),
        "fa:ledger": _reference("fa:ledger"),
        "fa:board": _reference("fa:board"),
    },
]

# Listings, responses and matches: FEP-0837 over Valueflows, all terms inline so that nobody must fetch a context.
# hasUnit and hasNumericalValue are Valueflows' own since 0.15, as Mitra writes them.
LISTING_CONTEXT: Final[Context] = [
    AS2,
    SECURITY_V1,
    DATA_INTEGRITY_V2,
    {
        "vf": VALUEFLOWS,
        "Proposal": "vf:Proposal",
        "Intent": "vf:Intent",
        "Agreement": "vf:Agreement",
        "Commitment": "vf:Commitment",
        "EconomicEvent": "vf:EconomicEvent",
        "purpose": "vf:purpose",
        "publishes": "vf:publishes",
        "reciprocal": "vf:reciprocal",
        "unitBased": "vf:unitBased",
        "action": "vf:action",
        "resourceConformsTo": _reference("vf:resourceConformsTo"),
        "resourceQuantity": "vf:resourceQuantity",
        "effortQuantity": "vf:effortQuantity",
        "minimumQuantity": "vf:minimumQuantity",
        "availableQuantity": "vf:availableQuantity",
        "hasUnit": "vf:hasUnit",
        "hasNumericalValue": "vf:hasNumericalValue",
        "provider": _reference("vf:provider"),
        "receiver": _reference("vf:receiver"),
        "stipulates": "vf:stipulates",
        "stipulatesReciprocal": "vf:stipulatesReciprocal",
        "satisfies": _reference("vf:satisfies"),
        "fulfills": _reference("vf:fulfills"),
        "corrects": _reference("vf:corrects"),
        "hasBeginning": "vf:hasBeginning",
        "hasEnd": "vf:hasEnd",
        "hasPointInTime": "vf:hasPointInTime",
        "due": "vf:due",
        "finished": "vf:finished",
        "resourceInventoriedAs": _reference("vf:resourceInventoriedAs"),
        "sc": SCHEMA,
        "address": {"@id": "sc:address", "@type": "sc:PostalAddress"},
        "PostalAddress": "sc:PostalAddress",
        "addressLocality": "sc:addressLocality",
        "postalCode": "sc:postalCode",
        "Hashtag": "as:Hashtag",
        "sensitive": "as:sensitive",
    },
]

# Signed messages between ledgers. They are taken in exactly this shape, so not a letter of it may change.
TIMEBANK_CONTEXT: Final[Context] = [
    AS2,
    DATA_INTEGRITY_V2,
    {
        "fa": FEDAID,
        "vf": VALUEFLOWS,
        "om2": OM2,
        "Agreement": "vf:Agreement",
        "Commitment": "vf:Commitment",
        "EconomicEvent": "vf:EconomicEvent",
        "stipulates": "vf:stipulates",
        "stipulatesReciprocal": "vf:stipulatesReciprocal",
        "satisfies": "vf:satisfies",
        "fulfills": "vf:fulfills",
        "action": "vf:action",
        "provider": "vf:provider",
        "receiver": "vf:receiver",
        "resourceConformsTo": "vf:resourceConformsTo",
        "resourceQuantity": "vf:resourceQuantity",
        "hasUnit": "om2:hasUnit",
        "hasNumericalValue": "om2:hasNumericalValue",
    },
]
