"""The model without any server, in a plain loop: what the others are measured against.

`--seconds S --batch N` prints {"items_per_s": ..., "cpu_us": ...}, the latter for one item. `--hold`
is the bare script of the memory comparison: it answers one text, prints `ready`, and for each line
on its standard input runs the texts of `--texts` in batches of `--batch` and prints `done`.
`--embed` prints their vectors as JSON.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from work import Work, load, plain


def run_all(work: Work, texts: Sequence[str], batch: int) -> None:
    for first in range(0, len(texts), batch):
        work(texts[first : first + batch])


def rate(work: Work, texts: Sequence[str], batch: int, seconds: float) -> dict[str, float]:
    """Return items per second and processor time an item over about `seconds`, after a batch to warm up."""
    pool = [*texts, *texts[:batch]]
    work(pool[:batch])
    items = 0
    started, used = time.perf_counter(), time.process_time()
    while (elapsed := time.perf_counter() - started) < seconds:
        first = items % len(texts)
        work(pool[first : first + batch])
        items += batch
    return {"items_per_s": items / elapsed, "cpu_us": 1e6 * (time.process_time() - used) / items}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--hold", action="store_true")
    parser.add_argument("--embed", action="store_true")
    given = parser.parse_args()
    texts: list[str] = json.loads(given.texts.read_text())
    work = load("embedding", given.model)
    if given.embed:
        json.dump([plain(work([text])[0]) for text in texts], sys.stdout)
    elif given.hold:
        work(texts[:1])
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        for _ in sys.stdin:
            run_all(work, texts, given.batch)
            sys.stdout.write("done\n")
            sys.stdout.flush()
    else:
        json.dump(rate(work, texts, given.batch, given.seconds), sys.stdout)


if __name__ == "__main__":
    main()
