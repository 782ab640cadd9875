"""An authority of the bench's own, and certificates of it for addresses of this machine."""

import ipaddress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the bench's own authority")])
DAYS = 7


class Authority:
    """P-256 throughout, as most of the web is now."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._theirs = ec.generate_private_key(ec.SECP256R1())  # one for all servers: making keys is not measured

    @property
    def certificate(self) -> bytes:
        """What a client is told to trust, PEM."""
        built = _begun(NAME, self._key.public_key())
        built = built.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        return built.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    @cache  # noqa: B019 - lives as long as its program
    def for_address(self, address: str) -> bytes:
        """A certificate and its key for the server at this address, PEM."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
        built = _begun(name, self._theirs.public_key())
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        built = built.add_extension(names, critical=False).add_extension(usage, critical=False)
        certificate = built.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        return certificate + self._pem(self._theirs)

    @staticmethod
    def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
        plain = serialization.NoEncryption()
        return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)

    def write(self, file: Path) -> None:
        """What a client is told to trust, in a file."""
        file.write_bytes(self.certificate)


def _begun(name: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    begun = x509.CertificateBuilder().subject_name(name).issuer_name(NAME).public_key(key)
    begun = begun.serial_number(x509.random_serial_number())
    return begun.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=DAYS))
