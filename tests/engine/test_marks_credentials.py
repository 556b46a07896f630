"""Who signs: the chain that is made, and every reason for which nobody can."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from faceengine.errors import InputError
from faceengine.provenance.credentials import (
    CERTIFICATES,
    CHAIN_FILE,
    KEY,
    KEY_FILE,
    ROOT_FILE,
    Credentials,
    ensure_chain,
    make_chain,
    private_folder,
)
from tests.engine.marking import chain


def refused(folder: Path, **more: object) -> str:
    with pytest.raises(InputError) as caught:
        Credentials.load(folder / CHAIN_FILE, folder / KEY_FILE, **more)  # type: ignore[arg-type]
    return caught.value.code


def test_a_chain_is_what_c2pa_wants(tmp_path: Path) -> None:
    made = chain(tmp_path / "chain", "A studio with a rather long name, 工作室, of more than sixty-four characters")
    leaf, root = x509.load_pem_x509_certificates(made.certificates)
    for certificate in (leaf, root):
        days = (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days
        assert 3650 <= days <= 3654
        assert isinstance(certificate.public_key().curve, ec.SECP256R1)  # type: ignore[union-attr]
    leaf.verify_directly_issued_by(root)
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert not usage.key_cert_sign
    extended = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(extended) == [ExtendedKeyUsageOID.EMAIL_PROTECTION]
    assert leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    assert made.key.startswith(b"-----BEGIN PRIVATE KEY-----")
    for name in (CHAIN_FILE, KEY_FILE, ROOT_FILE):
        assert (tmp_path / "chain" / name).stat().st_mode & 0o777 == 0o600


def test_a_chain_is_never_replaced(tmp_path: Path) -> None:
    make_chain(tmp_path, "A studio")
    before = (tmp_path / KEY_FILE).read_bytes()
    with pytest.raises(InputError) as caught:
        make_chain(tmp_path, "A studio")
    assert caught.value.code == "sign.exists"
    ensure_chain(tmp_path)
    assert (tmp_path / KEY_FILE).read_bytes() == before


def test_several_that_need_one_at_once_get_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "chain"
    processes = [get_context("fork").Process(target=_patiently, args=(folder,)) for _ in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    Credentials.load(folder / CHAIN_FILE, folder / KEY_FILE)


def _patiently(folder: Path) -> None:
    ensure_chain(folder)
    Credentials.load(folder / CHAIN_FILE, folder / KEY_FILE)


def test_nobody_can_sign_and_why(tmp_path: Path) -> None:
    assert refused(tmp_path) == "sign.missing"
    make_chain(tmp_path, "A studio")
    now = datetime.now(UTC)
    assert refused(tmp_path, now=now + timedelta(days=3660)) == "sign.expired"
    assert refused(tmp_path, now=now - timedelta(days=1)) == "sign.not_yet_valid"

    good = (tmp_path / KEY_FILE).read_bytes()
    others = {
        "sign.mismatch": ec.generate_private_key(ec.SECP256R1()),
        "sign.unreadable": rsa.generate_private_key(65537, 2048),
    }
    for code, key in others.items():
        (tmp_path / KEY_FILE).write_bytes(_pem(key))
        assert refused(tmp_path) == code
    for content in (b"", b"no key", _pem(others["sign.mismatch"], b"a password")):
        (tmp_path / KEY_FILE).write_bytes(content)
        assert refused(tmp_path) == "sign.unreadable"
    (tmp_path / KEY_FILE).write_bytes(good)
    (tmp_path / CHAIN_FILE).write_bytes(b"no certificate")
    assert refused(tmp_path) == "sign.unreadable"
    (tmp_path / CHAIN_FILE).unlink()
    (tmp_path / CHAIN_FILE).mkdir()
    assert refused(tmp_path) == "sign.unreadable"


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, password: bytes | None = None) -> bytes:
    closed = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, closed)


def test_the_environment_says_whose_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    assert Credentials.here().organisation == "Private face-swap studio"
    assert (private_folder() / CHAIN_FILE).is_relative_to(tmp_path)
    make_chain(tmp_path / "studio", "A studio")
    monkeypatch.setenv(CERTIFICATES, str(tmp_path / "studio" / CHAIN_FILE))
    with pytest.raises(InputError) as caught:
        Credentials.here()
    assert caught.value.code == "sign.missing"
    monkeypatch.setenv(KEY, str(tmp_path / "studio" / KEY_FILE))
    assert Credentials.here().organisation == "A studio"
