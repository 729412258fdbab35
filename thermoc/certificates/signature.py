"""Who says so: a certificate signed with an Ed25519 key (RFC 8032), by the package ``cryptography``."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thermoc.support.errors import ThermocError, error
from thermoc.support.extras import need
from thermoc.support.loading import damaged, shown


def signed(document: Mapping[str, Any], key: str | os.PathLike[str]) -> dict[str, Any]:
    """Return a certificate's document with the signature of its digest. key: a PEM file of a private Ed25519 key.

    Errors: T302 (no ``cryptography``), T404 (a file that is no such key).
    """
    private = check_key(key)
    public = private.public_key().public_bytes_raw()
    signature = private.sign(_message(document))
    return {**document, "signature": {"key": _text(public), "signature": _text(signature)}}


def check_key(key: str | os.PathLike[str]) -> Any:
    """Return a private key, before what it shall sign has been made. Errors: T302, T404."""
    serialization, ed25519 = _cryptography()
    return _key(key, lambda data: serialization.load_pem_private_key(data, None), ed25519.Ed25519PrivateKey)


def check_signature(document: Mapping[str, Any], path: object, key: str | os.PathLike[str] | None) -> None:
    """Refuse a certificate whose signature is not of it, or not of this public key (a PEM file).

    Errors: T302, T404 (no such key), T407 (not signed by it), T502.
    """
    stated = document.get("signature")
    if stated is None:
        if key is not None:
            raise error("T407", f"{shown(path)} is not signed", hint="thermoc run MODEL --certify --sign KEY signs one")
        return
    try:
        public, signature = (base64.b64decode(stated[name], validate=True) for name in ("key", "signature"))
        if stated.keys() != {"key", "signature"} or len(public) != 32 or len(signature) != 64:
            raise ValueError("its key or signature has another length")
    except (TypeError, KeyError, ValueError, AttributeError, binascii.Error) as reason:
        raise damaged(path, "a certificate", f"its signature cannot be read: {reason}") from None
    serialization, ed25519 = _cryptography()
    if key is not None:
        trusted = _key(key, serialization.load_pem_public_key, ed25519.Ed25519PublicKey)
        if trusted.public_bytes_raw() != public:
            raise error("T407", f"{shown(path)} is signed with another key", notes=[f"its key is {stated['key']}"])
    invalid = need("cryptography.exceptions", "sign", "signatures").InvalidSignature
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(public).verify(signature, _message(document))
    except invalid:
        raise error("T407", f"{shown(path)}: its signature is not of it", hint="do not trust it") from None


def _message(document: Mapping[str, Any]) -> bytes:
    # The digest alone might be of anything else that somebody signs.
    return f"thermoc certificate {document['sha256']}".encode()


def _key(path: str | os.PathLike[str], load: Any, kind: type) -> Any:
    try:
        key = load(Path(path).read_bytes())
    except (OSError, ValueError, TypeError) as reason:
        raise _no_key(path, str(reason)) from None
    if not isinstance(key, kind):
        raise _no_key(path, f"it holds {type(key).__name__}")
    return key


def _no_key(path: object, note: str) -> ThermocError:
    hint = "openssl genpkey -algorithm ed25519 -out KEY makes one, openssl pkey -in KEY -pubout its public part"
    return error("T404", f"{shown(path)} is no Ed25519 key in PEM", notes=[note], hint=hint)


def _cryptography() -> tuple[Any, Any]:
    serialization = need("cryptography.hazmat.primitives.serialization", "sign", "signatures")
    return serialization, need("cryptography.hazmat.primitives.asymmetric.ed25519", "sign", "signatures")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
