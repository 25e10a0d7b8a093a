"""What is tried."""

import pytest

from preheat.tuning.variants import (
    DEFAULT,
    PREPACKED,
    QUANTISATIONS,
    Quantisation,
    Settings,
    Variant,
    candidates,
    refinements,
)


def named(name: str, *quantise: Quantisation, fuse: bool = False) -> Variant:
    return next(variant for variant in candidates(quantise, fuse=fuse) if variant.name == name)


def test_settings_that_are_onnxruntimes_own_set_nothing() -> None:
    assert Settings().document() == {
        "file": "model.onnx",
        "options": {"graph_optimization_level": "all", "intra_op_num_threads": None},
        "entries": {},
    }


def test_every_switch_reaches_the_document() -> None:
    settings = Settings(level="disable", packing=False, spinning=False, arena=False, threads=2)
    assert settings.document() == {
        "file": "model.onnx",
        "options": {
            "graph_optimization_level": "disable",
            "intra_op_num_threads": 2,
            "enable_cpu_mem_arena": False,
        },
        "entries": {"session.disable_prepacking": "1", "session.intra_op.allow_spinning": "0"},
    }


def test_the_model_as_it_is_comes_first() -> None:
    assert candidates((), fuse=False)[0] is DEFAULT
    assert DEFAULT.graph.steps == ()


def test_answer_first_opens_one_graph_twice_without_and_with_packing() -> None:
    variant = named("extended, answer first")
    assert variant.then is not None
    assert (variant.load.packing, variant.then.packing) == (False, True)
    assert variant.load.level == variant.then.level == "disable"
    assert variant.settled == variant.then


def test_saved_packing_is_a_file_of_its_own_that_nothing_else_needs() -> None:
    assert named("extended, saved packing").load.file == PREPACKED
    others = [variant for variant in candidates(QUANTISATIONS, fuse=True) if "saved" not in variant.name]
    assert all(variant.load.file != PREPACKED for variant in others)


def test_no_baked_graph_is_optimised_for_this_processor() -> None:
    levels = {
        step.arguments["level"]
        for variant in candidates(QUANTISATIONS, fuse=True)
        for step in variant.graph.steps
        if "level" in step.arguments
    }
    assert levels == {"disable", "basic", "extended"}


def test_the_ort_format_is_measured_and_never_chosen() -> None:
    assert named("ort format").reference_only


def test_quantising_is_done_only_where_asked_and_once() -> None:
    assert not any(variant.graph.lossy for variant in candidates((), fuse=True))
    asked = candidates(("int8", "int8"), fuse=False)
    lossy = {variant.graph.name for variant in asked if variant.graph.lossy}
    assert lossy == {"int8"}
    assert len([v for v in candidates(("int8", "int8"), fuse=False) if v.name == "int8"]) == 1


def test_float16_is_not_optimised_ahead_which_would_store_it_widened() -> None:
    assert [step.name for step in named("float16", "float16").graph.steps] == ["optimise", "quantise"]
    assert named("float16", "float16").load.level == "extended"
    assert [step.name for step in named("int8", "int8").graph.steps][-1] == "optimise"


@pytest.mark.parametrize(
    ("cpus", "names"), [(1, ["no arena"]), (2, ["no arena", "no spinning", "one thread"])]
)
def test_switches_of_threads_are_tried_where_there_are_some(cpus: int, names: list[str]) -> None:
    best = named("extended, answer first")
    changed = refinements(best, cpus=cpus)
    assert [variant.name.removeprefix(f"{best.name}, ") for variant in changed] == names
    assert all(variant.then is not None and not variant.load.packing for variant in changed)


def test_variants_are_told_apart_by_name() -> None:
    names = [variant.name for variant in candidates(QUANTISATIONS, fuse=True)]
    assert len(names) == len(set(names))
