"""A small client of Weir. Python 3.9 or newer, nothing to install: copy this file beside your program.

A call that gets no answer is repeated for `patience` seconds, under keys that let it count once; what happens then is
said by `when_down` and `keep_in`. Quantities come as `int` or `Decimal`. Threads may share a client, processes may not.
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import random
import threading
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, Literal, Mapping, Union

Values = Mapping[str, Union[int, Decimal, str]]  # no float: 0.1 + 0.2 is not 0.3
log = logging.getLogger("weir")


class Refused(Exception):
    """Weir said no: a wrong field, key or scope, a conflict, a limit. Sending the same again would not help."""

    def __init__(self, status: int, error: dict[str, Any], retry_after: float | None) -> None:
        super().__init__(f"{status} {error['code']}: {error.get('message')} ({error.get('requestId')})")
        self.status, self.code, self.retry_after = status, str(error["code"]), retry_after
        self.details: dict[str, Any] = error.get("details") or {}


class NoAnswer(Exception):
    """Weir is away or too busy, or this key calls too often. Whether it did what was asked, nobody knows yet."""

    def __init__(self, why: object, retry_after: float | None = None) -> None:
        super().__init__(f"Weir does not answer: {why}")
        self.retry_after = retry_after


@dataclass(frozen=True)
class Decision:
    allowed: bool
    known: bool = True  # False: Weir did not answer, and it was `when_down` that decided
    id: str | None = None  # of the event tracked, or of the reservation
    limits: list[dict[str, Any]] = field(default_factory=list)
    reason: str | None = None  # why not: limit_exceeded, customer_rate_limited
    retry_after: float | None = None
    event: dict[str, Any] = field(default_factory=dict)  # what was asked


class Weir:
    def __init__(
        self, *,
        when_down: Literal["allow", "refuse"],  # what check, track and reserve say when Weir does not answer
        url: str | None = None, key: str | None = None,  # else from WEIR_URL and WEIR_KEY
        timeout: float = 2.0, patience: float = 5.0,  # seconds for one attempt, and for a call with all of them
        rest: float = 1.0,  # seconds after a call in vain in which no other waits in vain
        keep_in: str | None = None,  # a file for records that could not be sent; without one they are kept in memory
        keep_at_most: int = 10_000, resend_every: float = 5.0,
    ) -> None:
        if when_down not in ("allow", "refuse"):
            raise ValueError("when_down is 'allow' or 'refuse'")
        self._base, self._key = (url or os.environ["WEIR_URL"]).rstrip("/") + "/v1", key or os.environ["WEIR_KEY"]
        self._allow, self._timeout, self._patience, self._rest = when_down == "allow", timeout, patience, rest
        self._resend_every, self._down_until, self._kept = resend_every, 0.0, _Kept(keep_in, keep_at_most)
        threading.Thread(target=self._resend_for_ever, daemon=True).start()

    def check(self, customer: str, event_type: str | None = None, values: Values | None = None,
              dimensions: Mapping[str, str] | None = None) -> Decision:
        """May this customer go on, or may this event happen? Consumes nothing."""
        return self._decide("/limits/check", _event(customer, event_type, values, dimensions))

    def record(self, customer: str, event_type: str, values: Values, dimensions: Mapping[str, str] | None = None,
               *, key: str | None = None, timestamp: datetime | None = None) -> bool:
        """Records what happened, once for a `key`: True if Weir has it, False if it is kept here to be sent again."""
        return self._deliver("/events/record", _keyed(_event(customer, event_type, values, dimensions), key, timestamp))

    def track(self, customer: str, event_type: str, values: Values, dimensions: Mapping[str, str] | None = None,
              *, key: str | None = None, timestamp: datetime | None = None) -> Decision:
        """Records an event only if no limit refuses it, in one step."""
        event = _keyed(_event(customer, event_type, values, dimensions), key, timestamp)
        decision = self._decide("/track", event)
        if decision.allowed and not decision.known:
            self._kept.add("/events/record", _json(event))  # under the event's own key: never counted twice
        return decision

    def reserve(self, customer: str, event_type: str, values: Values, dimensions: Mapping[str, str] | None = None,
                *, seconds: int = 300) -> Decision:
        """Holds a share of the limits for work whose cost is known only afterwards; then `commit` or `release`."""
        return self._decide("/reservations", _event(customer, event_type, values, dimensions), ttlSeconds=seconds)

    def commit(self, reservation: Decision, values: Values) -> bool:
        """Records what the work came to: True if Weir has it, False if it is kept here to be sent again."""
        if reservation.known:
            return self._deliver(f"/reservations/{reservation.id}/commit", {"values": values})
        return self._deliver("/events/record", _keyed({**reservation.event, "values": values}, None, None))

    def release(self, reservation: Decision) -> None:
        """Gives a share back at once. If nobody hears it, it ends by itself."""
        if reservation.known:
            self._deliver(f"/reservations/{reservation.id}/release", {})

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Any other operation, such as those of balances."""
        return self._call("POST", path, _json(body))

    def get(self, path: str) -> Any:
        return self._call("GET", path, None)

    def resend(self) -> int:
        """Sends what is kept, oldest first: how many are left. It happens by itself, too."""
        with self._kept.sending:
            done = 0
            try:
                for path, body in list(self._kept.items):
                    try:
                        self._call("POST", path, body, rested=True)
                    except NoAnswer:
                        break
                    except Refused as error:
                        if error.status in (401, 403):
                            raise  # it is the key that is wrong, not the record
                        log.error("given up: %s for %s %s", error, path, body)
                    done += 1
            finally:
                if done > 0:
                    self._kept.drop(done)
            return len(self._kept.items)

    def _resend_for_ever(self) -> None:
        while True:
            time.sleep(self._resend_every)
            try:
                self.resend()
            except (Refused, OSError):
                log.exception("what is kept could not be sent")

    def _deliver(self, path: str, body: Mapping[str, Any]) -> bool:
        try:
            self.post(path, body)
        except NoAnswer as error:
            self._kept.add(path, _json(body))
            log.warning("kept to be sent again: %s", error)
            return False
        return True

    def _decide(self, path: str, event: dict[str, Any], **more: int) -> Decision:
        try:
            answer = self.post(path, {**event, **more})
        except NoAnswer as error:
            log.warning("decided without Weir: %s", error)
            return Decision(self._allow, known=False, retry_after=error.retry_after, event=event)
        except Refused as error:
            if error.code not in ("limit_exceeded", "customer_rate_limited"):
                raise
            limits = error.details.get("limits") or []
            return Decision(False, limits=limits, reason=error.code, retry_after=error.retry_after, event=event)
        return Decision(answer.get("allowed", True), id=answer.get("id"), limits=answer["limits"], event=event)

    def _call(self, method: str, path: str, body: str | None, rested: bool = False) -> Any:
        started, pause = time.monotonic(), 0.1
        if started < self._down_until and not rested:
            raise NoAnswer("nor did it a moment ago", self._down_until - started)
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        headers["Idempotency-Key"] = str(uuid.uuid4())  # one for all attempts
        data = None if body is None else body.encode()
        request = urllib.request.Request(self._base + path, data, headers, method=method)
        while True:
            try:
                return _once(request, max(0.001, min(self._timeout, started + self._patience - time.monotonic())))
            except NoAnswer as error:
                wait = (error.retry_after or 0.0) + random.uniform(0, pause)
                if time.monotonic() + wait >= started + self._patience:
                    self._down_until = time.monotonic() + self._rest
                    raise
            time.sleep(wait)
            pause = min(2.0, pause * 2)


