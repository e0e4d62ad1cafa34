"""The certificates of a run: what the CA may sign for, and that nothing secret stays anywhere."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from freezegun import freeze_time

from mockserver.intercept import certificates
from mockserver.intercept.certificates import Certificates, trusted_roots

HOSTS = ("api.evolink.ai", "files.evolink.ai")


def parts(made: Certificates) -> x509.Certificate:
    return x509.load_pem_x509_certificate(made.ca_pem.encode())


def test_the_ca_can_sign_for_the_documented_hosts_alone() -> None:
    ca = parts(Certificates(HOSTS))
    constraints = ca.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert [name.value for name in constraints.value.permitted_subtrees or ()] == list(HOSTS)
    assert ca.extensions.get_extension_for_class(x509.BasicConstraints).value == x509.BasicConstraints(True, 0)


def test_a_certificate_that_this_ca_signs_for_another_host_is_refused() -> None:
    """What name constraints are for: shown with the CA's own signature under another host's name."""
    from cryptography.hazmat.primitives.asymmetric import ec

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = certificates._sign_ca(ca_key, HOSTS)
    for name, good in (("api.evolink.ai", True), ("example.com", False)):
        leaf = certificates._sign_hosts(ca, ca_key, key, (name,))
        verifier = PolicyBuilder().store(Store([ca])).build_server_verifier(x509.DNSName(name))
        if good:
            assert verifier.verify(leaf, []) == [leaf, ca]
        else:
            with pytest.raises(VerificationError, match="name constraint"):
                verifier.verify(leaf, [])


def test_every_run_has_a_ca_of_its_own() -> None:
    assert Certificates(HOSTS).ca_pem != Certificates(HOSTS).ca_pem


def test_no_key_stays_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    Certificates(HOSTS)
    assert list(tmp_path.iterdir()) == []


@freeze_time("2001-02-03")
def test_a_frozen_clock_does_not_date_the_certificates() -> None:
    ca = parts(Certificates(HOSTS))
    assert ca.not_valid_before_utc.year > 2020
    assert ca.not_valid_after_utc - ca.not_valid_before_utc <= timedelta(days=398)


def test_they_are_valid_now() -> None:
    ca = parts(Certificates(HOSTS))
    assert ca.not_valid_before_utc < datetime.now(UTC) < ca.not_valid_after_utc


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "cryptography.hazmat.primitives.asymmetric", None)
    with pytest.raises(ValueError, match=r"pip install 'image-api-mockserver\[intercept\]'"):
        Certificates(HOSTS)


def test_the_bundle_has_what_programs_trust_anyway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "company.pem"
    own.write_text(Certificates(HOSTS).ca_pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(own))
    roots = trusted_roots()
    assert own.read_text() in roots
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=roots)
    assert context.cert_store_stats()["x509_ca"] > 50
