"""A mail server for tests: a real SMTP server (aiosmtpd) that can be told to misbehave.

    python3 smtp_server.py JOURNAL [--port PORT] [--tls implicit|starttls --cert FILE --key FILE]
                           [--auth USER PASSWORD]

It listens on 127.0.0.1 and prints its port. What happens goes to the file JOURNAL, one JSON object
on each line, told apart by its member `event`:

    connection  somebody has connected
    refused     a command was refused: `command`, `address`, `answer`
    email       an email has come in whole: `number`, `mode`, `from`, `to`, `raw` (base64), `time`,
                `tls`, `login`
    answered    the email `number` is about to be answered with 250

Each line on standard input is a command, and is answered with `ok` or with what is wrong with it.
It ends when standard input does. `release` lets the emails that are held be answered. Everything
else is a mode, which holds for every connection and every command from then on:

    ok              takes everything
    refuse          lets nobody connect, and breaks the connections there are
    hang            takes connections and says nothing any more
    temporary       answers 451 to MAIL, RCPT and DATA
    permanent       answers 554 to MAIL, RCPT and DATA
    reject:ADDRESS  answers 550 to RCPT for this address
    drop            takes the email and breaks the connection without an answer
    hold            takes the email and answers when it is released
    slow:SECONDS    waits so long before each answer
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
        """Gives a refusal, and notes it."""
        self.note("refused", command=command, address=address, answer=answer)
        return answer

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        """Is greeted; says that it knows AUTH only where somebody can log in."""
        session.host_name = hostname
        return [line for line in responses if self.options.auth or "AUTH" not in line]

    async def handle_MAIL(self, server, session, envelope, address, mail_options):
        """Is asked about a sender."""
        if self.mode in REFUSALS:
            return self.refuse("MAIL", address, REFUSALS[self.mode])
        envelope.mail_from = address
        envelope.mail_options.extend(mail_options)
        return "250 2.1.0 OK"

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        """Is asked about a recipient."""
        if self.mode in REFUSALS:
            return self.refuse("RCPT", address, REFUSALS[self.mode])
        if self.mode == "reject" and address.lower() == self.argument.lower():
            return self.refuse("RCPT", address, "550 5.1.1 No such mailbox")
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(rcpt_options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        """Is given an email."""
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
        """Is shown a name and a password."""
        user, password = (word.encode() for word in self.options.auth)
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (user, password)
        if not good:
            self.note("refused", command="AUTH", address="", answer="535")
        return AuthResult(success=good, handled=False, auth_data=data)

    def release(self):
        """Lets the emails that are held be answered."""
        for released in self.held:
            if not released.done():
                released.set_result(None)
        self.held.clear()


class Conversation(SMTP):
    """One connection, as aiosmtpd speaks on it; silent or slow where the mode says so."""

    def connection_made(self, transport):
        """Counts a new connection; the second call of STARTTLS is none."""
        server = self.event_handler
        if self not in server.conversations:
            server.conversations.add(self)
            server.note("connection")
        super().connection_made(transport)

    def connection_lost(self, error):
        """Forgets a connection."""
        self.event_handler.conversations.discard(self)
        super().connection_lost(error)

    async def push(self, status):
        """Sends a line of an answer; all but the last have a hyphen after the number."""
        server = self.event_handler
        if server.mode == "hang":
            await asyncio.Future()
        if server.mode == "slow" and status[3:4] not in ("-", b"-"):
            await asyncio.sleep(float(server.argument))
        await super().push(status)


class Port:
    """The port, which stays taken while nobody listens on it."""

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
        """A socket on the port that does not listen: whoever connects to it alone is refused."""
        place = socket.socket()
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        place.bind(("127.0.0.1", number))
        return place

    def converse(self):
        """Makes the conversation of a new connection."""
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
            # aiosmtpd knows of no TLS but the one that it began itself.
            auth_require_tls=starttls,
            authenticator=self.server.authenticate if options.auth else None,
            loop=asyncio.get_running_loop(),
        )

    async def open(self):
        """Listens, if nobody does."""
        if self.listener is None:
            implicit = self.context if self.server.options.tls == "implicit" else None
            loop = asyncio.get_running_loop()
            place = self.bind(self.number)
            self.listener = await loop.create_server(self.converse, sock=place, ssl=implicit)

    def close(self):
        """Stops listening, and breaks the connections there are."""
        if self.listener is not None:
            self.listener.close()
            self.listener = None
        for conversation in list(self.server.conversations):
            if conversation.transport is not None:
                conversation.transport.abort()


async def obey(server, port, line):
    """Does what a line of standard input says, and gives the answer."""
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
