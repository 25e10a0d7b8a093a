from dataclasses import replace

from tests.fakes.sagemaker_templates import DIGEST, template

from preheat_providers.sagemaker.operating.releases import Released, digest_in, release_list, superfluous

RELEASES = tuple(
    Released(
        number=number, config=f"c{number}", model=f"m{number}", digest=f"d{number}", created=f"t{number}"
    )
    for number in (5, 4, 3, 2)
)


def test_the_one_whose_config_answers_is_active() -> None:
    found = release_list(RELEASES, "c4")
    assert [(each.number, each.active, each.created) for each in found] == [
        (5, False, "t5"),
        (4, True, "t4"),
        (3, False, "t3"),
        (2, False, "t2"),
    ]


def test_the_newest_stay_and_so_does_what_answers() -> None:
    assert [each.number for each in superfluous(RELEASES, keep=2, config="c2")] == [3]
    assert superfluous(RELEASES, keep=4, config="c5") == ()


def test_what_a_rollback_goes_to_stays() -> None:
    after_a_rollback = (replace(RELEASES[0], before=2), *RELEASES[1:])
    assert [each.number for each in superfluous(after_a_rollback, keep=1, config="c5")] == [4, 3]


def test_a_stack_knows_the_bundle_that_it_has() -> None:
    assert digest_in(template()) == DIGEST
