#!/usr/bin/env python3
"""Runs schemathesis against a server on a fresh data folder, and counts the operations that stood the test.

Usage: run.py PATH_OF_WEIR [ARGUMENTS FOR SCHEMATHESIS...]
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    weir, arguments = sys.argv[1], sys.argv[2:]
    os.environ["WEIR_SECRET_KEY"] = os.urandom(32).hex()
    with tempfile.TemporaryDirectory(prefix="weir-contract-") as folder:
        data = Path(folder) / "data"
        make = [weir, "keys", "create", "--data", data, "--name", "contract", "--scope", "manage"]
        key = subprocess.run(make, check=True, capture_output=True, text=True).stdout.strip()
        serve = [weir, "serve", "--data", data, "--listen", "127.0.0.1:0"]
        with open(Path(folder) / "log", "w+") as log:
            server = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=log, text=True)
            try:
                return run(base_of(server, log), key, Path(folder), arguments)
            finally:
                server.terminate()
                server.wait()


def base_of(server: subprocess.Popen, log) -> str:
    """The address that the server says it listens on."""
    for line in server.stdout:
        if found := re.search(r"http://\S+", line):
            return found.group()
    log.seek(0)
    raise SystemExit(f"the server did not start: {log.read()}")


def run(base: str, key: str, folder: Path, arguments: list[str]) -> int:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(f"{base}/v1/keys", headers=headers)) as answer:
        own_key = json.load(answer)["data"][0]["id"]

    def make(path: str, new: dict) -> dict:
        with urllib.request.urlopen(urllib.request.Request(base + path, json.dumps(new).encode(), headers)) as answer:
            return json.load(answer)

    other_key = make("/v1/keys", {"name": "other", "scope": "read"})
    own_customer = make("/v1/customers", {"externalId": "contract"})["id"]
    other_customer = make("/v1/customers", {"externalId": "other"})["id"]
    of_contract = {"publicMetadata": {"customerId": "contract"}, "ttlSeconds": 86_400}
    token, other_token = make("/v1/client-tokens", of_contract), make("/v1/client-tokens", of_contract)
    report = folder / "report.json"
    schemathesis = Path(sys.executable).parent / "schemathesis"
    command = [schemathesis, "--config-file", HERE / "schemathesis.toml", "run", f"{base}/v1/openapi.json"]
    command += ["--report", "json", "--report-json-path", report, *arguments]
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": str(HERE),
        "PYTHONDONTWRITEBYTECODE": "1",
        "CONTRACT_KEY": key,
        "CONTRACT_KEY_ID": own_key,
        "CONTRACT_TOKEN": token["token"],
        "CONTRACT_TOKEN_ID": token["id"],
        "CONTRACT_CUSTOMER_ID": own_customer,
        "CONTRACT_OTHER_KEY_ID": other_key["id"],
        "CONTRACT_OTHER_TOKEN_ID": other_token["id"],
        "CONTRACT_OTHER_CUSTOMER_ID": other_customer,
    }
    status = subprocess.run(command, env=environment, cwd=folder).returncode
    return count(json.loads(report.read_text()), status)


def count(report: dict, status: int) -> int:
    """Says how many operations stood the test. One that was not tested did not."""
    at_fault = {name for kind in report["failures"] for name in kind["operations"]}
    operations = report["operations"]
    failed = max(len(at_fault), status != 0) + operations["total"] - operations["tested"]
    passed = operations["total"] - min(failed, operations["total"])
    print(f"Contract: {passed} passed, {failed} failed, in {report['test_cases']['generated']} requests")
    return 1 if failed or not report["complete"] else 0


if __name__ == "__main__":
    sys.exit(main())
