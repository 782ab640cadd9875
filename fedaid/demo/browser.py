"""A browser without JavaScript: opens pages, finds the forms that stand on them, fills them in and sends them."""

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx2

ANSWER_SECONDS_MAX = 20


class NotOnThePage(Exception):
    """What the story wanted to press does not stand on the page."""


@dataclass
class Form:
    """A form as it stands on a page; ``fields`` hold what is filled in already, ``label`` the text of its button."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    label: str = ""


@dataclass(frozen=True)
class Page:
    """A page that was opened: where it stands, what it says, and its forms."""

    url: str
    status: int
    text: str
    forms: tuple[Form, ...]
    links: tuple[str, ...]

    def says(self, words: str) -> bool:
        """Whether these words can be read on the page, however they are wrapped."""
        return words.lower() in self.text.lower()

    def form(self, part_of_action: str) -> Form:
        """The first form whose address contains this. Raises NotOnThePage."""
        for found in self.forms:
            if part_of_action in found.action:
                return found
        raise NotOnThePage(f"no form for {part_of_action} on {self.url}, which says: {self.text[:600]}")

    def link(self, part: str) -> str:
        """The first link whose address contains this. Raises NotOnThePage."""
        for found in self.links:
            if part in found:
                return found
        raise NotOnThePage(f"no link to {part} on {self.url}, which says: {self.text[:600]}")


class Browser:
    """One person's browser at one instance; it keeps cookies, follows redirects and sends what browsers send."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self._client = httpx2.Client(
            base_url=origin,
            timeout=ANSWER_SECONDS_MAX,
            trust_env=False,
            headers={"Accept": "text/html", "User-Agent": "fedaid-demo"},
        )

    def open(self, path: str) -> Page:
        """The page at this path or address."""
        return self._page(self._client.get(urljoin(self.origin + "/", path), follow_redirects=True))

    def press(self, page: Page, part_of_action: str, filled: Mapping[str, str] | None = None) -> Page:
        """Fill in the form with this address and send it; the page that comes back. Raises NotOnThePage."""
        form = page.form(part_of_action)
        address = urljoin(page.url, form.action)
        fields = {**form.fields, **(filled or {})}
        if form.method == "get":
            return self._page(self._client.get(address, params=fields, follow_redirects=True))
        answer = self.send(address, fields)
        return self.open(answer.headers["location"]) if answer.has_redirect_location else self._page(answer)

    def send(self, address: str, fields: Mapping[str, str]) -> httpx2.Response:
        """Send a filled-in form: the bare answer, before the page is opened to which it may lead."""
        headers = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"}
        return self._client.post(address, data=fields, headers=headers)

    def sign_in(self, handle: str, password: str) -> None:
        """Sign in by the form. Raises NotOnThePage when the password is wrong."""
        page = self.press(self.open("/sign-in"), "/sign-in", {"handle": handle, "password": password})
        page.link("/me/account")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _page(self, answer: httpx2.Response) -> Page:
        reader = _Reader()
        reader.feed(answer.text)
        text = " ".join(" ".join(reader.words).split())
        return Page(str(answer.url), answer.status_code, text, tuple(reader.forms), tuple(reader.links))


class _Reader(HTMLParser):
    """Reads forms, links and visible words off a page."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.forms: list[Form] = []
        self.links: list[str] = []
        self._form: Form | None = None
        self._select = ""
        self._area = ""
        self._in_button = False
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in ("style", "script", "title"):
            self._hidden += 1
        elif tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._form)
        elif self._form is not None:
            self._field(tag, given, {name for name, _ in attrs})

    def _field(self, tag: str, given: Mapping[str, str], present: set[str]) -> None:
        assert self._form is not None  # noqa: S101 - only called inside a form
        name = given.get("name", "")
        if tag == "button":
            self._in_button = True
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in present or self._select not in self._form.fields):
            self._form.fields[self._select] = given.get("value", "")
        elif tag == "textarea":
            self._area = name
            self._form.fields[name] = ""
        elif tag == "input" and name and (given.get("type") not in ("radio", "checkbox") or "checked" in present):
            self._form.fields[name] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script", "title"):
            self._hidden -= 1
        elif tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""
        elif tag == "button":
            self._in_button = False

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if self._area and self._form is not None:
            self._form.fields[self._area] += html.unescape(data)
            return
        if self._in_button and self._form is not None:
            self._form.label += data.strip()
        self.words.append(data)
