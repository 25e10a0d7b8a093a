"""Jobs through the endpoint, in real workers that die: nothing is lost, and each job ends once."""

import base64
import hashlib
import hmac
import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.local import Local, get
from tests.fakes.patience import PATIENCE_S
from tests.fakes.receiver import Receiver, receiving

from preheat.errors import ProviderError
from preheat.interface.message import Request

pytestmark = pytest.mark.runtime

DIES_ONCE = """
    import os
    from pathlib import Path
    import preheat

    class Model(preheat.Handler):
        def predict(self, flag: str) -> str:
            if Path(flag).exists():
                Path(flag).unlink()
                os._exit(9)
            return "survived"
"""
WAITS = """
    import time
    from pathlib import Path
    import preheat

    class Model(preheat.Handler):
        def predict(self, flag: str) -> str:
            print("began", flush=True)
            while Path(flag).exists():
                time.sleep(0.01)
            return "done"
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def flag(tmp_path: Path) -> Path:
    path = tmp_path / "flag"
    path.touch()
    return path


def submit(local: Local, value: Any, receiver: Receiver, *, key: str) -> Mapping[str, Any]:
    endpoint = local.provider.deployment("demo", "dev").endpoint
    headers = {
        "content-type": "application/json",
        "idempotency-key": key,
        "x-preheat-webhook": receiver.url,
    }
    request = urllib.request.Request(f"{endpoint}/jobs", json.dumps(value).encode(), headers)
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        document: Mapping[str, Any] = json.load(answer)
        return document


def test_a_job_whose_worker_dies_runs_again_and_ends_once(
    local: Local, receiver: Receiver, flag: Path
) -> None:
    local.configure(provider={"local": {"private_webhooks": True}})
    local.deploy(DIES_ONCE)

    job = submit(local, str(flag), receiver, key="one")

    ended = json.loads(receiver.next().body)
    assert (ended["id"], ended["status"], ended["result"]) == (job["id"], "succeeded", "survived")
    assert ended["attempts"] == 2
    again = submit(local, str(flag), receiver, key="one")
    assert again["id"] == job["id"], "the key stands for the same job"


def test_a_job_survives_kill_9_of_the_supervisor(local: Local, receiver: Receiver, flag: Path) -> None:
    local.configure(provider={"local": {"private_webhooks": True}})
    local.deploy(WAITS)
    job = submit(local, str(flag), receiver, key="one")
    local.until_logged("output")
    os.kill(int(local.client.order("hello")["pid"]), signal.SIGKILL)
    flag.unlink()

    local.status()

    ended = json.loads(receiver.next().body)
    assert (ended["id"], ended["status"], ended["result"]) == (job["id"], "succeeded", "done")


def test_a_webhook_is_signed_with_the_key_that_is_kept_for_its_receiver(
    local: Local, receiver: Receiver
) -> None:
    local.configure(provider={"local": {"private_webhooks": True}})
    local.deploy()
    submit(local, "x", receiver, key="one")
    delivery = receiver.next()

    kept = (local.root / "home" / "tokens" / "demo@dev.webhook").read_text()
    key = base64.b64decode(kept.removeprefix("whsec_"))
    headers = delivery.headers
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + delivery.body
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{signature}"


def test_a_callers_webhook_does_not_reach_this_machine_unless_the_project_says_so(
    local: Local, receiver: Receiver
) -> None:
    local.deploy()
    with pytest.raises(urllib.error.HTTPError) as refused:
        submit(local, "x", receiver, key="one")
    with refused.value as error:
        assert error.code == 400
        assert b"webhook" in error.read()


def test_a_job_of_the_command_line_is_one_of_the_endpoint(local: Local, receiver: Receiver) -> None:
    local.configure(provider={"local": {"private_webhooks": True}})
    local.deploy()
    request = Request(body=b'"x"', id="r", headers={"x-preheat-webhook": receiver.url})

    job = local.provider.submit("demo", "dev", request)

    ended = json.loads(receiver.next().body)
    assert (ended["id"], ended["status"], ended["result"]) == (job, "succeeded", "X")


def test_a_job_that_the_endpoint_refuses_is_an_error_with_its_reason(local: Local) -> None:
    local.deploy()
    request = Request(body=b'"x"', id="r", headers={"x-preheat-webhook": "http://127.0.0.1/"})
    with pytest.raises(ProviderError, match="webhook"):
        local.provider.submit("demo", "dev", request)


def test_destroy_leaves_no_job_and_no_webhook_key(local: Local, receiver: Receiver) -> None:
    local.configure(provider={"local": {"private_webhooks": True}})
    endpoint = local.deploy().endpoint
    job = submit(local, "x", receiver, key="one")
    receiver.next()
    assert get(f"{endpoint}/jobs/{job['id']}")[0] == 200

    local.provider.destroy("demo", "dev", report=local.report)

    assert not list((local.root / "home" / "tokens").glob("*"))
