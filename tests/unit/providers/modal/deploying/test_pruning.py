from preheat_providers.modal.deploying.pruning import KEPT, superfluous

TAGS = [f"r{number}.{number:016x}" for number in range(1, KEPT + 4)]
RUNNING = TAGS[-1]


def test_the_newest_stay() -> None:
    assert superfluous(TAGS, deployed=frozenset(TAGS), running=RUNNING) == frozenset(TAGS[:3])


def test_what_runs_stays_however_old_it_is() -> None:
    assert superfluous(TAGS, deployed=frozenset(TAGS), running=TAGS[0]) == frozenset(TAGS[1:3])


def test_what_a_killed_deploy_left_goes() -> None:
    left = "r2.ffffffffffffffff"
    assert superfluous([*TAGS[-3:], left], deployed=frozenset(TAGS), running=RUNNING) == {left}


def test_what_another_deploy_may_be_about_to_publish_stays() -> None:
    coming = f"r{KEPT + 4}.ffffffffffffffff"
    assert superfluous([*TAGS[-3:], coming], deployed=frozenset(TAGS), running=RUNNING) == frozenset()
