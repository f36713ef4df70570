"""Serves a Django resource server: python django_server.py SETTINGS_MODULE. Prints its port."""

import json
import os
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django


class QuietHandler(WSGIRequestHandler):
    def log_message(self, *_):
        pass


def create_users(users):
    """Creates the user table and its rows: number, username and whether the user is active."""
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    for number, username, active in users:
        User.objects.create(id=number, username=username, is_active=active)


def main():
    os.environ["DJANGO_SETTINGS_MODULE"] = sys.argv[1]
    django.setup()
    from django.core.wsgi import get_wsgi_application

    if sys.argv[1] == "django_database":
        create_users(json.loads(os.environ["USERS"]))
    # One thread: the database in memory belongs to the connection of its thread.
    server = make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=QuietHandler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
