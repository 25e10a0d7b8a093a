from preheat_providers.aws_lambda.operating.status import Cold, Ready, cold_starts


def test_a_cold_start_is_init_or_restore_and_the_first_call() -> None:
    reports = [
        {"event": "report", "init_ms": 400.0, "duration_ms": 20.0},
        {"event": "report", "restore_ms": 100.0, "duration_ms": 20.0},
        {"event": "report", "init_ms": 600.0},
        {"event": "report", "duration_ms": 5.0},
        {"event": "init", "init_ms": 9.0},
    ]
    assert cold_starts(reports) == Cold(starts=3, ms_p50=420.0)
    assert cold_starts([]) == Cold(starts=0, ms_p50=None)


def test_what_is_kept_ready_says_why_it_is_not() -> None:
    ready = Ready(state="IN_PROGRESS", available=1, wanted=3, reason="")
    assert (str(ready), ready.failed) == ("1 of 3, in progress", False)
    failed = Ready(state="FAILED", available=0, wanted=3, reason="FUNCTION_ERROR_INIT_FAILURE")
    assert (str(failed), failed.failed) == ("0 of 3, failed: FUNCTION_ERROR_INIT_FAILURE", True)
