import pytest

from preheat.errors import ProviderError
from preheat_providers.aws_lambda.operating.alias import Alias
from preheat_providers.aws_lambda.operating.traffic import promoted, rolled_back


def test_a_rollback_goes_to_the_release_before_the_active_one() -> None:
    assert rolled_back("ocr", "dev", [5, 3, 2], Alias(version=5), None) == Alias(version=3)
    assert rolled_back("ocr", "dev", [5, 3, 2], Alias(version=3), None) == Alias(version=2)


def test_a_rollback_does_not_go_to_what_was_rolled_back_itself() -> None:
    assert rolled_back("ocr", "dev", [5, 3, 2], Alias(version=5, before=2), None) == Alias(
        version=2, before=5
    )


def test_a_rollback_may_name_any_release_and_ends_a_canary() -> None:
    canary = Alias(version=3, canary=5, share=0.1)
    assert rolled_back("ocr", "dev", [5, 3, 2], canary, 5) == Alias(version=5)
    assert rolled_back("ocr", "dev", [5, 3, 2], canary, 3) == Alias(version=3)


def test_a_rollback_to_what_is_not_there_says_what_is() -> None:
    with pytest.raises(ProviderError, match=r"has no release 4\. There are 5, 3") as caught:
        rolled_back("ocr", "dev", [5, 3], Alias(version=5), 4)
    assert caught.value.hint == "preheat rollback ocr 5 --provider lambda"
    with pytest.raises(ProviderError, match="no release before 5"):
        rolled_back("ocr", "dev", [5], Alias(version=5), None)


def test_a_promotion_gives_the_newest_release_everything() -> None:
    assert promoted(
        "ocr", "dev", [5, 3], Alias(version=3, canary=5, share=0.1), None, keeps_ready=False
    ) == Alias(version=5)


def test_a_canary_stands_beside_the_active_release_or_the_one_before() -> None:
    share = Alias(version=3, canary=5, share=0.1)
    assert promoted("ocr", "dev", [5, 4, 3], Alias(version=3), 0.1, keeps_ready=False) == share
    assert promoted("ocr", "dev", [5, 3], Alias(version=5), 0.1, keeps_ready=False) == share
    assert promoted("ocr", "dev", [5, 3], share, 0.5, keeps_ready=False) == Alias(
        version=3, canary=5, share=0.5
    )


def test_a_canary_does_not_stand_beside_a_release_that_was_rolled_back() -> None:
    deployed = Alias(version=2, before=1)
    back = rolled_back("ocr", "dev", [2, 1], deployed, None)
    better = back.moved(3)
    canary = promoted("ocr", "dev", [3, 2, 1], better, 0.1, keeps_ready=False)
    assert canary == Alias(version=1, canary=3, share=0.1)
    assert promoted("ocr", "dev", [3, 2, 1], canary, None, keeps_ready=False).before == 1


def test_where_nobody_knows_what_was_before_the_number_before_stands_beside() -> None:
    for alias in (Alias(version=5), Alias(version=5, before=1)):  # 1 is gone
        canary = promoted("ocr", "dev", [5, 3], alias, 0.1, keeps_ready=False)
        assert canary == Alias(version=3, canary=5, share=0.1)


def test_what_was_before_stays_known_while_the_traffic_stays() -> None:
    alias = Alias(version=3, before=1)
    assert alias.moved(3).before == 1
    assert promoted("ocr", "dev", [3, 2, 1], alias, None, keeps_ready=False).before == 1


def test_a_rollback_without_a_number_ends_a_canary() -> None:
    canary = Alias(version=3, canary=5, share=0.1)
    assert rolled_back("ocr", "dev", [5, 3, 2], canary, None) == Alias(version=3)


def test_a_single_release_has_no_canary() -> None:
    with pytest.raises(ProviderError, match="one release only"):
        promoted("ocr", "dev", [5], Alias(version=5), 0.1, keeps_ready=False)


@pytest.mark.parametrize("share", [-0.1, 1.01])
def test_a_share_is_between_nothing_and_everything(share: float) -> None:
    with pytest.raises(ProviderError, match="from 0 to 1"):
        promoted("ocr", "dev", [5, 3], Alias(version=5), share, keeps_ready=False)


def test_a_hint_names_the_stage_that_it_is_about() -> None:
    with pytest.raises(ProviderError) as caught:
        rolled_back("ocr", "prod", [5, 3], Alias(version=5), 4)
    assert caught.value.hint == "preheat rollback ocr 5 --provider lambda --stage prod"


def test_where_environments_are_kept_ready_there_is_no_canary() -> None:
    """Lambda refuses weights on an alias with provisioned concurrency."""
    with pytest.raises(ProviderError, match="all of it or none") as caught:
        promoted("ocr", "dev", [5, 3], Alias(version=3), 0.1, keeps_ready=True)
    assert caught.value.hint == "preheat promote ocr --provider lambda"
    assert promoted("ocr", "dev", [5, 3], Alias(version=3), None, keeps_ready=True) == Alias(version=5)
