"""Sends the requests of a row to one side, and reads the answers."""

import http.client
import json
import re
import urllib.parse
import uuid
from dataclasses import dataclass

from patterns import decoded, is_jwt, mismatch
from rows import Act

BOUNDARY = "a-boundary-between-parts"
PLACEHOLDER = re.compile(r"\{([a-z0-9_/]+)(?:\|([a-z]+))?\}")


@dataclass
class Got:
    """An answer as it came."""

    status: int
    body: object
    type: str
    www: str
    allow: str
    location: str
    cookies: dict

    def short(self):
        """One line about it, without the tokens."""
        body = self.body if isinstance(self.body, str) else json.dumps(self.body)
        body = re.sub(r"[A-Za-z0-9_.-]{40,}", "…", " ".join(body.split()))
        cookies = f" +{len(self.cookies)} cookies" if self.cookies else ""
        place = f" -> {self.location}" if self.location else ""
        body = body if len(body) <= 150 else body[:150] + "…"
        return f"{self.status}{place} {body}{cookies}"


class StepFailed(Exception):
    """A request that prepares the last one was not answered as it must be."""


def tampered(token):
    """The token with another character in the middle of its last part."""
    at = (token.rfind(".") + len(token)) // 2
    return token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]


FILTERS = {
    None: lambda text: text,
    "tampered": tampered,
    "upper": str.upper,
    "unpadded": lambda text: text.rsplit(".", 1)[0],
}


def fill(value, variables):
    """Puts variables into placeholders: {access}, {access|tampered}, {new_access/access}.

    With several names, the first that has a value counts.
    """
    if isinstance(value, str):
        return PLACEHOLDER.sub(lambda found: filled(found, variables), value)
    if isinstance(value, dict):
        # The class says how a pattern compares, so it stays.
        return type(value)({key: fill(one, variables) for key, one in value.items()})
    if isinstance(value, (list, tuple)):
        return type(value)(fill(one, variables) for one in value)
    return value


def filled(found, variables):
    """The text for one placeholder."""
    names = found[1].split("/")
    known = [name for name in names if name in variables]
    if not known:
        raise StepFailed(f"no value for {found[0]}")
    return FILTERS[found[2]](variables[known[0]])


def multipart(fields):
    """A body of the type multipart/form-data."""
    parts = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    return ("".join(parts) + f"--{BOUNDARY}--\r\n").encode()


def body_of(step, variables):
    """The bytes of a request's body, and their media type."""
    if step.raw is not None:
        return step.raw, "application/json"
    if step.form is not None:
        fields = fill(step.form, variables)
        return urllib.parse.urlencode(fields).encode(), "application/x-www-form-urlencoded"
    if step.multipart is not None:
        media = f"multipart/form-data; boundary={BOUNDARY}"
        return multipart(fill(step.multipart, variables)), media
    if step.json is not None:
        return json.dumps(fill(step.json, variables)).encode(), "application/json"
    return None, None


def cookies_of(headers):
    """The cookies of the headers Set-Cookie: value and attributes by name."""
    cookies = {}
    for header in headers:
        first, *rest = (part.strip() for part in header.split(";"))
        name, value = first.split("=", 1)
        cookie = {"value": value.strip('"')}
        for attribute in rest:
            key, equals, text = attribute.partition("=")
            cookie[key.lower()] = text if equals else True
        cookies[name] = cookie
    return cookies


def send(url, step, variables):
    """Sends one request as it is written, without headers of a client's own."""
    place = urllib.parse.urlsplit(url)
    body, media = body_of(step, variables)
    headers = {"Host": place.netloc}
    if media:
        headers["Content-Type"] = media
    if body is not None or step.method in ("POST", "PUT", "PATCH"):
        headers["Content-Length"] = str(len(body or b""))
    headers.update(fill(step.headers, variables))
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
    path = place.path.rstrip("/") + fill(step.path, variables)
    connection.putrequest(step.method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return read(response, text)


def read(response, text):
    """Makes an answer of a response."""
    media = (response.getheader("Content-Type") or "").split(";")[0]
    body = json.loads(text) if media.endswith("json") and text else text
    location = response.getheader("Location")
    return Got(
        response.status,
        body,
        media,
        response.getheader("WWW-Authenticate"),
        response.getheader("Allow"),
        # Only the path: a redirect may or may not name the host.
        location and urllib.parse.urlsplit(location).path,
        cookies_of(response.headers.get_all("Set-Cookie") or []),
    )


def remember(got, prefix, variables):
    """Saves the strings of an answer and its cookies."""
    if isinstance(got.body, dict):
        for name, value in got.body.items():
            if isinstance(value, str):
                variables[prefix + name] = value
    for name, cookie in got.cookies.items():
        variables[prefix + name] = cookie["value"]


def play(side, steps):
    """Plays the steps of a row on one side. Returns the last answer and the variables."""
    variables = {**side.variables, "fresh": "u" + uuid.uuid4().hex[:10]}
    got = None
    for number, step in enumerate(steps, 1):
        if isinstance(step, Act):
            side.act(step.act, step.user)
            continue
        got = send(side.url, step, variables)
        if number < len(steps):
            wrong = got.status != step.status if step.status else got.status >= 300
            if wrong:
                raise StepFailed(f"step {number} ({step.method} {step.path}): {got.short()}")
        remember(got, step.save, variables)
    return got, variables


def differences(answer, got, variables):
    """Compares an answer with its pattern. Returns what differs, or an empty list."""
    found = []
    for name in ("status", "type", "www", "allow", "location", "cookies", "body"):
        pattern = fill(getattr(answer, name), variables)
        found.append(mismatch(pattern, getattr(got, name), name))
    for part, wanted in (("header", answer.jose), ("claims", answer.claims)):
        for variable, pattern in wanted.items():
            token = variables.get(variable)
            if not is_jwt(token):
                found.append(f"{variable} is no JWT")
                continue
            claims = decoded(token.split(".")[part == "claims"])
            found.append(mismatch(fill(pattern, variables), claims, f"{part} of {variable}"))
    return [one for one in found if one]


