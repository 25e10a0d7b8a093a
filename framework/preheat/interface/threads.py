"""How native libraries are told how many threads to start: variables that they read when they load."""

THREAD_COUNTS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def library_environment(threads: int) -> dict[str, str]:
    """Return the variables for a process whose libraries may run `threads` threads each."""
    return {
        **dict.fromkeys(THREAD_COUNTS, str(threads)),
        # tokenizers would leave a thread pool behind, and a process with threads cannot be forked.
        "TOKENIZERS_PARALLELISM": "false" if threads == 1 else "true",
        # onnxruntime's telemetry thread makes a forked child hang at exit, and no model needs it.
        "ORT_DISABLE_TELEMETRY": "1",
    }
