"""A Flask application with Flask-JWT-Extended, as its documentation has it.

The package has no routes of its own. These follow the pages about basic usage, refreshing tokens,
the blocklist, automatic user loading, and cookies.
"""

import logging
from dataclasses import dataclass

from flask import Flask, jsonify, request
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    create_refresh_token,
    current_user,
    get_jwt,
    jwt_required,
    set_access_cookies,
    set_refresh_cookies,
    unset_jwt_cookies,
)

import forge
from serve import serve

KEY = "the signing key of the reference application, long enough"


@dataclass
class User:
    """An account of the application."""

    id: int
    username: str
    password: str
    active: bool = True


def managed(app, users):
    """Adds the blocklist and the loading of users. Returns the blocklist."""
    manager = JWTManager(app)
    blocklist = set()

    @manager.user_identity_loader
    def identity(user):
        return str(user.id)

    @manager.user_lookup_loader
    def lookup(header, claims):
        found = (user for user in users.values() if str(user.id) == claims["sub"])
        return next((user for user in found if user.active), None)

    @manager.token_in_blocklist_loader
    def blocked(header, claims):
        return claims["jti"] in blocklist

    return blocklist


def routed(app, users, blocklist, cookies):
    """Adds the routes."""

    @app.post("/login")
    def login():
        username = request.json.get("username", None)
        password = request.json.get("password", None)
        found = (user for user in users.values() if user.username == username)
        user = next(found, None)
        if not user or not user.active or user.password != password:
            return jsonify({"msg": "Bad username or password"}), 401
        access, refresh = create_access_token(user, fresh=True), create_refresh_token(user)
        if not cookies:
            return jsonify(access_token=access, refresh_token=refresh)
        response = jsonify({"msg": "Login successful"})
        set_access_cookies(response, access)
        set_refresh_cookies(response, refresh)
        return response

    @app.post("/refresh")
    @jwt_required(refresh=True)
    def refresh():
        access = create_access_token(current_user, fresh=False)
        if not cookies:
            return jsonify(access_token=access)
        response = jsonify({"msg": "Refresh successful"})
        set_access_cookies(response, access)
        return response

    @app.route("/logout", methods=["POST", "DELETE"])
    @jwt_required(verify_type=False)
    def logout():
        blocklist.add(get_jwt()["jti"])
        response = jsonify({"msg": "Logout successful"})
        if cookies:
            unset_jwt_cookies(response)
        return response

    @app.get("/protected")
    @jwt_required()
    def protected():
        return jsonify(message=f"Hello, {current_user.username}!")


class Reference:
    """The running application with its users."""

    def __init__(self, users, cookies=False):
        self.name = f"Flask-JWT-Extended, {'cookies' if cookies else 'header'}"
        self.users = {
            name: User(number, name, user["password"])
            for number, (name, user) in enumerate(users.items(), 1)
        }
        app = Flask("reference")
        # Some of the cases crash the application; the traces would hide the results.
        app.logger.setLevel(logging.CRITICAL + 1)
        app.config["JWT_SECRET_KEY"] = KEY
        if cookies:
            app.config["JWT_TOKEN_LOCATION"] = ["cookies"]
            app.config["JWT_COOKIE_SECURE"] = True
        blocklist = managed(app, self.users)
        routed(app, self.users, blocklist, cookies)
        self.url = serve(app)
        self.variables = forge.flask(KEY, self.users["ada"].id)

    def act(self, act, name):
        """Disables, enables or deletes a user."""
        if act == "delete":
            del self.users[name]
        else:
            self.users[name].active = act == "enable"
