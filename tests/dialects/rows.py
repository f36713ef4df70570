"""The rows of the tables: requests, and the answers to the last of them."""

from dataclasses import dataclass, field
from typing import Any, Optional

from patterns import ANY, OneOf

# An absent header.
NONE = None


@dataclass(frozen=True)
class Step:
    """One request. Strings may have placeholders such as {access}; see `wire.fill`."""

    method: str
    path: str
    headers: dict = field(default_factory=dict)
    json: Any = None
    form: Optional[dict] = None
    multipart: Optional[dict] = None
    raw: Optional[bytes] = None
    # Prefix of the variables in which the strings of the answer and its cookies are saved.
    save: str = ""
    # The status of a request that is not the last of its row. By default any success.
    status: Optional[int] = None


@dataclass(frozen=True)
class Act:
    """A change by the operator: `enable` or `disable` a user."""

    act: str
    user: str


@dataclass(frozen=True)
class Answer:
    """A pattern for an answer. Each member is a pattern; see `patterns`."""

    status: Any
    body: Any
    type: Any = "application/json"
    # The headers WWW-Authenticate, Allow and Location. `ANY` does not compare one.
    www: Any = NONE
    allow: Any = ANY
    location: Any = NONE
    # The cookies: name -> {"value": …, "path": …, "secure": True, …}, attributes in lower case.
    cookies: Any = field(default_factory=dict)
    # Claims and header of the JWT in a variable: name -> pattern.
    claims: Any = field(default_factory=dict)
    jose: Any = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """A case.

    `ours` is what Gateward answers where it differs on purpose, one answer or several of which
    one must match, and `why` is the reason in one sentence. The real package's answer must match
    `real` in any case. With `either`, Gateward may also answer as the real package does.
    """

    name: str
    steps: tuple
    real: Answer
    ours: tuple = ()
    why: str = ""
    either: bool = False
    # Changes that are undone after the row.
    after: tuple = ()
    # Compares the body as it is. Otherwise `message` beside `msg` is taken out of Gateward's.
    exact: bool = False


def row(name, *steps, real, ours=(), why="", **more):
    """Makes a row, and checks that a deviation has a reason."""
    ours = (ours,) if isinstance(ours, Answer) else tuple(ours)
    if bool(ours) != bool(why):
        raise ValueError(f"{name}: a deviation needs an answer and a reason")
    return Row(name, tuple(steps), real, ours, why, **more)


def get(path, headers=None, **more):
    """A GET request."""
    return Step("GET", path, headers or {}, **more)


def post(path, json=None, headers=None, **more):
    """A POST request with a JSON body, if any."""
    return Step("POST", path, headers or {}, json, **more)


def bearer(variable):
    """The header with the token in a variable."""
    return {"Authorization": "Bearer {" + variable + "}"}


def either(*patterns):
    """One of these patterns."""
    return OneOf(patterns)
