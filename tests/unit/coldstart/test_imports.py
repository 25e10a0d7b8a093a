"""Logs are what Python 3.11 to 3.13 write under -X importtime, shortened."""

from preheat.coldstart.imports import by_user, read_imports

HEAD = "import time: self [us] | cumulative | imported package\n"


def line(name: str, depth: int, own_us: int, all_us: int) -> str:
    return f"import time: {own_us:9d} | {all_us:10d} | {'  ' * depth}{name}\n"


LOG = (
    HEAD
    + line("json", 0, 2000, 2000)
    + "preheat-phase: import begins\n"
    + line("numpy._core", 1, 20_000, 20_000)
    + line("numpy", 0, 10_000, 30_000)
    + line("helper.deep", 1, 5000, 5000)
    + line("helper", 0, 1000, 6000)
    + line("preheat.interface.schema", 0, 4000, 4000)
    + "preheat-phase: import ends\n"
    + line("preheat.runtime.engine", 0, 3000, 3000)
)


def test_who_asked_is_told_by_the_indent() -> None:
    found = {each.name: each.asked_by for each in read_imports(LOG, "app")}
    assert found["numpy._core"] == "numpy"
    assert found["json"] is None


def test_a_phase_of_the_handler_imports_for_its_module() -> None:
    found = {each.name: each.asked_by for each in read_imports(LOG, "app")}
    assert found["numpy"] == "app"


def test_what_preheat_imports_meanwhile_is_not_the_handlers() -> None:
    found = {each.name: each.asked_by for each in read_imports(LOG, "app")}
    assert found["preheat.interface.schema"] is None
    assert found["preheat.runtime.engine"] is None


def test_times_are_in_ms_with_and_without_what_was_imported() -> None:
    numpy = next(each for each in read_imports(LOG, "app") if each.name == "numpy")
    assert (numpy.ms, numpy.self_ms) == (30.0, 10.0)


def test_short_imports_are_left_out() -> None:
    log = HEAD + line("tiny", 0, 999, 999) + line("big", 0, 1000, 1000)
    assert [each.name for each in read_imports(log, "app")] == ["big"]


def test_a_line_of_another_thread_is_not_told_under_a_shorter_import() -> None:
    log = line("theirs", 1, 50_000, 50_000) + line("ours", 0, 2000, 2000)
    assert {each.name: each.asked_by for each in read_imports(log, "app")}["theirs"] is None


def test_other_lines_are_passed_over() -> None:
    log = '{"event": "starting"}\n' + LOG + "import time: nonsense\n"
    assert read_imports(log, "app") == read_imports(LOG, "app")


def test_the_users_code_is_every_module_of_the_project() -> None:
    found = by_user(read_imports(LOG, "app"), frozenset({"app", "helper"}))
    assert [each.name for each in found] == ["numpy"]
    assert by_user(read_imports(LOG, "app"), frozenset({"app"})) != found
