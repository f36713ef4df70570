"""Patterns for answers: what a status, a body, a claim or a cookie must look like.

A pattern is a plain value, which must be equal (also in type, so that 1 is not true), a dict or a
list of patterns, or a `Pattern`. `mismatch` returns None, or where and how a value differs.
"""

import base64
import json
import re


class Pattern:
    """A named test of a value."""

    def __init__(self, name, test):
        self.name, self.test = name, test

    def __repr__(self):
        return self.name


class Ordered(dict):
    """A dict whose keys must come in this order."""


class Includes(dict):
    """A dict that may have more keys than these."""


class OneOf(tuple):
    """Patterns of which one must match."""


def matching(expression):
    """A string that matches a regular expression as a whole."""
    compiled = re.compile(expression, re.DOTALL)
    name = f"/{expression}/"
    return Pattern(name, lambda value: isinstance(value, str) and compiled.fullmatch(value))


def decoded(part):
    """The JSON object in a part of a JWT."""
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def is_jwt(value):
    """Whether a string has the three parts of a JWT, the first two of them JSON objects."""
    try:
        head, claims, signature = value.split(".")
        return all(isinstance(decoded(part), dict) for part in (head, claims)) and signature
    except (AttributeError, ValueError):
        return False


ANY = Pattern("anything", lambda value: True)
TEXT = matching(r"\S.*")
TOKEN = matching(r"[A-Za-z0-9_.~-]{20,}")
JWT = Pattern("a JWT", is_jwt)
HEX32 = matching(r"[0-9a-f]{32}")
UUID = matching(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NUMBER = Pattern("an integer", lambda value: type(value) is int)
DIGITS = matching(r"[0-9]+")
TEXTS = Pattern(
    "texts",
    lambda value: isinstance(value, list) and value and all(map(TEXT.test, value)),
)


def mismatch(pattern, value, where=""):
    """Returns None if a value matches a pattern, and what differs otherwise."""
    if isinstance(pattern, Pattern):
        return None if pattern.test(value) else f"{where}: {value!r} is not {pattern}"
    if isinstance(pattern, OneOf):
        if any(mismatch(one, value) is None for one in pattern):
            return None
        return f"{where}: {value!r} is none of {list(pattern)}"
    if isinstance(pattern, dict):
        return dict_mismatch(pattern, value, where)
    if isinstance(pattern, list) and isinstance(value, list) and len(pattern) == len(value):
        pairs = enumerate(zip(pattern, value))
        found = (mismatch(one, other, f"{where}[{n}]") for n, (one, other) in pairs)
        return next(filter(None, found), None)
    if type(pattern) is type(value) and pattern == value:
        return None
    return f"{where}: {value!r} instead of {pattern!r}"


def dict_mismatch(pattern, value, where):
    """Compares the keys of a dict, their order if it counts, and then the values."""
    if not isinstance(value, dict):
        return f"{where}: {value!r} is no object"
    missing = [key for key in pattern if key not in value]
    added = [key for key in value if key not in pattern]
    if missing:
        return f"{where}: {missing} missing from {list(value)}"
    if added and not isinstance(pattern, Includes):
        return f"{where}: {added} not expected"
    if isinstance(pattern, Ordered) and list(pattern) != list(value):
        return f"{where}: order {list(value)} instead of {list(pattern)}"
    found = (mismatch(one, value[key], f"{where}.{key}") for key, one in pattern.items())
    return next(filter(None, found), None)
