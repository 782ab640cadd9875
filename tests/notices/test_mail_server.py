"""The way to the mail server: never open where it should be closed, and what it says when it takes nothing."""

import ipaddress
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fedaid.notices.limits import MailLimits, Security
from fedaid.notices.sending import MailServer, NotTaken
from tests.notices.postbox import Postbox, free_port
from tests.support.command_line import fedaid

SECRET = "open sesame"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of 127.0.0.1, signed by itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file = tmp_path / "certificate.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + pem)
    return file


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate that this machine believes."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return certificate


@contextmanager
def guarded(certificate: Path, **more: Any) -> Iterator[Postbox]:
    """A server that speaks STARTTLS and wants a password; it keeps who tried which in ``refuse``."""
    box = Postbox(port=free_port())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    def sign_in(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        assert isinstance(given, LoginPassword)
        box.refuse["tried"] = given.password.decode()
        return AuthResult(success=given.password == SECRET.encode(), handled=False)

    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=box.port,
        tls_context=context,
        require_starttls=True,
        authenticator=sign_in,
        auth_required=True,
        **more,
    )
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


def a_mail() -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "Hello", "hello@northside.example", "ana@mail.example"
    mail.set_content("This is new for you.")
    return mail


def limits(box: Postbox, **chosen: Any) -> MailLimits:
    return MailLimits(host="127.0.0.1", port=box.port, try_seconds_max=5, **chosen)


def test_it_signs_in_over_starttls_and_hands_the_mail_over(trusted: Path) -> None:
    with guarded(trusted) as box:
        MailServer(limits(box, account="northside", secret=SECRET)).send(a_mail())
    assert [one["Subject"] for one in box.mails] == ["Hello"]


def test_a_wrong_password_can_be_mended_so_the_mail_waits(trusted: Path) -> None:
    with guarded(trusted) as box, pytest.raises(NotTaken, match="535") as not_taken:
        MailServer(limits(box, account="northside", secret="wrong")).send(a_mail())
    assert not not_taken.value.refused
    assert "wrong" not in not_taken.value.why.replace("535", "")


def test_a_server_that_nobody_vouches_for_is_told_nothing(certificate: Path) -> None:
    with guarded(certificate) as box, pytest.raises(NotTaken, match="SSLCertVerificationError"):
        MailServer(limits(box, account="northside", secret=SECRET)).send(a_mail())
    assert (box.mails, box.refuse) == ([], {})


def test_a_server_without_starttls_gets_no_mail_in_the_open(box: Postbox) -> None:
    with pytest.raises(NotTaken):
        MailServer(limits(box, security=Security.STARTTLS)).send(a_mail())
    with pytest.raises(NotTaken):
        MailServer(limits(box, security=Security.TLS)).send(a_mail())
    assert box.mails == []


@pytest.mark.parametrize(
    ("said", "refused"), [("550 nobody here", True), ("553 no such name", True), ("450 mailbox busy", False)]
)
def test_only_an_address_that_nobody_has_is_refused_for_good(box: Postbox, said: str, refused: bool) -> None:
    box.refuse["ana@mail.example"] = said
    with pytest.raises(NotTaken, match=said) as not_taken:
        MailServer(limits(box, security=Security.NONE)).send(a_mail())
    assert not_taken.value.refused is refused


def test_a_server_that_is_not_there_is_no_fault_of_the_address() -> None:
    with pytest.raises(NotTaken, match="ConnectionRefusedError") as not_taken:
        MailServer(MailLimits(host="127.0.0.1", port=free_port(), security=Security.NONE)).send(a_mail())
    assert not not_taken.value.refused


# at the terminal


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    data = tmp_path / "northside"
    founded = fedaid("init", "--data", str(data), "--origin", "https://northside.example", "--name", "Northside")
    assert founded.returncode == 0, founded.stderr
    return data


def test_a_command_sends_a_mail_and_says_what_the_server_answered(
    instance: Path, box: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    off = fedaid("mail", "test", "ana@mail.example", "--data", str(instance))
    assert (off.returncode, "No mail server is set" in off.stderr) == (1, True)
    for name, value in {"HOST": "127.0.0.1", "PORT": str(box.port), "SECURITY": "none", "SECRET": SECRET}.items():
        monkeypatch.setenv(f"FEDAID_MAIL__{name}", value)
    assert fedaid("mail", "test", "not an address", "--data", str(instance)).returncode == 1
    taken = fedaid("mail", "test", "ana@mail.example", "--data", str(instance))
    assert (taken.returncode, taken.stdout) == (
        0,
        "The mail server took it. It comes from no-reply@northside.example.\n",
    )
    assert box.mails[0]["Subject"] == "A test from Northside"
    box.says = "554 no mails from you"
    refused = fedaid("mail", "test", "ana@mail.example", "--data", str(instance))
    assert (refused.returncode, "554 no mails from you" in refused.stderr) == (1, True)
    assert SECRET not in taken.stdout + refused.stderr
