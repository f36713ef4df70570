"""Serves a WSGI application on a free port of the loopback interface."""

import logging
import threading

from werkzeug.serving import make_server


def serve(application):
    """Starts the server in a thread that ends with the program. Returns the URL."""
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = make_server("127.0.0.1", 0, application, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"
