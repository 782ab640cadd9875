"""What can be wrong with a stranger's message or document, each with a code and a sentence safe to send back."""


class ProtocolError(Exception):
    """Base of all refusals of the language. ``code`` is one stable word, ``sentence`` may be shown to the sender."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code
        self.sentence = sentence


class MalformedUrl(ProtocolError):
    """Not a URL this server would ever speak to (attacks S05, S06, S71)."""


class MalformedDocument(ProtocolError):
    """Not strict JSON, over a limit, or of the wrong shape (attacks S52, S53, S61 to S64)."""


class SignatureRefused(ProtocolError):
    """No signature, a broken one, or one that does not cover what it must (attacks S20 to S34)."""


class OriginMismatch(ProtocolError):
    """Somebody speaks for what is not theirs (FEP-fe34; attacks S10, S11, S29, S30, S40, S51)."""


class FetchFailed(ProtocolError):
    """A remote document could not be had. ``permanent`` says whether trying again later is pointless.

    ``status`` is the HTTP status of the answer, where there was one and it was the trouble.
    """

    def __init__(self, code: str, sentence: str, *, permanent: bool, status: int | None = None) -> None:
        super().__init__(code, sentence)
        self.permanent = permanent
        self.status = status
