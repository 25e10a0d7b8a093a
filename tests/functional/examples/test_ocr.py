"""The demo is a test: it deploys the OCR example, calls it, uploads an image and tears down."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.functional.examples.conftest import EXAMPLES, Run

pytestmark = [pytest.mark.runtime, pytest.mark.index, pytest.mark.xdist_group("examples")]

RECEIPT = ["CORNER BAKERY", "2 x Sourdough 9.80", "1 x Espresso 2.40", "Total 12.20 EUR", "Thank you"]
INVOICE = ["Invoice 2026-0417", "Consulting, 3 days", "Amount due: 2400.00", "Payable within 14 days"]


def test_the_demo_reads_both_images_and_leaves_nothing(environment: dict[str, str], home: Path) -> None:
    done = subprocess.run(
        ["bash", "demo.sh"], env=environment, cwd=EXAMPLES, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for line in (*RECEIPT, *INVOICE):
        assert line in done.stdout
    status = subprocess.run(["preheat", "status", "--json"], env=environment, capture_output=True, check=True)
    assert b'"ocr"' not in status.stdout


def test_every_line_has_a_box_and_a_confidence(preheat: Run, deployed: Callable[[str], None]) -> None:
    deployed("ocr")
    answer = preheat("invoke", "ocr", "--data", f"@{EXAMPLES}/ocr/images/receipt.png")
    page = json.loads(answer.stdout)
    assert (page["width"], page["height"]) == (640, 420)
    assert [line["text"] for line in page["lines"]] == RECEIPT
    tops = [line["box"][1] for line in page["lines"]]
    assert tops == sorted(tops)
    for line in page["lines"]:
        left, top, right, bottom = line["box"]
        assert 0 <= left < right <= 640
        assert 0 <= top < bottom <= 420
        assert line["confidence"] > 0.9
