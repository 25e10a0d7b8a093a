from pathlib import Path

from preheat_providers.local.supervisor.secret_store import SecretStore


def test_each_release_keeps_its_own_values(tmp_path: Path) -> None:
    store = SecretStore(tmp_path / "demo@dev")
    store.write(1, {"KEY": "old"})
    store.write(2, {"KEY": "new"})
    assert (store.read(1), store.read(2), store.read(3)) == ({"KEY": "old"}, {"KEY": "new"}, {})
    store.drop(1)
    assert store.read(1) == {}
    assert store.remove()
    assert not (tmp_path / "demo@dev").exists()
    assert not store.remove()


def test_a_release_without_secrets_writes_nothing(tmp_path: Path) -> None:
    SecretStore(tmp_path / "demo@dev").write(1, {})
    assert list(tmp_path.iterdir()) == []
