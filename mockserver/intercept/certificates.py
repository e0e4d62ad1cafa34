"""The certificates of one run: a CA that may sign for the documented hosts alone, and their certificate.

Both are made in memory. The CA's private key is never written anywhere, and is gone when the certificate is signed.
Processes that serve one proxy are given the same ones.
"""

import os
import ssl
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

LIFETIME = timedelta(days=397)
"""Some clients refuse certificates that live longer."""

MISSING = "interception needs the package cryptography: pip install 'image-api-mockserver[intercept]'"


Identity = tuple[str, str]
"""The CA's certificate, and the hosts' certificate with its private key (PEM)."""


class Certificates:
    """What a TLS server of the documented hosts needs, and the CA's certificate that its clients must trust.

    Args:
        hosts: the only host names that the CA can sign for (RFC 5280, 4.2.1.10), all in the one certificate.
        identity: certificates of the same hosts that were made before, in place of new ones.

    Raises:
        ValueError: if the package that makes certificates is not installed.
    """

    def __init__(self, hosts: Sequence[str], identity: Identity | None = None) -> None:
        self.hosts = frozenset(hosts)
        self.identity = identity or _make(hosts)
        self.ca_pem = self.identity[0]
        self.context = self._server_context(self.identity[1].encode())

    def _server_context(self, pem: bytes) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        context.sni_callback = self._check_name
        with tempfile.TemporaryDirectory(prefix="mockserver-") as folder:
            path = Path(folder, "key.pem")  # OpenSSL reads certificates from files alone
            path.touch(mode=0o600)
            path.write_bytes(pem)
            context.load_cert_chain(path)
        return context

    def _check_name(self, tls: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> int | None:
        """End the handshake of a client that asks for another host; remember the name that it did ask for."""
        tls.requested_name = name  # type: ignore[attr-defined]
        known = name is None or name.rstrip(".").lower() in self.hosts
        return None if known else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME


def _make(hosts: Sequence[str]) -> Identity:
    try:
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    except ImportError:
        raise ValueError(MISSING) from None
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = _sign_ca(ca_key, hosts)
    chain = _sign_hosts(ca, ca_key, key, hosts).public_bytes(Encoding.PEM)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return ca.public_bytes(Encoding.PEM).decode(), (chain + private).decode()


def trusted_roots() -> str:
    """The CA certificates (PEM) that this machine's programs trust: `SSL_CERT_FILE`'s, certifi's, or OpenSSL's own."""
    paths = [os.environ.get("SSL_CERT_FILE")]
    try:
        import certifi

        paths.append(certifi.where())
    except ImportError:
        paths.append(ssl.get_default_verify_paths().cafile)
    return "".join(Path(path).read_text("utf-8", "replace") for path in paths if path and os.path.isfile(path))


def _sign_ca(key: "ec.EllipticCurvePrivateKey", hosts: Sequence[str]) -> "x509.Certificate":
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

    constraints = x509.NameConstraints([x509.DNSName(host) for host in hosts], None)
    usage = _usage(digital_signature=False, key_cert_sign=True)
    name = _name("Image API mock server: CA of one run")
    public = key.public_key()
    builder = _builder(name, name, public)
    for extension, critical in (
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (constraints, True),
        (usage, True),
        (x509.SubjectKeyIdentifier.from_public_key(public), False),
    ):
        builder = builder.add_extension(extension, critical)
    return builder.sign(key, SHA256())


def _sign_hosts(
    ca: "x509.Certificate",
    ca_key: "ec.EllipticCurvePrivateKey",
    key: "ec.EllipticCurvePrivateKey",
    hosts: Sequence[str],
) -> "x509.Certificate":
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.x509.oid import ExtendedKeyUsageOID

    builder = _builder(_name("Image API mock server"), ca.subject, key.public_key())
    for extension, critical in (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), False),
        (_usage(digital_signature=True, key_cert_sign=False), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False),
    ):
        builder = builder.add_extension(extension, critical)
    return builder.sign(ca_key, SHA256())


def _builder(
    subject: "x509.Name", issuer: "x509.Name", public: "ec.EllipticCurvePublicKey"
) -> "x509.CertificateBuilder":
    from cryptography import x509

    start = datetime.fromtimestamp(_file_time(), UTC) - timedelta(days=1)  # for programs whose clock is behind
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(start).not_valid_after(start + LIFETIME)


def _file_time() -> float:
    """Unix seconds by the file system: a test that freezes Python's clock must not date the certificates."""
    with tempfile.TemporaryFile() as file:
        return os.fstat(file.fileno()).st_mtime


def _name(text: str) -> "x509.Name":
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*, digital_signature: bool, key_cert_sign: bool) -> "x509.KeyUsage":
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=key_cert_sign,
        encipher_only=False,
        decipher_only=False,
    )
