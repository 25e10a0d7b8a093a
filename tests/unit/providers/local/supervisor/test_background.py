import asyncio
from collections.abc import Callable
from pathlib import Path

from tests.fakes.specs import make_spec

from preheat_providers.local.supervisor.background import JobsAndTriggers
from preheat_providers.local.supervisor.paths import HomePaths
from preheat_providers.local.triggers import dead_letter_folder


def run(home: Path, between: Callable[[Path], None]) -> tuple[int, int, str, str]:
    """Attach twice with `between` in the middle; return the key file's inode and text after each."""

    async def attach() -> tuple[int, int, str, str]:
        paths = HomePaths(home)
        spec = make_spec(home)
        background = JobsAndTriggers(paths, lambda _name: None, log_of=lambda _name: None)
        key = paths.webhook_secret(spec.function)
        try:
            await background.attach(spec)
            first = key.stat().st_ino, key.read_text()
            between(key)
            await background.attach(spec)
            return first[0], key.stat().st_ino, first[1], key.read_text()
        finally:
            await background.stop()

    return asyncio.run(attach())


def test_the_webhook_key_is_written_once_however_often_triggers_are_attached(tmp_path: Path) -> None:
    first, second, _, _ = run(tmp_path, lambda _key: None)
    assert first == second


def test_a_webhook_key_that_is_not_the_one_in_use_is_replaced(tmp_path: Path) -> None:
    def forge(key: Path) -> None:
        key.write_text("whsec_another")

    _, _, before, after = run(tmp_path, forge)
    assert after == before


def test_a_dead_letter_that_a_kill_cut_short_is_removed_at_the_start_and_never_one_being_written(
    tmp_path: Path,
) -> None:
    spec = make_spec(tmp_path)
    folder = dead_letter_folder(tmp_path, spec.function) / "uploads"
    folder.mkdir(parents=True)
    cut_short, being_written = folder / ".1.tmp", folder / ".2.tmp"

    async def main() -> None:
        background = JobsAndTriggers(HomePaths(tmp_path), lambda _name: None, log_of=lambda _name: None)
        cut_short.touch()
        await background.start()
        try:
            assert not cut_short.exists()
            being_written.touch()
            await background.attach(spec)
            assert being_written.exists()
        finally:
            await background.stop()

    asyncio.run(main())
