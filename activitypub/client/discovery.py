"""From a handle to an actor: WebFinger, believed only where every host concerned says the same (attack S13)."""

from urllib.parse import quote

from activitypub import webfinger
from activitypub.client.fetch import Client
from activitypub.errors import FetchFailed, ProtocolError
from activitypub.identifiers import Handle, Url, is_loopback_address
from activitypub.keys import SigningKey
from activitypub.webfinger import Jrd


async def discover_actor(client: Client, handle: Handle, signer: SigningKey | None = None) -> str:
    """The id of the actor that ``@name@host`` names. Raises only FetchFailed.

    A host may give its handles to actors at another host, but that host must then confirm the handle by the
    ``preferredUsername`` of the actor's own document.
    """
    try:
        return await _discover(client, handle, signer)
    except FetchFailed:
        raise
    except ProtocolError as error:
        raise FetchFailed(error.code, error.sentence, permanent=True) from None


async def _discover(client: Client, handle: Handle, signer: SigningKey | None) -> str:
    first = await _ask(client, handle)
    question = webfinger.next_question(first, handle)
    second = await _ask(client, question) if question is not None else None
    confirmed, actor_id = webfinger.confirm(first, handle, second)
    actor = client.rules.parse(actor_id)
    if actor.origin.netloc != confirmed.host:
        await _check_foreign(client, confirmed, actor, signer)
    return actor.text


async def _check_foreign(client: Client, handle: Handle, actor: Url, signer: SigningKey | None) -> None:
    """The actor's own host must lead to the same handle and the same actor, as Mastodon asks it."""
    fetched = await client.fetch(actor.text, signer)
    name = fetched.document.get("preferredUsername")
    if not isinstance(name, str) or fetched.url.text != actor.text:
        raise FetchFailed("webfinger_loop", f"{actor.origin.netloc} does not confirm this handle.", permanent=True)
    own = await _ask(client, Handle(name.lower(), actor.origin.netloc))
    webfinger.check_actor_handle(handle, actor.text, own)


async def _ask(client: Client, handle: Handle) -> Jrd:
    scheme = "http" if is_loopback_address(handle.host.partition(":")[0]) else "https"
    resource = quote(f"acct:{handle.name}@{handle.host}", safe="")
    address = f"{scheme}://{handle.host}/.well-known/webfinger?resource={resource}"
    return webfinger.parse_jrd(await client.fetch_json(address, webfinger.JRD_ACCEPT))
