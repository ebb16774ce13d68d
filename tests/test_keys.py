"""The secrets of an installation: made once, kept, and never replaced by chance."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from config.settings import Settings, read_settings
from engine.errors import BrevduvaError
from engine.keys import load_keys, rotate_tokens
from engine.return_path import Purpose, sign, verify

_CURVE = ec.generate_private_key(ec.SECP256R1())
_LOCKED = _CURVE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"a passphrase"))
_OF_ANOTHER_KIND = _CURVE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def house(folder: Path) -> Settings:
    return read_settings(storage={"data_dir": folder})


def test_secrets_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    settings = house(tmp_path)
    first, second = load_keys(settings), load_keys(settings)
    assert first.ring == second.ring
    assert {path.stat().st_mode & 0o777 for path in settings.storage.secrets_dir.iterdir()} == {0o600}


def test_a_rotated_ring_still_knows_what_the_old_key_signed(tmp_path: Path) -> None:
    settings = house(tmp_path)
    token = sign(load_keys(settings).ring, Purpose.BOUNCE, 7)
    rotate_tokens(settings.storage.secrets_dir)
    ring = load_keys(settings).ring
    assert sign(ring, Purpose.BOUNCE, 7) != token
    assert verify(ring, Purpose.BOUNCE, token) == 7


@pytest.mark.parametrize("content", [b"", b"not hexadecimal\n", b"abcd\n", b"\xff\xfe"])
def test_a_spoilt_token_file_is_named_with_its_cure_and_left_alone(tmp_path: Path, content: bytes) -> None:
    settings = house(tmp_path)
    load_keys(settings)
    path = settings.storage.secrets_dir / "tokens.key"
    path.write_bytes(content)
    with pytest.raises(BrevduvaError, match=r"tokens\.key .* put it back from a backup"):
        load_keys(settings)
    assert path.read_bytes() == content


@pytest.mark.parametrize("content", [b"", b"rubbish", _LOCKED, _OF_ANOTHER_KIND])
def test_a_spoilt_signing_key_is_named_and_left_alone(tmp_path: Path, content: bytes) -> None:
    settings = house(tmp_path)
    load_keys(settings)
    path = next(settings.storage.secrets_dir.glob("*.pem"))
    path.write_bytes(content)
    with pytest.raises(BrevduvaError, match=path.name):
        load_keys(settings)
    assert path.read_bytes() == content
