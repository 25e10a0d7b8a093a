import stat
from collections.abc import Iterator
from pathlib import Path

from preheat.provider.tokens import PendingToken, sha256_of


def pending(folder: Path) -> PendingToken:
    made = iter(f"token-{number}" for number in range(9))

    def make(made: Iterator[str] = made) -> str:
        return next(made)

    return PendingToken(folder / "tokens", "1-eu-preheat-ocr-dev", make=make)


def test_a_deploy_that_is_repeated_uses_the_same_token(tmp_path: Path) -> None:
    assert pending(tmp_path).prepare() == "token-0"
    again = pending(tmp_path)
    assert (again.prepare(), again.waits) == ("token-0", True)


def test_only_its_user_may_read_it(tmp_path: Path) -> None:
    pending(tmp_path).prepare()
    (file,) = (tmp_path / "tokens").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_it_is_shown_once(tmp_path: Path) -> None:
    token = pending(tmp_path)
    known = sha256_of(token.prepare())
    assert token.show(known) == "token-0"
    assert token.show(known) is None
    assert not token.waits


def test_a_token_of_a_deploy_that_came_to_nothing_is_dropped(tmp_path: Path) -> None:
    token = pending(tmp_path)
    token.prepare()
    assert token.show(sha256_of("that of another machine")) is None
    assert not token.waits
