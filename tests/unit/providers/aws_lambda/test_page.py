"""The page for users says what the provider has."""

import re
from pathlib import Path

from preheat.project.model import HttpTrigger, Project, Resources
from preheat_providers.aws_lambda.costs import costs_of
from preheat_providers.aws_lambda.options import SCHEMA, Options

PAGE = (Path(__file__).parents[4] / "docs" / "providers" / "aws_lambda.md").read_text()


def section(title: str) -> str:
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_the_table_of_options_names_exactly_those_that_exist() -> None:
    first_cells = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", section("Options"), re.MULTILINE)
    named = [name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(named) == sorted(SCHEMA["properties"])


def test_the_prices_on_the_page_are_those_of_the_table() -> None:
    project = Project(
        root=Path(),
        stage="dev",
        name="embed",
        handler="handler:Embedder",
        resources=Resources(memory_mb=1769),
        triggers=(HttpTrigger(),),
    )
    found = {
        cost.name: cost.usd for cost in costs_of(project, Options(), region="us-east-1", unzipped_bytes=0)
    }
    said = section("Staying warm")
    for name in ("none", "schedule", "snapstart", "provisioned"):
        row = next(line for line in said.splitlines() if line.startswith(f'| `"{name}"`'))
        usd = found[f'warm = "{name}"']
        assert (f"${usd:.2f}" if usd else "| $0 |") in row, row
    assert f"${found['SnapStart, cold starts']:.2f} for 1,000 starts" in said
