"""A server of key sets: Gateward's own keys, and next to them the keys of this test."""

import json
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class JwksServer:
    """Serves `sets`, a key set for each path, on a port of 127.0.0.1."""

    def __init__(self):
        self.sets = {}
        self.is_down = False
        self.last_request = time.monotonic()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                keys = None if outer.is_down else outer.sets.get(self.path)
                outer.last_request = time.monotonic()
                body = json.dumps({"keys": keys or []}).encode()
                self.send_response(200 if keys else 503)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def publish(self, path, keys):
        """Publishes a key set, and returns its URL."""
        self.sets[path] = keys
        return f"http://127.0.0.1:{self.server.server_port}{path}"


def fetch_keys(url):
    with urllib.request.urlopen(url, timeout=10) as response:
        return json.load(response)["keys"]
