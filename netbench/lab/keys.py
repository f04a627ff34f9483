"""Keys of one lab: SSH key pairs, and a certificate authority with the API endpoint's certificate."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

VALID = datetime.timedelta(days=365)
SKEW = datetime.timedelta(minutes=5)


def write_private(path: Path, data: bytes) -> None:
    """Write a file that nobody but its owner could ever read."""
    path.touch(mode=0o600)
    path.write_bytes(data)


def make_ssh_key(path: Path) -> str:
    """Make an ed25519 key pair (``path`` and ``path``.pub). Returns the public half, ``ssh-ed25519 ...``."""
    key = ed25519.Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    write_private(path, key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    path.with_name(f"{path.name}.pub").write_bytes(public + b"\n")
    return public.decode()


def make_tls(directory: Path, address: str) -> bytes:
    """Make ``server.pem`` (key, certificate) for an IP address in that directory.

    Returns the authority's certificate as PEM. The authority's key is used once and not kept.
    """
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _name("netbench lab")
    authority_certificate = (
        _builder(authority, authority, authority_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    certificate = (
        _builder(_name("netbench lab API"), authority, key)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(directory / "server.pem", secret + certificate.public_bytes(Encoding.PEM))
    return authority_certificate.public_bytes(Encoding.PEM)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + VALID)
    )
