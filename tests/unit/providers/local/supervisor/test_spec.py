from dataclasses import replace
from pathlib import Path

from tests.fakes.specs import make_spec

from preheat.project.model import HttpTrigger, ObjectCreated, QueueTrigger, Schedule
from preheat_providers.local.options import Options
from preheat_providers.local.supervisor.spec import Spec, read_spec


def test_a_release_survives_the_state_file_unchanged(tmp_path: Path) -> None:
    spec = make_spec(
        tmp_path,
        triggers=(
            HttpTrigger(auth="none"),
            ObjectCreated(name="scan", bucket="in", prefix="a/", suffix=".png", output="out/done"),
            QueueTrigger(name="q", queue="jobs"),
            Schedule(name="night", cron="0 3 * * *", input={"deep": [1, None]}),
        ),
        options=Options(port=4000, buckets={"in": "/data"}),
        env={"A": "ü"},
        secrets=("KEY",),
    )
    assert read_spec(spec.to_json()) == spec


def test_the_same_release_is_the_same_text(tmp_path: Path) -> None:
    spec = make_spec(tmp_path, env={"B": "2", "A": "1"})
    assert spec.to_json() == replace(spec, env={"A": "1", "B": "2"}).to_json()


def test_a_spec_names_its_function(tmp_path: Path) -> None:
    spec: Spec = make_spec(tmp_path)
    assert spec.function == "demo@dev"
    assert spec.http.auth == "none"
