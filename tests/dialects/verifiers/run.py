"""Runs the table of tokens against the resource servers that people have.

    python run.py CONTEXT.json [--quick] [--verbose]
    python run.py --self-check [--quick] [--verbose]

Verifiers that know nothing of Gateward but its key set get every token of tokens.py, in each
algorithm. Prints what each responds, then every deviation from the strict rule with its reason,
and exits with 1 if a response is not the expected one.

`--quick` leaves out the rotation of keys, which waits up to 30 seconds for the caches of keys.
`--verbose` prints the responses in full. `--self-check` makes Gateward's tokens itself, and so
tests the table and the verifiers alone. CONTEXT.json describes the nodes of Gateward to test,
one for each algorithm, all with both dialects and `dialects.user_ids = "integer"`:

    {"issuer": "…", "audience": "…",
     "user_number": 7,                          the integer key of the account ada
     "nodes": [{"algorithm": "ES256",
                "url": "http://127.0.0.1:PORT", or "jwks_url"
                "access": "…",                  a valid, fresh access token of ada
                "refresh": "…",                 a refresh token
                "expired_access": "…"}]}        an access token that has expired

A node may have `issuer`, `audience` and `user_number` of its own, which then win.
"""

import argparse
import os
import sys
import time

import context as contexts
import servers
from jwks_server import JwksServer, fetch_keys
from outcomes import ACCEPT, VERIFIERS, columns
from tokens import TABLE, check_table

# Longer than the 30 seconds for which PyJWKClient and jose do not fetch keys again.
COOLDOWN_SECONDS = 32


def publish(server, mints, keys, rotated):
    """Publishes the key sets: Gateward's keys, and the ones of the test for this stage."""
    urls = {}
    for algorithm, mint in mints.items():
        second = mint.new if rotated else mint.retired
        own = [mint.main.jwk(), second.jwk()]
        urls[algorithm] = server.publish(f"/{algorithm}/jwks.json", keys[algorithm] + own)
    return urls


def run_stage(stage, verifiers, mints):
    """Runs the rows of a stage. Returns the responses by row, algorithm and verifier."""
    found = {}
    for row in (row for row in TABLE if row.stage == stage):
        for algorithm in row.algorithms:
            for column in row.expected if algorithm in mints else ():
                outcome = verifiers.ask(column, row, mints[algorithm])
                found[row.name, algorithm, column] = outcome
    return found


def run_table(verifiers, mints, keys, server, quick):
    """Runs all stages. No verifier but the Flask servers with one key has fetched keys before."""
    server.is_down = True
    found = run_stage("outage", verifiers, mints)
    server.is_down = False
    found |= run_stage("first", verifiers, mints)
    if quick:
        return found
    publish(server, mints, keys, rotated=True)
    found |= run_stage("removed", verifiers, mints)
    time.sleep(max(0, server.last_request + COOLDOWN_SECONDS - time.monotonic()))
    return found | run_stage("rotated", verifiers, mints)


def unexpected(found):
    """Describes each response that differs from the expected one."""
    rows = {row.name: row for row in TABLE}
    return [
        f"{name} ({algorithm}) at {column}: {outcome!r}, expected {rows[name].expected[column]!r}"
        for (name, algorithm, column), outcome in found.items()
        if outcome != rows[name].expected[column]
    ]


def cell(row, column, found, verbose):
    """What a verifier responds in all algorithms; `!` marks what is unexpected."""
    outcomes = {
        outcome for (name, _, verifier), outcome in found.items()
        if name == row.name and verifier == column
    }
    if not outcomes:
        return "-"
    mark = "" if outcomes == {row.expected[column]} else "!"
    if verbose:
        return mark + " / ".join(sorted(outcomes))
    short = {"accept" if outcome == ACCEPT else outcome.split()[0] for outcome in outcomes}
    return mark + "/".join(sorted("refuse" if text[0].isalpha() and text != "accept" else text
                                  for text in short))


def print_table(found, verbose):
    ran = {name for name, _, _ in found}
    rows = [row for row in TABLE if row.name in ran]
    width = max(len(row.name) for row in rows)
    print(f"{'':{width}}  valid " + " ".join(f"{column:9}" for column in VERIFIERS))
    for row in rows:
        valid = "yes" if row.valid else "no"
        cells = [cell(row, column, found, verbose) for column in VERIFIERS]
        if verbose:
            print(f"{row.name}: valid: {valid}")
            for column, text in zip(VERIFIERS, cells):
                print(f"    {column:10} {text}")
        else:
            print(f"{row.name:{width}}  {valid:5} " + " ".join(f"{text:9}" for text in cells))


def print_deviations():
    print("\nDeviations from the strict rule:")
    for row in TABLE:
        for note in row.notes:
            noted = [column for column in columns(note.verifiers) if column in row.expected]
            print(f"  {row.name}: {' '.join(noted)}: {note.reason}")
            if note.remedy:
                print(f"      remedy: {note.remedy}")


def read_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("context", nargs="?")
    parser.add_argument("--self-check", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    if bool(arguments.context) == arguments.self_check:
        parser.error("give either CONTEXT.json or --self-check")
    return arguments


def main():
    arguments = read_arguments()
    # All addresses are on this machine. The verifiers inherit it.
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1"
    server = JwksServer()
    if arguments.self_check:
        context = contexts.invented(server)
    else:
        context = contexts.from_file(arguments.context)
    mints = contexts.mints(context)
    problems = check_table()
    problems += [fault for mint in mints.values() for fault in contexts.shape_faults(mint)]
    keys = {node["algorithm"]: fetch_keys(node["jwks_url"]) for node in context["nodes"]}
    urls = publish(server, mints, keys, rotated=False)
    servers.install_jose()
    with servers.Verifiers(mints, urls) as verifiers:
        found = run_table(verifiers, mints, keys, server, arguments.quick)
    print_table(found, arguments.verbose)
    print_deviations()
    problems += unexpected(found)
    for problem in problems:
        print(f"UNEXPECTED: {problem}")
    rows = len({name for name, _, _ in found})
    print(f"\n{rows} tokens, {len(VERIFIERS)} verifiers, {len(mints)} algorithms: "
          f"{len(found)} responses, {len(problems)} unexpected")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