def _once(request: urllib.request.Request, timeout: float) -> Any:
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return json.loads(response.read(), parse_float=Decimal)
    except urllib.error.HTTPError as response:
        asked = response.headers.get("Retry-After", "")
        retry_after = float(asked) if asked.isdecimal() else None
        try:
            refused = Refused(response.code, json.loads(response.read(), parse_float=Decimal)["error"], retry_after)
        except (OSError, http.client.HTTPException, ValueError, TypeError, KeyError):
            raise NoAnswer(f"{response.code}, and not in Weir's words", retry_after) from None
        if response.code >= 500 or refused.code in ("rate_limit_exceeded", "idempotency_in_progress"):
            raise NoAnswer(refused, retry_after) from None
        raise refused from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoAnswer(error) from error


class _Kept:
    """What could not be sent, oldest first. With a file it outlives the program."""

    def __init__(self, file: str | None, most: int) -> None:
        self._file, self._most, self._lock, self.sending = file, most, threading.Lock(), threading.Lock()
        self.items: list[tuple[str, str]] = []
        if file is not None and os.path.exists(file):
            with open(file, encoding="utf-8") as lines:  # a line without an end was never promised
                self.items = [tuple(json.loads(line)) for line in lines if line.endswith("\n")]
            self.drop(0)

    def add(self, path: str, body: str) -> None:
        with self._lock:
            if len(self.items) >= self._most:
                raise NoAnswer(f"and {self._most} records are kept already")
            self.items.append((path, body))
            if self._file is not None:
                _write(self._file, "a", self.items[-1:])

    def drop(self, count: int) -> None:
        with self._lock:
            del self.items[:count]
            if self._file is not None:
                _write(self._file + ".new", "w", self.items)
                os.replace(self._file + ".new", self._file)


def _write(path: str, mode: str, items: list[tuple[str, str]]) -> None:
    with open(path, mode, encoding="utf-8") as file:
        file.writelines(json.dumps(item) + "\n" for item in items)
        file.flush()
        os.fsync(file.fileno())


def _event(*given: Any) -> dict[str, Any]:
    return {n: v for n, v in zip(("customerId", "eventType", "values", "dimensions"), given) if v is not None}


def _keyed(event: dict[str, Any], key: str | None, timestamp: datetime | None) -> dict[str, Any]:
    """Under a key made here it happened now; under yours when you say, as a repeat has to be the same."""
    if key is None:
        key, timestamp = str(uuid.uuid4()), timestamp or datetime.now(timezone.utc)
    return {**event, "idempotencyKey": key, **({"timestamp": timestamp} if timestamp else {})}


def _json(body: Mapping[str, Any]) -> str:
    return json.dumps(body, default=lambda it: format(it, "f") if isinstance(it, Decimal) else it.isoformat())
