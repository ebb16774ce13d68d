"""The secrets of an installation: the key ring for tokens and the DKIM private keys, each a file of mode 0600."""

from __future__ import annotations

import os
import secrets
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from config.settings import Settings
from engine.errors import BrevduvaError
from engine.return_path import KeyRing

_TOKEN_BYTES = 32
_RSA_BITS = 2048

DkimKey = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class Keys:
    """What signs: the ring for tokens, and selector → private key for DKIM, in the order of the settings."""

    ring: KeyRing
    dkim: tuple[tuple[str, DkimKey], ...]


def load_keys(settings: Settings) -> Keys:
    """Read the secrets of this installation, and make those that are missing (they are made once and then kept).

    A selector that ends in `-ed` gets an Ed25519 key (RFC 8463), every other one RSA-2048. A file that holds no key is
    a BrevduvaError: nothing is made in its place, for what the lost one signed could not be recognised any more.
    """
    folder = settings.storage.secrets_dir
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    dkim = tuple((name, _dkim_key(folder / f"{name}.pem")) for name in settings.sending.dkim_selectors)
    return Keys(_token_ring(folder / "tokens.key"), dkim)


def rotate_tokens(folder: Path) -> None:
    """Put a new token key first; the old ones still verify what they signed."""
    path = folder / "tokens.key"
    old = _read_or_make(path, _make_token_line)
    _write_secret(path, _make_token_line() + old)


def dkim_record(key: DkimKey) -> str:
    """The TXT record that publishes a key's public half at `<selector>._domainkey` (RFC 6376 3.6.1, RFC 8463 4.2)."""
    public = key.public_key()
    if isinstance(public, ed25519.Ed25519PublicKey):
        raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return f"v=DKIM1; k=ed25519; p={_base64(raw)}"
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={_base64(der)}"


def _base64(raw: bytes) -> str:
    return b64encode(raw).decode()


def _make_token_line() -> bytes:
    return secrets.token_hex(_TOKEN_BYTES).encode() + b"\n"


def _token_ring(path: Path) -> KeyRing:
    lines = _read_or_make(path, _make_token_line).split()
    try:
        return KeyRing(tuple(bytes.fromhex(line.decode()) for line in lines))
    except ValueError as error:
        cure = "put it back from a backup; without it neither returned mail nor the links in sent mail are recognised"
        raise BrevduvaError(f"{path} is no list of token keys (64 hexadecimal digits a line): {cure}") from error


def _dkim_key(path: Path) -> DkimKey:
    pem = _read_or_make(path, _make_ed25519 if path.stem.endswith("-ed") else _make_rsa)
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:  # rubbish, or a key with a passphrase
        raise BrevduvaError(f"{path} is no private key that can be read without a passphrase: put it back") from error
    if not isinstance(key, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
        raise BrevduvaError(f"{path} is no RSA or Ed25519 key; move it away and a new one is made")
    return key


def _make_rsa() -> bytes:
    return _to_pem(rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS))


def _make_ed25519() -> bytes:
    return _to_pem(ed25519.Ed25519PrivateKey.generate())


def _to_pem(key: PrivateKeyTypes) -> bytes:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption())


def _read_or_make(path: Path, make: Callable[[], bytes]) -> bytes:
    """Read a secret, or make it; of several processes that start at once, one makes it and all read that one."""
    if not path.exists():
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        _write_secret(fresh, make())
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_bytes()


def _write_secret(path: Path, content: bytes) -> None:
    temporary = path.with_name(f"{path.name}.new")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
