"""The page for users says what the provider has."""

import re
from pathlib import Path

import pytest

from preheat_providers.modal.gpus import GPUS
from preheat_providers.modal.limits import DISK_MB, LONGEST_TIMEOUT_S, PYTHONS, SCALEDOWN_S, WEB_S
from preheat_providers.modal.options import SCHEMA
from preheat_providers.modal.rates import CPU, LIST_RATES, MEMORY

PAGE = (Path(__file__).parents[4] / "docs" / "providers" / "modal.md").read_text()


def section(title: str) -> str:
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def rows(title: str) -> list[list[str]]:
    """Return the cells of the section's table, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_table_of_options_names_exactly_those_that_exist_with_their_defaults() -> None:
    table = {re.sub("`", "", name): default for name, default, _ in rows("Options")}
    assert sorted(table) == sorted(SCHEMA["properties"])
    for name, schema in SCHEMA["properties"].items():
        if "default" in schema:
            said = table[name].strip("`").strip('"')
            assert said == str(schema["default"]).lower(), name


def test_the_table_of_gpus_has_their_memory_their_number_and_their_price() -> None:
    said = {name: rest for names, *rest in rows("GPUs") for name in re.findall("`([^`]+)`", names)}
    assert sorted(said) == sorted(GPUS)
    for name, gpu in GPUS.items():
        usd = LIST_RATES.gpu(name)
        price = "not known" if usd is None else f"${usd:.2f}"
        assert said[name] == [f"{gpu.memory_gb} GB", str(gpu.most), price], name


@pytest.mark.parametrize(
    "figure",
    [
        f"{LONGEST_TIMEOUT_S:,} s",
        f"{WEB_S} s",
        f"{SCALEDOWN_S[0]} to {SCALEDOWN_S[1]:,} s",
        f"{DISK_MB // 1024} GB",
        f"{PYTHONS[0]} to {PYTHONS[-1]}",
    ],
)
def test_the_limits_on_the_page_are_those_that_are_checked(figure: str) -> None:
    assert figure in section("Limits")


@pytest.mark.parametrize("key", [CPU, MEMORY])
def test_the_list_prices_on_the_page_are_those_of_the_table(key: str) -> None:
    assert f"${LIST_RATES.usd[key]:g}" in section("Plan and costs")
