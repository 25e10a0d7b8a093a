from preheat_providers.modal.operating.apps import App, Version

ONE, TWO, THREE = "r1.0000000000000001", "r2.0000000000000002", "r3.0000000000000003"


def app(*versions: Version, running: int) -> App:
    newest_first = tuple(sorted(versions, key=lambda version: -version.number))
    return App(id="ap-1", name="x", environment="main", versions=newest_first, running=running)


def version(number: int, tag: str = "", again: int = 0) -> Version:
    return Version(number=number, tag=tag, at=0.0, again=again)


def test_what_runs_after_a_rollback_is_the_release_that_it_brought_back() -> None:
    back = app(version(1, ONE), version(2, TWO), version(3, "", again=1), running=3)
    assert back.tag == ONE
    assert back.version_of(1) == 1
    assert back.last_number == 2


def test_a_rollback_of_a_rollback_is_followed_to_its_origin() -> None:
    back = app(version(1, ONE), version(2, TWO), version(3, "", 1), version(4, "", 3), running=4)
    assert back.tag == ONE


def test_a_version_that_a_rollback_made_is_never_the_one_to_go_back_to() -> None:
    assert app(version(1, ONE), version(2, TWO), version(3, ONE, again=1), running=3).version_of(1) == 1


def test_what_ran_before_is_known_from_the_history_and_not_from_the_numbers() -> None:
    better = app(
        version(1, ONE), version(2, TWO), version(3, again=1), version(4, THREE), version(5, THREE), running=5
    )
    assert better.number_before == 1
    assert app(version(1, ONE), version(2, TWO), running=2).number_before == 1
    assert app(version(1, ONE), running=1).number_before is None


def test_versions_that_point_at_each_other_end() -> None:
    assert app(version(1, "", 2), version(2, "", 1), running=2).tag == ""


def test_what_somebody_else_deployed_has_no_number() -> None:
    other = app(version(1, "mine"), version(2, ONE), running=1)
    assert (other.tag, other.last_number, other.version_of(1)) == ("mine", 1, 2)


def test_a_version_that_modal_forgot_has_no_tag() -> None:
    assert app(version(5, "", again=1), running=5).tag == ""


def test_a_time_is_utc() -> None:
    assert Version(number=1, tag="", at=1_763_719_200.5).created == "2025-11-21T10:00:00Z"
