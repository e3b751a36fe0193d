"""Signatures of what a running Weir sends, held against the independent package `standardwebhooks`: it verifies them, also while a
secret is rotated, refuses what was tampered with, and signs the same itself.

Run as: python signatures.py --weir PATH/TO/weir [--seed N] [--customers N]
"""

import argparse
import json
import os
import queue
import random
import subprocess
import sys
import tempfile
import threading
import urllib.request
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

ENDPOINTS = 4
PATIENCE = 60
# Text that trips whoever counts characters for bytes, escapes twice or normalises.
PIECES = ["a", "Z", "7", " ", '"', "\\", "/", ".", "é", "e\u0301", "ß", "中", "語", "😀", "\u202e", "\u2028", "&<>", "%00", "{}"]


class Receiver(ThreadingHTTPServer):
    """Answers 204 and keeps what arrived: the path, the headers and the very bytes of the body."""

    daemon_threads = True

    def __init__(self):
        self.arrived = queue.Queue()
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, n):
        return f"http://127.0.0.1:{self.server_address[1]}/{n}"

    def take(self, count):
        return [self.arrived.get(timeout=PATIENCE) for _ in range(count)]


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.end_headers()
        self.server.arrived.put((int(self.path[1:]), dict(self.headers.items()), body))

    def log_message(self, *_):
        pass


class Weir:
    """`weir serve` on a folder of its own."""

    def __init__(self, binary, folder):
        command = [binary, "serve", "--data", folder, "--listen", "127.0.0.1:0"]
        environment = os.environ | {"WEIR_SECRET_KEY": os.urandom(32).hex()}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        self.process = subprocess.Popen(command, env=environment, **pipes)
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), f"weir serve did not start: {line!r}"
        self.address = line.removeprefix("listening on ").strip()
        key = [binary, "keys", "create", "--data", folder, "--name", "signatures", "--scope", "manage"]
        self.key = subprocess.run(key, check=True, capture_output=True, text=True).stdout.strip()

    def post(self, path, body):
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        request = urllib.request.Request(f"{self.address}/v1{path}", json.dumps(body).encode(), headers, method="POST")
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)


def is_good(secret, body, headers):
    try:
        told = Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return False
    assert told == json.loads(body)
    return True


class Checks:
    """What one run looked at."""

    def __init__(self):
        self.turns = self.messages = self.refused = 0

    def message(self, body, headers, secrets, others):
        """Each of these secrets signed it, in this order, and none of the others."""
        self.messages += 1
        headers = {name.lower(): value for name, value in headers.items()}
        names = ("webhook-id", "webhook-timestamp", "webhook-signature")
        identity, seconds, signatures = (headers[name] for name in names)
        assert json.loads(body)["id"] == identity
        assert "." not in identity and seconds.isdecimal()
        at = datetime.fromtimestamp(int(seconds), tz=timezone.utc)
        assert signatures.split(" ") == [Webhook(secret).sign(identity, at, body.decode()) for secret in secrets]
        for secret in secrets:
            assert is_good(secret, body, headers), "theirs verifies what Weir sent"
        for secret in others:
            assert not is_good(secret, body, headers), "another secret did not sign it"
        tampered = [
            (body.replace(b'"type"', b'"tyqe"', 1), headers),
            (body + b" ", headers),
            (body, headers | {"webhook-id": identity[:-1] + ("0" if identity[-1] != "0" else "1")}),
            (body, headers | {"webhook-timestamp": str(int(seconds) + 1)}),
            # Signed as it may be: what is too old or too new is a replay.
            (body, headers | {"webhook-timestamp": str(int(seconds) - 301)}),
            (body, headers | {"webhook-timestamp": str(int(seconds) + 360)}),
            (body, headers | {"webhook-signature": signatures.replace("v1,", "v2,")}),
            (body, headers | {"webhook-signature": signatures[:8]}),
            (body, headers | {"webhook-signature": "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="}),
        ]
        for wrong_body, wrong_headers in tampered:
            for secret in secrets:
                try:
                    Webhook(secret).verify(wrong_body, wrong_headers, json_parse=False)
                # A signature cut off in the middle is not even base64 to it.
                except (WebhookVerificationError, ValueError):
                    self.refused += 1
                else:
                    raise AssertionError(f"verified though tampered with: {wrong_headers} {wrong_body!r}")


def run(weir, receiver, chance, customers):
    checks = Checks()
    text = lambda: "x" + "".join(chance.choices(PIECES, k=chance.randrange(1, 40))) + "x"
    meter = weir.post("/meters", {"name": text(), "aggregation": "sum", "field": "values.tokens"})["id"]
    limit = {"name": text(), "meterId": meter, "limitValue": 100, "period": "month", "alertThresholds": [50]}
    weir.post("/limits", limit)
    made = [weir.post("/webhooks", {"url": receiver.url(n), "allowPrivate": True}) for n in range(ENDPOINTS)]
    signing = [[each["secret"]] for each in made]
    gone = [[] for _ in made]

    def tell(count):
        known = {}
        for _ in range(count):
            customer = f"{text()}{len(known)}-{chance.random()}"
            weir.post("/track", {"customerId": customer, "eventType": text(), "values": {"tokens": 60}})
            known[customer] = set()
        for n, headers, body in receiver.take(count * ENDPOINTS):
            others = gone[n] + [secret for m, secrets in enumerate(signing) if m != n for secret in secrets]
            checks.message(body, headers, signing[n], others)
            data = json.loads(body)["data"]
            assert data["limitName"] == limit["name"]
            known[data["customerId"]].add(n)
        assert all(len(told) == ENDPOINTS for told in known.values()), "every endpoint is told of every customer"
        checks.turns += 1

    def rotate(overlap):
        for n, each in enumerate(made):
            secret = weir.post(f"/webhooks/{each['id']}/rotate", {"overlapSeconds": overlap})["secret"]
            kept = signing[n][:1] if overlap else []
            gone[n] += [old for old in signing[n] if old not in kept]
            signing[n] = [secret] + kept

    tell(customers)
    for overlap in (86_400, 3_600, 0):
        rotate(overlap)
        tell(customers)
    return checks


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--weir", required=True)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--customers", type=int, default=10, help="told of between two rotations")
    given = parser.parse_args()
    print(f"seed {given.seed}")
    with tempfile.TemporaryDirectory() as folder:
        receiver, weir = Receiver(), Weir(given.weir, folder)
        try:
            checks = run(weir, receiver, random.Random(given.seed), given.customers)
        finally:
            weir.stop()
            receiver.shutdown()
    # As the other tests of this folder, to be counted: one for each turn with its secrets.
    verified = f"{checks.messages} messages verified and signed alike, {checks.refused} tampered ones refused"
    print(f"Contract: {checks.turns} passed, 0 failed, {verified}")


if __name__ == "__main__":
    sys.exit(main())
