"""What docstrings say of attributes: the pages and the Cypher files take it from there."""

from __future__ import annotations

import re

__all__ = ["attributes", "typed_attributes"]


def attributes(documented: type) -> dict[str, str]:
    """Give the meaning of each attribute, in one line, without code marks; its type where that says all.

    Parameters
    ----------
    documented : type
        With an ``Attributes`` section in NumPy style; those of the classes that it extends count too.
    """
    found = {}
    for base in reversed(documented.__mro__):
        for name, (type_, meaning) in _sections(base.__doc__ or "").items():
            words = ", ".join(re.findall(r'"([^"]*)"', type_)) or type_
            found[name] = (meaning or words).replace("``", "").removesuffix(".")
    return found


def typed_attributes(documented: type) -> dict[str, str]:
    """Give type and meaning of each attribute that the class's own docstring lists.

    Parameters
    ----------
    documented : type
    """
    sections = _sections(documented.__doc__ or "")
    return {name: f"{type_}. {meaning}" if meaning else type_ for name, (type_, meaning) in sections.items()}


def _sections(docstring: str) -> dict[str, tuple[str, str]]:
    """Read the attributes out of a docstring: type and meaning by name."""
    found: dict[str, tuple[str, str]] = {}
    names: list[str] = []
    for line in docstring.partition("----------\n")[2].splitlines():
        text = line.strip()
        if " : " in text and line.startswith("    ") and not line.startswith("     "):
            listed, _, type_ = text.partition(" : ")
            names = listed.split(", ")
            found |= dict.fromkeys(names, (type_, ""))
        elif text:
            found |= {name: (found[name][0], f"{found[name][1]} {text}".strip()) for name in names}
    return found
