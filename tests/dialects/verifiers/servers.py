"""Starts the verifiers, and asks them."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import jwt

from context import read_claims
from outcomes import ACCEPT
from pyjwt_verifier import Verifier

HERE = Path(__file__).parent
# Not beside the sources: npm writes thousands of files.
NODE_HOME = HERE.parents[2] / "target" / "dialects-node"


def install_jose():
    """Installs the pinned jose outside of the sources, and copies the verifier to it."""
    NODE_HOME.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "jose_verifier.mjs", "jose_server.mjs"):
        shutil.copy(HERE / name, NODE_HOME / name)
    wanted = json.loads((HERE / "package.json").read_text())["dependencies"]["jose"]
    installed = NODE_HOME / "node_modules" / "jose" / "package.json"
    if not installed.exists() or json.loads(installed.read_text())["version"] != wanted:
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(command, cwd=NODE_HOME, check=True)


class Verifiers:
    """The running verifiers of all algorithms."""

    def __init__(self, mints, jwks_urls):
        self.mints, self.jwks_urls = mints, jwks_urls
        self.log = tempfile.NamedTemporaryFile("w+", suffix=".log")
        self.processes, self.ports = [], {}
        self.pyjwt = {
            algorithm: Verifier(algorithm, jwks_urls[algorithm], mint.issuer, mint.audience)
            for algorithm, mint in mints.items()
        }

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()
            process.stdout.close()

    def start(self):
        """Starts all processes at once, then waits for the port of each."""
        started, installations = {}, {}
        for algorithm, mint in self.mints.items():
            url, users = self.jwks_urls[algorithm], users_of(mint.user_number)
            installations[algorithm] = {
                "issuer": mint.issuer, "audience": mint.audience, "jwks_url": url, "users": users,
                "kids": [mint.main.kid, mint.retired.kid, self.node_kid(mint)],
            }
            environment = {
                "GATEWARD_ALGORITHM": algorithm, "GATEWARD_JWKS_URL": url,
                "GATEWARD_ISSUER": mint.issuer, "GATEWARD_AUDIENCE": mint.audience,
                "USERS": json.dumps(users),
            }
            for column, module in (("dj", "django_stateless"), ("db", "django_database")):
                command = [sys.executable, "django_server.py", module]
                started[column, algorithm] = self.spawn(command, environment)
        environment = {"INSTALLATIONS": json.dumps(installations)}
        started["flask"] = self.spawn([sys.executable, "flask_server.py"], environment)
        started["jose"] = self.spawn(["node", "jose_server.mjs"], environment, NODE_HOME)
        for name, process in started.items():
            self.ports[name] = self.port_of(name, process)

    def spawn(self, command, environment, folder=HERE):
        process = subprocess.Popen(
            command, cwd=folder, env=os.environ | environment | {"PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE, stderr=self.log, text=True,
        )
        self.processes.append(process)
        return process

    def port_of(self, name, process):
        line = process.stdout.readline()
        if not line.strip().isdecimal():
            raise RuntimeError(f"{name} did not start:\n{Path(self.log.name).read_text()}")
        return int(line)

    def node_kid(self, mint):
        return jwt.get_unverified_header(mint.node["access"])["kid"]

    def ask(self, column, row, mint):
        """Sends a token to a verifier, and returns what it responds."""
        token = row.make(mint)
        if column == "pyjwt":
            return self.ask_pyjwt(mint.algorithm, token)
        if column == "jose":
            return self.ask_server("jose", f"/{mint.algorithm}", token, "sub", jose_outcome)
        if column.startswith("fl"):
            return self.ask_flask(column, row, mint, token)
        library, _, strict = column.partition("_")
        path = "/strict" if strict else "/settings"
        return self.ask_server((library, mint.algorithm), path, token, "user_id", django_outcome)

    def ask_pyjwt(self, algorithm, token):
        try:
            self.pyjwt[algorithm].verify(token)
        except Exception as error:  # Any error is a response, also one that crashes a program.
            return type(error).__name__
        return ACCEPT

    def ask_flask(self, column, row, mint, token):
        kids = {"main": mint.main.kid, "retired": mint.retired.kid, "node": self.node_kid(mint)}
        mount = {"fl": f"key/{kids[row.loaded]}", "fl_strict": "strict", "fl_db": "database"}
        route, _, fault = row.call.partition(", ")
        headers, method = None, "GET"
        if route == "cookie":
            csrf = {"": read_claims(token).get("csrf"), "no csrf": None, "wrong csrf": "wrong"}
            headers = {"Cookie": f"access_token_cookie={token}"}
            if csrf[fault]:
                headers["X-CSRF-TOKEN"] = csrf[fault]
            method = "POST"
        identity = "user_id" if column == "fl_db" else "sub"
        path = f"/{mint.algorithm}/{mount[column]}/{route}"
        return self.ask_server("flask", path, token, identity, flask_outcome, headers, method)

    def ask_server(self, server, path, token, identity, outcome, headers=None, method="GET"):
        """Sends a request. An accepted token must also give the identity that it names."""
        headers = headers or {"Authorization": f"Bearer {token}"}
        url = f"http://127.0.0.1:{self.ports[server]}{path}"
        request = urllib.request.Request(url, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                body = json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return "500" if error.code == 500 else outcome(error.code, json.load(error))
        named = read_claims(token).get(identity)
        same = str(body.get("id")) == str(named) or (body.get("id") is None and named is None)
        return ACCEPT if same else f"accept as {body.get('id')!r}"


def users_of(number):
    """The rows of the user tables: number, username and whether the user is active."""
    users = [[number, "ada", True], [number + 1, "bob", False]]
    # In Python, True equals 1: this is the user that it would be.
    return users if number == 1 else [*users, [1, "root", True]]


def django_outcome(status, body):
    messages = body.get("messages") or [{"message": body["detail"]}]
    return f"{status} {messages[0]['message']}"


def flask_outcome(status, body):
    # The message about an unknown user ends with the identity, which differs from run to run.
    text = body["msg"]
    start = "Error loading the user"
    return f"{status} {start if text.startswith(start) else text}"


def jose_outcome(_status, body):
    return body["error"]
