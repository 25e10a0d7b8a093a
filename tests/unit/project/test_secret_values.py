from pathlib import Path

import pytest
from tests.fakes.local import project

from preheat.errors import ProviderError
from preheat.project.secret_values import resolve_secrets, secret_findings, secrets_mark


def test_secrets_come_from_the_shell_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "key.txt").write_text("from a file\n")
    asked = project(root=tmp_path, secrets={"A": "env:MY_A", "B": "file:key.txt"})
    assert resolve_secrets(asked, {"MY_A": "from the shell"}) == {"A": "from the shell", "B": "from a file"}
    assert secret_findings(asked, {"MY_A": "x"}) == ()


@pytest.mark.parametrize("reference", ["env:UNSET", "file:absent", "vault:x", "env:", "plain-value"])
def test_a_secret_without_a_value_is_named_with_its_reference(tmp_path: Path, reference: str) -> None:
    asked = project(root=tmp_path, secrets={"KEY": reference})
    with pytest.raises(ProviderError, match="The secret KEY"):
        resolve_secrets(asked, {})
    (finding,) = secret_findings(asked, {})
    assert finding.key == "secrets.KEY"


def test_a_rotated_secret_changes_the_mark_and_the_mark_shows_nothing_of_it() -> None:
    asked = project(secrets={"KEY": "env:KEY"})
    before, after = secrets_mark(asked, {"KEY": "hunter2"}), secrets_mark(asked, {"KEY": "hunter3"})
    assert before == secrets_mark(asked, {"KEY": "hunter2"})
    assert before != after
    assert "hunter" not in f"{before}{after}"
    assert secrets_mark(asked, {}) is None
