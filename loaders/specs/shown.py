"""Specs as they may be shown: without credentials, and written back from what identifies a place."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping

from cachegraph.errors import encodable, masked

__all__ = ["SECRET", "canonical", "shown"]

SECRET = frozenset({"access_key_id", "ghtoken", "password", "secret_access_key", "session_token", "token"})
"""Keys whose values are never shown."""

# No address, but what a user may have in mind: user:password@host/name. A tag before a digest looks like it.
_LOGIN = re.compile(r"[^/@\s=]*:[^/@\s]+@(?!sha256:|sha512:)")


def shown(text: str) -> str:
    """Show a spec without its credentials: secret keys, and in addresses what stands before ``@`` or behind ``?``."""
    try:
        fields = next(csv.reader([text], strict=True))
    except (csv.Error, StopIteration):  # where a value ends is not known: show nothing behind the first secret
        fields = [re.sub(rf"(?i)\b({'|'.join(SECRET)})=.*", r"\1=***", text)]
    hidden = (_masked_field(encodable(field)) for field in fields)
    return masked(",".join(f'"{field}"' if "," in field and len(fields) > 1 else field for field in hidden))


def _masked_field(field: str) -> str:
    key, equals, _ = field.partition("=")
    if equals and key.strip().lower() in SECRET:
        return f"{key}=***"
    field = _LOGIN.sub("***@", field)
    return re.sub(r"(://[^\s?]*)\?\S*", r"\1?***", re.sub(r"://[^/@\s]*@", "://***@", field))


def canonical(kind: str, attrs: Mapping[str, str]) -> str:
    """Write a spec back from what identifies it.

    Parameters
    ----------
    kind : str
    attrs : mapping of str to str
        Without credentials.
    """
    fields = [encodable(field) for field in (f"type={kind}", *(f"{key}={value}" for key, value in attrs.items()))]
    return ",".join(f'"{field}"' if "," in field else field for field in fields)
