"""`preheat tune`: how a model loads and runs fastest, tried on this machine."""

from pathlib import Path

import click

from preheat.cli import options, tune_views
from preheat.cli.boundary import interruptible
from preheat.cli.tools import Tools, pass_tools
from preheat.project.model import DEFAULT_STAGE

OBJECTIVES = ("cold", "throughput", "size")
QUANTISATIONS = ("int8", "int8-per-channel", "static", "float16", "int4", "int8-weights")


@options.command(
    "tune",
    "preheat tune",
    "preheat tune --objective throughput --quantize int8-per-channel --write",
    "preheat tune --quantize static --calibration calibration.npz --tolerance 0.02",
    "preheat tune --weights encoder --plot encoder.svg --json",
)
@options.directory
@click.option("--weights", metavar="NAME", help="The entry of [weights], where several are ONNX models.")
@click.option(
    "--objective",
    type=click.Choice(OBJECTIVES),
    default="cold",
    show_default=True,
    help="What the winner must be best in: the first answer, those after it, or bytes.",
)
@click.option(
    "--quantize",
    "quantise",
    type=click.Choice(QUANTISATIONS),
    multiple=True,
    help="Also try fewer bits. Can be given several times.",
)
@click.option("--fuse", is_flag=True, help="Also try fused operators (onnxruntime.transformers, onnxslim).")
@click.option(
    "--calibration",
    metavar="FILE.npz",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Inputs for --quantize static: an array for each input of the model, with a row for each sample.",
)
@click.option(
    "--tolerance",
    metavar="T",
    type=click.FloatRange(0, 1),
    default=0.01,
    show_default=True,
    help="How far below 1 the cosine of quantised answers with the original's may be. 0: no bit may differ.",
)
@click.option(
    "--rounds",
    metavar="N",
    type=click.IntRange(1, 100),
    default=5,
    show_default=True,
    help="How often each is started.",
)
@click.option("--write", is_flag=True, help="Write the winner to tuned/NAME and point preheat.toml at it.")
@options.plot("what was measured")
@options.as_json
@pass_tools
def tune(
    tools: Tools,
    directory: Path,
    weights: str | None,
    objective: str,
    quantise: tuple[str, ...],
    fuse: bool,
    calibration: Path | None,
    tolerance: float,
    rounds: int,
    write: bool,
    picture: Path | None,
) -> None:
    """Find how an ONNX model loads and runs fastest.

    Makes variants of the model, starts each in fresh processes with the project's own onnxruntime and what
    the handler's examples feed it, and compares their answers with the original's. Changes nothing without
    --write.
    """
    from preheat.bundle.cache import Cache
    from preheat.project.home import home
    from preheat.tuning import bake
    from preheat.tuning.tune import Wish, tune

    wish = Wish(
        weights=weights,
        objective=objective,  # type: ignore[arg-type]
        quantise=quantise,  # type: ignore[arg-type]
        fuse=fuse,
        calibration=calibration,
        tolerance=tolerance,
        rounds=rounds,
    )
    cache = Cache(home() / "cache")
    remains = "Nothing was written; what was fetched stays in the cache."
    with interruptible(lambda: remains), cache.staging() as work:
        with tools.screen.progress() as report:
            pipeline = tools.pipeline("local", DEFAULT_STAGE, report)
            project = pipeline.project(directory)
            pipeline.check(project)
            target = pipeline.provider.target(project)
            found = tune(
                project,
                target,
                wish,
                build=lambda: pipeline.bundle(project),
                cache=cache,
                work=work,
                report=report,
            )
        if picture is not None:
            from preheat.tuning.plot import plot

            title = f"{project.name}: {found.subject.name}, for {objective}"
            plot(found.outcomes, found.chosen, picture, title=title)
        written = bake.bake(project, found, check=pipeline.project) if write else None
    tools.screen.result(
        tune_views.document(found, written),
        lambda: tune_views.lines(found, written, wrote=write),
    )
