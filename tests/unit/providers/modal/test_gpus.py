import pytest

from preheat_providers.modal.gpus import GPUS, gpu_problem, most_gpus, read_gpu


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("H100", "H100"),
        ("h100", "H100"),
        (" a100-80gb:4 ", "A100-80GB:4"),
        ("L4:1", "L4"),
        ("H100!:2", "H100!:2"),
    ],
)
def test_a_request_is_written_as_modal_has_it(text: str, asked: str) -> None:
    wanted = read_gpu(text)
    assert wanted is not None
    assert wanted.text == asked


@pytest.mark.parametrize("name", GPUS)
def test_every_gpu_of_the_table_may_be_asked_for_up_to_its_number(name: str) -> None:
    most = GPUS[name].most
    assert gpu_problem(f"{name}:{most}") is None
    problem = gpu_problem(f"{name}:{most + 1}")
    assert problem is not None
    assert problem[1] == f"{name}:{most}"


@pytest.mark.parametrize("text", ["", "L4:0", "L4:-1", "L4:two", ":2", "L4:2:2"])
def test_what_is_no_request_is_said_to_be_none(text: str) -> None:
    problem = gpu_problem(text)
    assert problem is not None
    assert "no GPU" in problem[0]


@pytest.mark.parametrize(
    ("text", "nearest"), [("A10G", "A10"), ("H1000", "H100"), ("RTX6000", "RTX-PRO-6000"), ("TPU", "L4")]
)
def test_an_unknown_gpu_is_named_with_the_known_and_the_nearest(text: str, nearest: str) -> None:
    problem = gpu_problem(text)
    assert problem is not None
    assert all(name in problem[0] for name in GPUS)
    assert problem[1] == nearest


def test_the_largest_number_counts() -> None:
    assert most_gpus(("L4", "H100:4", "A10:2")) == 4
    assert most_gpus(()) == 0
