"""Who signs: a chain of certificates and the key of its first one."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from faceengine import given
from faceengine.errors import InputError
from faceengine.files import only_process, replace_file

CERTIFICATES, KEY = "SIGNING_CERTIFICATES", "SIGNING_KEY"
"""Variables with the paths of the chain and the key."""
CHAIN_FILE, KEY_FILE, ROOT_FILE = "certificates.pem", "key.pem", "root.pem"
YEARS = 10
"""A signature without a time stamp counts only as long as its certificate does."""
_BACKDATED = timedelta(hours=1)
"""Clocks of machines that sign and check differ."""
_PATIENCE_SECONDS = 10.0
_MINUTES = "%Y-%m-%d %H:%M"
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


@dataclass(frozen=True)
class Credentials:
    """A chain that may sign now."""

    certificates: bytes
    """PEM, the signer's own certificate first."""
    key: bytes
    """PEM, PKCS#8, not encrypted."""
    algorithm: str
    signer: str
    """Common name of the signer's certificate."""
    organisation: str

    @classmethod
    def load(cls, certificates: Path, key: Path, *, now: datetime | None = None) -> Self:
        """Read and check both files.

        Raises :class:`InputError` ``sign.missing``, ``sign.unreadable``, ``sign.mismatch``, ``sign.not_yet_valid``
        (or this machine's clock is wrong), ``sign.expired``, each with its reason.
        """
        chain_pem, key_pem = _read(certificates), _read(key)
        try:
            chain = x509.load_pem_x509_certificates(chain_pem)
            private = serialization.load_pem_private_key(key_pem, password=None)
        except (ValueError, TypeError) as error:
            raise InputError(
                "sign.unreadable", f"{certificates} and {key} hold no chain with its key: {error}"
            ) from error
        if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name not in _CURVES:
            raise InputError("sign.unreadable", f"{key} is no key of the curves P-256, P-384 and P-521")
        if chain[0].public_key() != private.public_key():
            raise InputError("sign.mismatch", f"{key} is not the key of the first certificate in {certificates}")
        _check_time(chain, now or datetime.now(UTC))
        plain = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        names = (_name(chain[0], NameOID.COMMON_NAME), _name(chain[0], NameOID.ORGANIZATION_NAME))
        return cls(chain_pem, plain, _CURVES[private.curve.name], names[0], names[1] or names[0])

    @classmethod
    def here(cls) -> Self:
        """Those that this process was given or its environment names; without, a private chain of this person's."""
        certificates, key = given.get(CERTIFICATES), given.get(KEY)
        if certificates or key:
            if not (certificates and key):
                raise InputError("sign.missing", f"{CERTIFICATES} and {KEY} must both be set, or neither")
            return cls.load(Path(certificates), Path(key))
        folder = private_folder()
        ensure_chain(folder)
        return cls.load(folder / CHAIN_FILE, folder / KEY_FILE)


def private_folder() -> Path:
    """Where the command line keeps its own chain."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "faceswap-studio" / "signing"


def ensure_chain(folder: Path, organisation: str = "Private face-swap studio") -> None:
    """Make a chain in ``folder`` unless there is one. Several processes may ask at once."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while not (folder / CHAIN_FILE).exists():
        try:
            with only_process(folder):
                if not (folder / CHAIN_FILE).exists():
                    make_chain(folder, organisation)
        except InputError as error:
            if error.code != "folder.busy" or time.monotonic() > until:
                raise
            time.sleep(0.05)  # another process makes it just now


def make_chain(folder: Path, organisation: str) -> None:
    """Make a root of one's own and a certificate under it that signs, ten years valid, readable by their owner only.

    The root's key is thrown away: it can sign nothing else. Raises :class:`InputError` ``sign.exists`` rather than
    replace a chain, since what it has signed could not be told from a stranger's any more.
    """
    if any((folder / name).exists() for name in (CHAIN_FILE, KEY_FILE, ROOT_FILE)):
        raise InputError("sign.exists", f"there is a chain in {folder} already")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _certificate(organisation, "root", root_key, root_key, "root")
    leaf = _certificate(organisation, "signer", key, root_key, "root")
    files = {
        KEY_FILE: key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        ROOT_FILE: root.public_bytes(serialization.Encoding.PEM),
        # Last: its presence says that all is there.
        CHAIN_FILE: leaf.public_bytes(serialization.Encoding.PEM) + root.public_bytes(serialization.Encoding.PEM),
    }
    before = os.umask(0o077)
    try:
        for name, data in files.items():
            replace_file(folder / name, data)
    finally:
        os.umask(before)


def _certificate(
    organisation: str, role: str, key: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey, issuer: str
) -> x509.Certificate:
    is_root, now = key is by, datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_subject(organisation, role))
        .issuer_name(_subject(organisation, issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + timedelta(days=365 * YEARS + YEARS // 4))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=0 if is_root else None), critical=True)
        .add_extension(_usage(is_root), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
    )
    if not is_root:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return builder.sign(by, hashes.SHA256())


def _usage(is_root: bool) -> x509.KeyUsage:
    names = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    off = dict.fromkeys((*names, "encipher_only", "decipher_only"), False)
    return x509.KeyUsage(digital_signature=not is_root, key_cert_sign=is_root, crl_sign=is_root, **off)


def _subject(organisation: str, role: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:64]),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{organisation[:50]} {role}"),
        ]
    )


def _check_time(chain: list[x509.Certificate], now: datetime) -> None:
    for certificate in chain:
        if now < certificate.not_valid_before_utc:
            text = f"the certificate is valid from {certificate.not_valid_before_utc:{_MINUTES}} UTC on"
            raise InputError("sign.not_yet_valid", f"{text}; this machine's clock says {now:{_MINUTES}}")
        if now > certificate.not_valid_after_utc:
            text = f"the certificate has expired on {certificate.not_valid_after_utc:{_MINUTES}} UTC"
            raise InputError("sign.expired", f"{text}; this machine's clock says {now:{_MINUTES}}")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise InputError("sign.missing", f"{path} is not there; nothing may leave without a signature") from error
    except OSError as error:
        raise InputError("sign.unreadable", f"{path} can't be read: {error.strerror}") from error


def _name(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    found = certificate.subject.get_attributes_for_oid(oid)
    return str(found[0].value) if found else ""
