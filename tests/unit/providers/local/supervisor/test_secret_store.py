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


def test_a_release_without_secrets_forgets_those_that_a_killed_deploy_left(tmp_path: Path) -> None:
    store = SecretStore(tmp_path / "demo@dev")
    store.write(1, {"OLD_KEY": "old"})
    store.write(1, {})
    assert store.read(1) == {}
    assert list((tmp_path / "demo@dev").iterdir()) == []


def test_only_the_releases_that_are_kept_keep_their_values(tmp_path: Path) -> None:
    store = SecretStore(tmp_path / "demo@dev")
    store.keep([1])
    for release in (1, 2, 3):
        store.write(release, {"KEY": str(release)})
    (tmp_path / "demo@dev" / ".4.json.new").write_text('{"KEY":')
    store.keep([1, 3, 9])
    assert {path.name for path in (tmp_path / "demo@dev").iterdir()} == {"1.json", "3.json"}
    assert store.read(3) == {"KEY": "3"}
