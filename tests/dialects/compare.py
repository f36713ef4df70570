"""Compares Gateward's dialects with the real packages, case by case.

    python compare.py simplejwt|flask-header|flask-cookie CONTEXT.json [--only TEXT]
    python compare.py --self-check [PACKAGE] [--only TEXT]

Install the packages first:

    python3 -m venv target/dialects
    target/dialects/bin/pip install -r tests/dialects/requirements.txt

The first form plays each row on the real package and on Gateward, prints both answers and `equal`,
`deviation` (with the reason) or `DIFFERENT`, and the totals. It exits with 1 on any difference,
and on any answer of the real package that the row does not expect. The second form plays all rows
on the real packages only.

Errors of Gateward's Flask dialect repeat `msg` as `message`. One row shows that, and the others
compare the body without `message`.

CONTEXT.json:

    {"url": "http://127.0.0.1:PORT",
     "users": {"ada": {"password": …, "email": …}, "bob": …, "carol": …, "dave": …, "erin": …},
     "admin": {"username": …, "password": …},
     "expired": {"access": …, "refresh": …}}

- `url`: a node with the dialect on. For Flask, `dialects.flask_path` is `/`, and
  `dialects.flask_transport` is `header` or `cookie` as the comparison says. Rotation is on.
- The node runs with `rate_limit.enabled = false` (the rows fail on purpose many times),
  `tokens.refresh_leeway_seconds = 0` (within the leeway, a replayed refresh token is answered like
  the first time), and open sign-up without confirmed addresses. Its access tokens live for some
  minutes at least.
- `users`: enabled accounts. bob is disabled and carol is deleted by this program.
- `admin`: may read and write users with `/v1/users`.
- `expired`: tokens of ada that were genuine and have expired; for `flask-cookie` also
  `access_csrf` and `csrf`, the CSRF values of the two.
"""

import argparse
import json
import sys
from collections import Counter
from http.client import HTTPException

# Running the comparison leaves no files in the source tree.
sys.dont_write_bytecode = True

import cases_flask
import cases_flask_cookie
import cases_simplejwt
import cases_simplejwt_users
from gateward import Gateward
from rows import post
from wire import StepFailed, differences, play

PASSWORD = "rivers and seven lamps"
SELF_CHECK = {
    "users": {
        name: {"password": f"{name}'s {PASSWORD}", "email": f"{name}@example.org"}
        for name in ("ada", "bob", "carol", "dave", "erin")
    }
}
TABLES = {
    "simplejwt": cases_simplejwt.ROWS + cases_simplejwt_users.ROWS,
    "flask-header": cases_flask.ROWS,
    "flask-cookie": cases_flask_cookie.ROWS,
}
LOGINS = {"simplejwt": "/api/token/", "flask-header": "/login", "flask-cookie": "/login"}


def reference(package, users):
    """Starts the real package."""
    if package == "simplejwt":
        # Imported here because it configures Django for the process.
        import reference_simplejwt

        return reference_simplejwt.Reference(users)
    import reference_flask

    return reference_flask.Reference(users, cookies=package == "flask-cookie")


def prepare(side, package, users):
    """Saves the users' names, and tokens of a user to be disabled and of one to be deleted."""
    for name, user in users.items():
        side.variables[name] = name
        side.variables[f"{name}_password"] = user["password"]
        side.variables[f"{name}_email"] = user["email"]
    for name, prefix, act in (("bob", "disabled_", "disable"), ("carol", "deleted_", "delete")):
        body = {"username": name, "password": users[name]["password"]}
        got, variables = play(side, [post(LOGINS[package], body, save=prefix)])
        if got.status != 200:
            raise SystemExit(f"{side.name}: {name} cannot log in: {got.short()}")
        saved = {key: text for key, text in variables.items() if key.startswith(prefix)}
        side.variables.update(saved)
        side.act(act, name)


def without_message(body):
    """The body without `message`, which Gateward's Flask dialect puts beside `msg`."""
    if isinstance(body, dict) and "msg" in body and body["msg"] == body.get("message"):
        return {key: value for key, value in body.items() if key != "message"}
    return body


def answer_of(side, row, ours):
    """Plays a row on one side. Returns the answer, the variables and why it failed, if it did."""
    try:
        got, variables = play(side, row.steps)
    except (StepFailed, HTTPException, OSError, ValueError) as error:
        return None, {}, [f"{type(error).__name__}: {error}"]
    finally:
        for act in row.after:
            side.act(act.act, act.user)
    if ours and not row.exact:
        got.body = without_message(got.body)
    return got, variables, []


def verdict(row, got, variables):
    """Compares Gateward's answer: the verdict, and what differs."""
    as_real = differences(row.real, got, variables)
    if not row.ours:
        return ("DIFFERENT", as_real) if as_real else ("equal", [])
    if row.either and not as_real:
        return "equal", []
    each = [differences(answer, got, variables) for answer in row.ours]
    if not all(each):
        return "deviation", [row.why]
    if not as_real:
        return "DIFFERENT", ["answers as the real package does: the deviation is out of date"]
    return "DIFFERENT", min(each, key=len)


def compare(row, real, ours, results):
    """Plays a row on both sides and prints what came."""
    got, variables, failed = answer_of(real, row, False)
    lines = [f"real      {got.short() if got else '-'}"]
    result, notes = "measured", failed or differences(row.real, got, variables)
    if notes:
        result = "UNEXPECTED"
    elif ours:
        got, variables, failed = answer_of(ours, row, True)
        lines.append(f"gateward  {got.short() if got else '-'}")
        result, notes = ("DIFFERENT", failed) if failed else verdict(row, got, variables)
    elif row.why:
        notes = [f"Gateward differs: {row.why}"]
    results[result] += 1
    print(f"{result:10} {row.name}")
    for line in lines + notes:
        print(f"           {line}")


def run(package, context, only, self_check):
    """Plays the rows of one package. Returns whether all answers are as expected."""
    rows = [row for row in TABLES[package] if not only or only in row.name]
    names = Counter(row.name for row in TABLES[package])
    if max(names.values()) > 1:
        raise SystemExit(f"two rows of {package} have one name: {names.most_common(1)}")
    real = reference(package, context["users"])
    ours = None if self_check else Gateward(context, package)
    for side in filter(None, (real, ours)):
        prepare(side, package, context["users"])
    results = Counter()
    for row in rows:
        compare(row, real, ours, results)
    deviating = sum(bool(row.ours) for row in rows)
    totals = ", ".join(f"{count} {result}" for result, count in sorted(results.items()))
    print(f"{package}: {len(rows)} rows ({deviating} name a deviation): {totals}\n", flush=True)
    return not results["DIFFERENT"] and not results["UNEXPECTED"]


def main():
    """Reads the arguments and runs the comparison."""
    parser = argparse.ArgumentParser()
    parser.add_argument("package", nargs="?", choices=list(TABLES))
    parser.add_argument("context", nargs="?")
    parser.add_argument("--only", help="only rows with this text in their names")
    parser.add_argument("--self-check", action="store_true")
    options = parser.parse_args()
    if options.self_check:
        chosen, context = [options.package] if options.package else list(TABLES), SELF_CHECK
    elif options.context:
        with open(options.context, encoding="utf-8") as file:
            chosen, context = [options.package], json.load(file)
    else:
        parser.error("name a package and its context, or --self-check")
    good = [run(package, context, options.only, options.self_check) for package in chosen]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
