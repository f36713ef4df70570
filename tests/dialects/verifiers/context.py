"""What the test knows of the nodes of Gateward: from a file, or made up for the self-check."""

import json

import jwt

from minting import ALGORITHMS, Mint, decode_json

SELF_CHECK = {
    "issuer": "https://auth.example.org", "audience": "https://api.example.org", "user_number": 7,
}


def from_file(path):
    """Reads the context. See run.py for its form."""
    with open(path, encoding="utf-8") as file:
        context = json.load(file)
    for node in context["nodes"]:
        for name in SELF_CHECK.keys() & context.keys():
            node.setdefault(name, context[name])
        node.setdefault("jwks_url", node["url"].rstrip("/") + "/.well-known/jwks.json")
    return context


def invented(server):
    """A context without Gateward: its tokens and keys are made here, in Gateward's shape."""
    context = SELF_CHECK | {"nodes": []}
    for algorithm in ALGORITHMS:
        mint = Mint(algorithm, context["issuer"], context["audience"], context["user_number"])
        past = mint.claims()["iat"] - 3600
        times = {"iat": past, "nbf": past, "exp": past + 900}
        context["nodes"].append(SELF_CHECK | {
            "algorithm": algorithm,
            "jwks_url": server.publish(f"/gateward/{algorithm}", [mint.main.jwk()]),
            "access": mint.token(),
            "refresh": mint.refresh(),
            "expired_access": mint.token(times),
        })
    return context


def mints(context):
    """A mint for each node, with the subject of its access token."""
    made = {}
    for node in context["nodes"]:
        claims = read_claims(node["access"])
        mint = Mint(
            node["algorithm"], node["issuer"], node["audience"], node["user_number"],
            claims["sub"],
        )
        mint.node = node
        made[node["algorithm"]] = mint
    return made


def read_claims(token):
    return decode_json(token.split(".")[1])


def shape_faults(mint):
    """Compares Gateward's access token with the ones of this test, which must not differ."""
    header = jwt.get_unverified_header(mint.node["access"])
    theirs, ours = read_claims(mint.node["access"]), mint.claims()
    found = [f"the claim {name} is on one side only" for name in theirs.keys() ^ ours.keys()]
    found += [
        f"the claim {name} is a {type(theirs[name]).__name__} at Gateward"
        for name in theirs.keys() & ours.keys() if type(theirs[name]) is not type(ours[name])
    ]
    exact = ("iss", "aud", "client_id", "token_type", "user_id", "type")
    found += [
        f"the claim {name} is {theirs.get(name)!r}, not {ours[name]!r}"
        for name in exact if theirs.get(name) != ours[name]
    ]
    if header.keys() ^ mint.header().keys():
        found.append(f"the header has the fields {sorted(header)}")
    found += [
        f"the header's {name} is {header.get(name)!r}"
        for name in ("alg", "typ") if header.get(name) != mint.header()[name]
    ]
    return [f"{mint.algorithm}: {fault}" for fault in sorted(found)]
