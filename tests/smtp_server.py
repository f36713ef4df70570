"""A mail server for tests: a real SMTP server (aiosmtpd) that misbehaves on command.

    python3 smtp_server.py JOURNAL [--port PORT] [--tls implicit|starttls --cert FILE --key FILE]
                           [--auth USER PASSWORD]

It listens on 127.0.0.1 and prints its port. It writes events to the file JOURNAL, one JSON object
on each line. The field `event` is one of:

    connection  a client has connected
    refused     a command was refused: `command`, `address`, `answer`
    email       an email was fully received: `number`, `mode`, `from`, `to`, `raw` (base64), `time`,
                `tls`, `login`
    answered    the response 250 to the email `number` is about to be sent

Each line on standard input is a command. The server prints `ok` or an error for it, and exits at
the end of standard input. `release` sends the responses to held emails. Every other command is a
mode, which applies to all connections and commands from then on:

    ok              accepts everything
    refuse          refuses connections, and closes the open ones
    hang            accepts connections and never responds
    temporary       responds 451 to MAIL, RCPT and DATA
    permanent       responds 554 to MAIL, RCPT and DATA
    reject:ADDRESS  responds 550 to RCPT for this address
    drop            receives the email and closes the connection without a response
    hold            receives the email and responds on `release`
    slow:SECONDS    waits this long before each response
"""

import argparse
import asyncio
import base64
import json
import socket
import ssl
import sys
import time

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

MODES = {"ok", "refuse", "hang", "temporary", "permanent", "reject", "drop", "hold", "slow"}
ARGUED = {"reject", "slow"}
REFUSALS = {"temporary": "451 4.3.0 Try again later", "permanent": "554 5.7.1 Never"}


class Server:
    """The mode, the journal, and the hooks that aiosmtpd calls."""

    def __init__(self, options):
        self.options = options
        self.mode, self.argument = "ok", ""
        self.journal = open(options.journal, "ab", buffering=0)
        self.emails = 0
        self.held = []
        self.conversations = set()

    def note(self, event, **members):
        """Writes a line of the journal."""
        line = json.dumps({"event": event, **members})
        self.journal.write(line.encode() + b"\n")

    def refuse(self, command, address, answer):
        """Returns a refusal, and writes it to the journal."""
        self.note("refused", command=command, address=address, answer=answer)
        return answer

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        """Handles the greeting. Offers AUTH only if a login is configured."""
        session.host_name = hostname
        return [line for line in responses if self.options.auth or "AUTH" not in line]

    async def handle_MAIL(self, server, session, envelope, address, mail_options):
        """Handles the sender."""
        if self.mode in REFUSALS:
            return self.refuse("MAIL", address, REFUSALS[self.mode])
        envelope.mail_from = address
        envelope.mail_options.extend(mail_options)
        return "250 2.1.0 OK"

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        """Handles a recipient."""
        if self.mode in REFUSALS:
            return self.refuse("RCPT", address, REFUSALS[self.mode])
        if self.mode == "reject" and address.lower() == self.argument.lower():
            return self.refuse("RCPT", address, "550 5.1.1 No such mailbox")
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(rcpt_options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        """Handles an email."""
        if self.mode in REFUSALS:
            return self.refuse("DATA", envelope.rcpt_tos[0], REFUSALS[self.mode])
        self.emails += 1
        number = self.emails
        self.note(
            "email",
            number=number,
            mode=self.mode,
            **{"from": envelope.mail_from, "to": envelope.rcpt_tos},
            raw=base64.b64encode(envelope.original_content).decode(),
            time=time.time(),
            tls=server.transport.get_extra_info("ssl_object") is not None,
            login=session.auth_data.login.decode() if session.authenticated else None,
        )
        if self.mode == "drop":
            server.transport.abort()
        if self.mode in {"drop", "hang"}:
            await asyncio.Future()
        if self.mode == "hold":
            released = asyncio.Future()
            self.held.append(released)
            await released
        self.note("answered", number=number)
        return f"250 2.0.0 OK, email {number}"

    def authenticate(self, server, session, envelope, mechanism, data):
        """Checks the user and the password."""
        user, password = (word.encode() for word in self.options.auth)
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (user, password)
        if not good:
            self.note("refused", command="AUTH", address="", answer="535")
        return AuthResult(success=good, handled=False, auth_data=data)

    def release(self):
        """Sends the responses to held emails."""
        for released in self.held:
            if not released.done():
                released.set_result(None)
        self.held.clear()


class Conversation(SMTP):
    """One connection of aiosmtpd, silent or slow if the mode says so."""

    def connection_made(self, transport):
        """Counts a new connection. STARTTLS calls this again, which does not count."""
        server = self.event_handler
        if self not in server.conversations:
            server.conversations.add(self)
            server.note("connection")
        super().connection_made(transport)

    def connection_lost(self, error):
        """Removes a connection."""
        self.event_handler.conversations.discard(self)
        super().connection_lost(error)

    async def push(self, status):
        """Sends a line of a response. All but the last have a hyphen after the number."""
        server = self.event_handler
        if server.mode == "hang":
            await asyncio.Future()
        if server.mode == "slow" and status[3:4] not in ("-", b"-"):
            await asyncio.sleep(float(server.argument))
        await super().push(status)


class Port:
    """The port, which stays reserved while the server does not listen on it."""

    def __init__(self, server):
        self.server = server
        options = server.options
        self.context = None
        if options.tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(options.cert, options.key)
        self.place = self.bind(options.port)
        self.number = self.place.getsockname()[1]
        self.listener = None

    @staticmethod
    def bind(number):
        """A bound socket that does not listen, so that connections are refused."""
        place = socket.socket()
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        place.bind(("127.0.0.1", number))
        return place

    def converse(self):
        """Creates the conversation of a new connection."""
        options = self.server.options
        starttls = options.tls == "starttls"
        return Conversation(
            self.server,
            hostname="smtp.test",
            ident="ESMTP",
            timeout=3600,
            tls_context=self.context if starttls else None,
            require_starttls=starttls,
            auth_required=bool(options.auth),
            # aiosmtpd only detects TLS that it has started itself.
            auth_require_tls=starttls,
            authenticator=self.server.authenticate if options.auth else None,
            loop=asyncio.get_running_loop(),
        )

    async def open(self):
        """Starts listening, unless it already does."""
        if self.listener is None:
            implicit = self.context if self.server.options.tls == "implicit" else None
            loop = asyncio.get_running_loop()
            place = self.bind(self.number)
            self.listener = await loop.create_server(self.converse, sock=place, ssl=implicit)

    def close(self):
        """Stops listening, and closes the open connections."""
        if self.listener is not None:
            self.listener.close()
            self.listener = None
        for conversation in list(self.server.conversations):
            if conversation.transport is not None:
                conversation.transport.abort()


async def obey(server, port, line):
    """Runs a command from standard input, and returns the response."""
    word, _, argument = line.partition(":")
    if line == "release":
        server.release()
        return "ok"
    if word not in MODES or (word in ARGUED) != bool(argument):
        return f"there is no mode {line!r}"
    server.mode, server.argument = word, argument
    if word == "refuse":
        port.close()
    else:
        await port.open()
    return "ok"


async def serve(options):
    """Serves until standard input ends."""
    server = Server(options)
    port = Port(server)
    await port.open()
    print(port.number, flush=True)
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        print(await obey(server, port, line.decode().strip()), flush=True)
    port.close()


def arguments():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description="A mail server for tests.")
    parser.add_argument("journal")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", choices=["implicit", "starttls"])
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--auth", nargs=2, metavar=("USER", "PASSWORD"))
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(serve(arguments()))
