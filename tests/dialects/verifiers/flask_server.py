"""Serves the Flask resource servers of all algorithms in one process. Prints its port.

`/ALGORITHM/key/KID/…` is by settings alone with that key, `/ALGORITHM/strict/…` the strict one,
and `/ALGORITHM/database/…` the strict one with a user table of its own.
"""

import json
import os
import sys

from flask import Flask, jsonify
from flask_jwt_extended import get_current_user, get_jwt_identity, jwt_required
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import WSGIRequestHandler, make_server

import flask_settings
import flask_strict


class QuietHandler(WSGIRequestHandler):
    def log_request(self, *_):
        pass


def add_routes(app):
    """The API: a route for any access token, one for fresh ones, one for tokens in a cookie."""

    @app.get("/header")
    @jwt_required()
    def header():
        return jsonify(id=get_jwt_identity(), username=get_current_user())

    @app.get("/fresh")
    @jwt_required(fresh=True)
    def fresh():
        return jsonify(id=get_jwt_identity(), username=get_current_user())

    @app.post("/cookie")
    @jwt_required(locations=["cookies"])
    def cookie():
        return jsonify(id=get_jwt_identity(), username=get_current_user())


def add_users(manager, users):
    """A user table with integer keys, and a lookup that refuses unknown and inactive users."""
    names = {number: username for number, username, active in users if active}

    @manager.user_lookup_loader
    def look_up(_header, claims):
        number = claims["user_id"]
        # `user_id` is a string: compare it with a key of the same type.
        return names.get(int(number)) if str(number).isdecimal() else None


def build(algorithm, installation, **options):
    """Builds one application: with `kid` by settings alone, otherwise the strict one."""
    app = Flask(f"{algorithm} {options}")
    arguments = {
        "algorithm": algorithm, "jwks_url": installation["jwks_url"],
        "issuer": installation["issuer"], "audience": installation["audience"],
    }
    if "kid" in options:
        manager = flask_settings.configure(app, **arguments, **options)
    else:
        manager = flask_strict.configure(app, **arguments, **options)
    if options.get("identity_claim") == "user_id":
        add_users(manager, installation["users"])
    else:
        manager.user_lookup_loader(lambda _header, claims: claims.get("username", "?"))
    add_routes(app)
    return app


def main():
    mounts = {}
    for algorithm, installation in json.loads(os.environ["INSTALLATIONS"]).items():
        for kid in installation["kids"]:
            mounts[f"/{algorithm}/key/{kid}"] = build(algorithm, installation, kid=kid)
        mounts[f"/{algorithm}/strict"] = build(algorithm, installation)
        mounts[f"/{algorithm}/database"] = build(
            algorithm, installation, identity_claim="user_id"
        )
    application = DispatcherMiddleware(Flask("none"), mounts)
    server = make_server("127.0.0.1", 0, application, request_handler=QuietHandler)
    print(server.server_port, flush=True)
    sys.stdout = sys.stderr
    server.serve_forever()


if __name__ == "__main__":
    main()
