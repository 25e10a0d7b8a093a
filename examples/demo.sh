#!/usr/bin/env bash
# The whole story on one machine: deploy, call, upload, look, tear down. Run it with `make demo`.
set -euo pipefail
cd "$(dirname "$0")"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() { printf '\033[2m$ %s\033[0m\n' "$*"; "$@"; }
lines() { python -c 'import json, sys; [print("   ", line["text"]) for line in json.load(sys.stdin)["lines"]]'; }
trap 'preheat destroy ocr --yes >/dev/null 2>&1 || true' EXIT

say "1. Deploy a real OCR model with the local provider"
run preheat deploy ocr --provider local --yes

say "2. Call the endpoint: it scales from zero while the request waits"
printf '\033[2m$ preheat invoke ocr --data @ocr/images/receipt.png\033[0m\n'
preheat invoke ocr --data @ocr/images/receipt.png | lines
preheat invoke ocr --data @ocr/images/receipt.png >/dev/null

say "3. Copy an image into the bucket: the result document appears"
bucket="$PREHEAT_HOME/buckets/scans"
rm -rf "$bucket"/{in,out}
mkdir -p "$bucket/in"
run cp ocr/images/invoice.png "$bucket/in/invoice.png"
result="$bucket/out/in/invoice.png.json"
for _ in {1..300}; do [ -f "$result" ] && break; sleep 0.1; done
run cat "$result"

say "4. What ran"
run preheat status ocr

say "5. Tear down: nothing is left"
run preheat destroy ocr --yes
