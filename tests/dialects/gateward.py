"""The node of Gateward that is compared, and its administration API."""

import forge
from rows import Step
from wire import send


class Gateward:
    """Gateward as the second side."""

    name = "Gateward"

    def __init__(self, context, package):
        self.url = context["url"].rstrip("/")
        admin = {name: context["admin"][name] for name in ("username", "password")}
        self.headers = {}
        login = self.call("POST", "/v1/login", admin)
        self.headers = {"Authorization": f"Bearer {login['access_token']}"}
        made = forge.simplejwt if package == "simplejwt" else forge.flask
        # No one outside has Gateward's keys: all forged tokens have a bad signature here.
        self.variables = made(forge.OTHER_KEY, "00000000-0000-7000-8000-000000000000")
        for name, token in context["expired"].items():
            self.variables[f"expired_{name}"] = token
        self.ids = {}

    def call(self, method, path, json=None):
        """Sends a request that must succeed."""
        got = send(self.url, Step(method, path, self.headers, json), {})
        if got.status >= 300:
            raise SystemExit(f"{method} {path}: {got.short()}")
        return got.body

    def id_of(self, name):
        """The ID of a user."""
        if name not in self.ids:
            items = self.call("GET", f"/v1/users?q={name}")["items"]
            self.ids[name] = next(item["id"] for item in items if item["username"] == name)
        return self.ids[name]

    def act(self, act, name):
        """Disables, enables or deletes a user."""
        path = f"/v1/users/{self.id_of(name)}"
        if act == "delete":
            self.call("DELETE", path)
        else:
            self.call("POST", f"{path}/{act}")
