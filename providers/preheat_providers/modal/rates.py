"""What an hour of a core, a GiB and a GPU costs: the account's own rates, or a dated table of list prices.

Rates of an account are those of `modal billing rates`. Modal's price page could not be asked when the
table was made: its figures are those that others quote of it, as each line says. A GPU without a figure
has none: no price is guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from preheat.errors import PreheatError
from preheat_providers.modal.client import Client

QUOTED = "https://techbytes.app/posts/serverless-gpu-pricing-matrix-modal-replicate-lambda-2026/"
"""Quotes https://modal.com/pricing on 2026-05-07; read on 2026-11-21."""

LIST: Mapping[str, float] = {
    # As public projects recorded the answer of `modal billing rates` in August to October 2026.
    "cpu_hour_cost": 0.0473,
    "mem_gib_hour_cost": 0.008,
    "gpu_hour_cost_rtx_pro_6000": 3.03,
    "gpu_hour_cost_b200": 6.25,
    # QUOTED
    "gpu_hour_cost_t4": 0.5904,
    "gpu_hour_cost_l4": 0.7992,
    "gpu_hour_cost_l40s": 1.9512,
    "gpu_hour_cost_a100_80gb": 2.4984,
    "gpu_hour_cost_h100": 3.9492,
}
LISTED = "list prices of 2026"
CPU, MEMORY = "cpu_hour_cost", "mem_gib_hour_cost"
"""Of a physical core, which is two of what others call a vCPU, and of a GiB, for an hour in US dollars."""

OTHER_NAMES = {"A100": "A100-40GB", "A10": "A10G"}


@dataclass(frozen=True, slots=True)
class Rates:
    """Prices by Modal's own keys; `source` says whose they are."""

    usd: Mapping[str, float]
    source: str

    def gpu(self, name: str) -> float | None:
        """Return what an hour of one GPU called `name` costs, or None where no figure is known."""
        plain = name.rstrip("!+")
        names = (plain, OTHER_NAMES.get(plain, plain))
        keys = (f"gpu_hour_cost_{each.lower().replace('-', '_')}" for each in names)
        return next((self.usd[key] for key in keys if key in self.usd), None)


LIST_RATES = Rates(LIST, LISTED)


def rates_of(client: Client) -> Rates:
    """Return the account's rates; without an account, or one that may not read them, those of the table."""
    try:
        if not client.knows("WorkspaceBillingRates"):
            return LIST_RATES
        found = client.ask("WorkspaceBillingRates", what="the account's rates cannot be read")
    except PreheatError:
        return LIST_RATES  # `preheat warm plan` needs no token otherwise: the costs say which prices they are
    usd = {key: float(value) for key, value in found.rates.items()}
    return Rates(usd, "the account's rates") if CPU in usd and MEMORY in usd else LIST_RATES
