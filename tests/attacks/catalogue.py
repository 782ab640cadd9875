"""The 82 attacks on servers of this kind: each with the checks that stop it, by their place in the code.

From the advisories, changelogs and mends of real servers (Mastodon, Fedify, Lemmy, GoToSocial, Pleroma, Misskey, Mitra,
Owncast, Pixelfed, Takahe). Which tests send each of them is said by those tests: ``@pytest.mark.attack("S01")``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Attack:
    """What somebody tries.

    id      as the tests name it
    name    in a few words
    checks  what stops it, outermost first, as module:attribute
    remark  what there is to say besides, such as that the door it comes by does not exist here
    """

    id: str
    name: str
    checks: Sequence[str]
    remark: str = ""


GROUPS: Final[Mapping[str, tuple[str, str]]] = {
    "What we ask of others": ("S01", "S18"),
    "Who is believed to have sent a letter": ("S20", "S39"),
    "What a letter may do": ("S40", "S58"),
    "How a letter is read": ("S60", "S66"),
    "What people see": ("S70", "S75"),
    "Pages and those who are signed in": ("S80", "S91"),
}

GUARD: Final = "activitypub.client.guard:Guard.addresses"
PARSER: Final = "activitypub.identifiers:UrlRules.parse"
CLAIM: Final = "activitypub.signatures:check_claim"
SENDER: Final = "activitypub.origin:check_sender"
EMBEDDED: Final = "activitypub.origin:check_embedded"
PROVE: Final = "inbox.authenticate:Authenticator._prove"
STRICT_JSON: Final = "activitypub.strict_json:parse_json"
TYPED: Final = "activitypub.documents:parse_activity"
AUTHOR: Final = "fedaid.board.commands.receive:_check_author"
WELCOME: Final = "fedaid.network.ports:Doorkeeper"
SANITISER: Final = "fedaid.foundation.text:sanitised"
MEMORY: Final = "inbox.memory:Memory.put"

CATALOGUE: Final = tuple(
    Attack(*row)
    for row in (
        ("S01", "A name that leads into our own network", (GUARD, "activitypub.client.guard:is_public")),
        (
            "S02",
            "A name that leads elsewhere the second time",
            ("activitypub.client.guard:Guard.connect_tcp", "activitypub.client.guard:Guard.open_line"),
        ),
        ("S03", "Redirects inward, to others, or without end", ("activitypub.client.fetch:Client._follow",)),
        (
            "S04",
            "A second way out that nobody guards",
            ("activitypub.client:Client", "fedaid.media.proxy:PictureProxy.show"),
            "There are no push subscriptions; a contract and a test say that only the client reaches others.",
        ),
        ("S05", "Odd spellings of addresses, hosts of one word", (PARSER, "activitypub.identifiers:dns_name")),
        ("S06", "Hosts that two readers read differently", (PARSER,)),
        (
            "S07",
            "An answer that unpacks to fill the memory",
            ("activitypub.client.answers:check_encoding", "activitypub.client.fetch:Client._body"),
        ),
        ("S08", "An answer that drips", ("activitypub.client.fetch:Client._deadline",)),
        (
            "S09",
            "An uploaded file that is read as somebody's document",
            ("activitypub.documents:is_activity_content_type",),
            "Nothing can be uploaded here.",
        ),
        ("S10", "A document that claims the id of another", ("activitypub.client.fetch:Client.fetch",)),
        ("S11", "A forged object inside of a letter", (EMBEDDED, "activitypub.origin:speaks_for")),
        (
            "S12",
            "Inbox or collections at somebody else's host",
            ("activitypub.documents:_inbox", "activitypub.documents:_own"),
        ),
        ("S13", "A handle of a domain that knows nothing of it", ("activitypub.webfinger:confirm",)),
        ("S14", "Pages that lead on without end", ("activitypub.collections:go_on",)),
        (
            "S15",
            "A thread that leads up without end",
            ("fedaid.board.wire.notes:wanted", "inbox.newcomers:Newcomers.admit", "inbox.worker:Worker._open"),
            "What a reply answers is looked up among what we have and never fetched; a letter makes us fetch at most "
            "fetches_per_letter_max documents.",
        ),
        (
            "S16",
            "Making us ask others again and again",
            (
                "inbox.keyring:Keyring.fetch",
                "inbox.newcomers:Newcomers.admit",
                "inbox.origins:Origins.ask",
                "fedaid.web.limits:RefusedLetters",
            ),
        ),
        ("S17", "Making us fetch a key again, or take one from a letter", ("inbox.keyring:Keyring.renew",)),
        ("S18", "A JSON-LD context at a stranger's address", ("activitypub.jsonld:expand",)),
        ("S20", "No signature, or a broken one", ("inbox.gate:_check_signed", "activitypub.signatures:read_signature")),
        (
            "S21",
            "A body that the signature does not cover",
            ("activitypub.signatures.draft_cavage:_check_coverage", "activitypub.signatures.rfc9421:_check_coverage"),
        ),
        ("S22", "A digest of another body, or two digests", ("activitypub.signatures.digests:check_digest",)),
        ("S23", "A signature over too little", ("activitypub.signatures.draft_cavage:_check_coverage",)),
        (
            "S24",
            "The same letter again, or an old one",
            ("activitypub.signatures.requests:check_window", "inbox.journal:write_down"),
        ),
        ("S25", "A query that was not signed", ("inbox.gate:check_head", "activitypub.signatures.draft_cavage:proves")),
        ("S26", "A signature for another method", ("inbox.gate:check_head", CLAIM)),
        (
            "S27",
            "Headers or parameters that stand twice",
            ("inbox.gate:_check_once", "activitypub.signatures.draft_cavage:read_parameters"),
        ),
        (
            "S28",
            "A genuine letter to somebody else",
            ("inbox.gate:_check_host", "activitypub.signatures.message:check_host"),
        ),
        ("S29", "An actor who is not the owner of the key", (SENDER, PROVE)),
        (
            "S30",
            "A key that its owner does not list",
            ("inbox.keyring:Keyring._fetch_claimed", "activitypub.documents:_key"),
        ),
        (
            "S31",
            "Another algorithm than the key's, weak keys",
            ("activitypub.signatures.algorithms:check_named", "activitypub.keys:_strong_rsa"),
        ),
        ("S32", "Signatures from the future, or over", ("activitypub.signatures.requests:check_window",)),
        (
            "S33",
            "Oddities of RFC 9421",
            ("activitypub.signatures.rfc9421:read", "activitypub.signatures.structured:inner_lists"),
        ),
        ("S34", "A Content-Digest of another body", ("activitypub.signatures.digests:check_content_digest",)),
        (
            "S35",
            "Documents altered under a signature that still verifies",
            (PROVE,),
            "Signatures of the kind RsaSignature2017 are never acted on.",
        ),
        (
            "S36",
            "Documents that take for ever to canonicalise",
            (STRICT_JSON, "activitypub.jsonld:expand"),
            "Nothing is canonicalised as RDF.",
        ),
        ("S37", "A signature inside by somebody else", (PROVE,)),
        (
            "S38",
            "Proofs of another purpose, suite, key or text",
            ("activitypub.signatures.proofs:verify_proof", "inbox.authenticate:Authenticator._author_by_proof"),
        ),
        ("S39", "Telling by the time who has an account", ("fedaid.members.commands:check_password",)),
        ("S40", "Changing what somebody else wrote", (EMBEDDED, AUTHOR)),
        (
            "S41",
            "Deleting what is another's; a late Create",
            (AUTHOR, "fedaid.board.commands.receive:_check_same_server", "fedaid.board.commands.tombstones:bury"),
        ),
        ("S42", "A pushed Update of inbox, key or name", ("fedaid.actors.wire.handlers:UpdateActorHandler.apply",)),
        ("S43", "Accepting a Follow of somebody else", ("fedaid.actors.commands:receive_answer",)),
        (
            "S44",
            "Taking back what another did",
            ("fedaid.actors.commands:receive_undo", "fedaid.board.commands.receive:receive_undo"),
        ),
        ("S45", "Forged or private things in an Announce", ("fedaid.board.wire.handlers:AnnounceHandler.apply",)),
        (
            "S46",
            "Using us as a relay",
            ("inbox.authenticate:Authenticator._from_its_origin", "fedaid.actors.wire.forward:Forwarding"),
        ),
        (
            "S47",
            "Reading what is private, or whether it exists",
            ("fedaid.actors.serving:serve", "fedaid.actors.audience:Audience"),
        ),
        ("S48", "Coming around a block", (WELCOME, "inbox.authenticate:Authenticator._refuse_host")),
        (
            "S49",
            "Moving somebody's followers to oneself",
            ("fedaid.actors.moves:receive_move", "fedaid.actors.moves:_check_alias"),
        ),
        ("S50", "A flood of reports", ("inbox.floods:Floods.check", "fedaid.network.commands:receive_report")),
        ("S51", "Ids or authors of ours", ("fedaid.board.commands.receive:_check_not_ours", TYPED)),
        ("S52", "Values of the wrong kind", (TYPED, "activitypub.accessors:text")),
        ("S53", "Too many recipients, mentions, pictures, words", ("activitypub.documents:_refuse_excess",)),
        (
            "S54",
            "Emoji with markup, of another host or kind",
            ("fedaid.board.wire.notes:_emoji", "fedaid.media.rules:harmless"),
        ),
        (
            "S55",
            "A forged approval of a quote",
            ("fedaid.board.wire.notes:read_note",),
            "Quotes are not read and approvals are not given, so a QuoteRequest is nobody's and nothing is fetched for one.",
        ),
        (
            "S56",
            "Hours forged, replayed, altered, confirmed twice",
            ("fedaid.timebank.wire:handlers", "fedaid.timebank.commands.receive:receive"),
            "The tests of the timebank send every altered message between two linked ledgers.",
        ),
        ("S57", "The same id for something else", (TYPED, "fedaid.board.commands.receive:receive_listing")),
        ("S58", "A flood of follows", ("inbox.floods:Floods.check",)),
        ("S60", "A giant body", ("inbox.gate:_check_length", "inbox.gate:_read_counted")),
        ("S61", "Deep JSON", ("activitypub.strict_json:_refuse_nesting",)),
        ("S62", "Names twice, NaN, numbers beyond measure", ("activitypub.strict_json:_loaded",)),
        (
            "S63",
            "Text that cannot be stored, or turns around",
            ("activitypub.strict_json:_refuse_unstorable", "fedaid.foundation.text:without_turning"),
        ),
        ("S64", "Other encodings than UTF-8", ("activitypub.strict_json:_decoded",)),
        ("S65", "Kinds of content that a form can send", ("inbox.gate:_check_type",)),
        (
            "S66",
            "Names and hosts that look like others",
            ("activitypub.identifiers:dns_name", "activitypub.identifiers:is_local_name"),
        ),
        ("S70", "HTML that does something", (SANITISER, "fedaid.web.headers:StrictHeaders")),
        ("S71", "Addresses that are programs", ("fedaid.board.wire.notes:page_of", PARSER)),
        ("S72", "HTML that makes pages slow or fail", (SANITISER,)),
        (
            "S73",
            "Pictures that are pages, bombs or tell a place",
            ("fedaid.media.rules:harmless", "fedaid.media.proxy:HEADERS"),
            "Nothing can be uploaded; pictures of other servers are written anew, and one that cannot be is not there (404).",
        ),
        ("S74", "A link whose words name another host", ("fedaid.foundation.text:_honest",)),
        (
            "S75",
            "Line breaks and formulas in mail, lists and logs",
            ("activitypub.accessors:name_text", "fedaid.network.rules.block_lists:write"),
            "No mail and no feed is made.",
        ),
        (
            "S80",
            "Tricks with OAuth codes and redirects",
            ("fedaid.app:routes",),
            "There is no OAuth: members make tokens on a page of theirs, and the doors it would have are not there (404).",
        ),
        (
            "S81",
            "A session that outlives a new password",
            ("fedaid.members.commands:set_password",),
            "No stream is kept open.",
        ),
        (
            "S82",
            "Forms of other sites, pages in frames",
            ("fedaid.web.headers:OwnForms", "fedaid.web.headers:CONTENT_SECURITY_POLICY"),
        ),
        ("S83", "A cookie that was there before signing in", ("fedaid.members.commands:sign_in",)),
        ("S84", "Being sent elsewhere after signing in", ("fedaid.members.rules:safe_return_path",)),
        (
            "S85",
            "Guessing passwords from made-up addresses",
            ("fedaid.members.commands:count_try", "fedaid.web.limits:RequestLimits"),
        ),
        (
            "S86",
            "Asking who has an account",
            ("fedaid.members.commands:check_password",),
            "There is no door for forgotten passwords but a link that a coordinator makes, and every link that is no good is answered alike.",
        ),
        (
            "S87",
            "Reading or changing what is another's by number",
            ("fedaid.board.queries:response", "fedaid.board.commands:edit_listing"),
        ),
        (
            "S88",
            "Text that takes long to match",
            ("fedaid.foundation.text:plain", "activitypub.signatures.draft_cavage:read_parameters"),
        ),
        (
            "S89",
            "Making us ask for an address that somebody types",
            ("fedaid.app:routes", "fedaid.board.queries:picture"),
            "There is no authorize_interaction and no search by address; pictures are shown by their number.",
        ),
        ("S90", "Filling our memory with made-up names", (MEMORY, "activitypub.client.dialects:Dialects.learn")),
        ("S91", "Making somebody act by reading a page", ("fedaid.web.headers:OwnForms", "fedaid.app:routes")),
    )
)
IDS: Final = tuple(attack.id for attack in CATALOGUE)
