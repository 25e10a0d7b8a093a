"""The functions beside the class in the generated app: what spawns its calls, on small machines. Pure."""

from preheat_providers.modal.app.spec import AppSpec, Tick
from preheat_providers.modal.app.words import ROOT, call, environment, line, literal, slim
from preheat_providers.modal.names import uploads_label
from preheat_providers.modal.shipped.settings import CODE, UPLOADS_KEY

SPAWN_S, SPAWN_RETRIES = 60, 2
"""What such a function may take, and how often a tick is repeated: all that it does is spawn calls."""

RECEIVER, POLLER = "uploads", "poll_uploads"
"""The function that EventBridge calls, and the one that asks the queue."""
SMALL_CPU, SMALL_MB = 0.125, 256
RECEIVER_INPUTS = 50
EVERY_MINUTE = "* * * * *"
POLLER_STAYS_S = 2
"""As short as Modal takes: it is started anew every minute."""

UPLOADS = """

@app.function({arguments})
@modal.concurrent(max_inputs={inputs})
@modal.asgi_app({web})
def {function}():
    sys.path[:0] = [str(BUNDLE / "{code}")]
    from preheat_providers.modal.shipped.entry import upload_receiver

    return upload_receiver(SETTINGS, {model}().run_upload.spawn)
"""

POLL = """

@app.function({arguments})
async def {function}():
    sys.path[:0] = [str(BUNDLE / "{code}")]
    from preheat_providers.modal.shipped.entry import poll_uploads

    await poll_uploads(SETTINGS, {model}().run_upload.spawn)
"""

TICK = """

@app.function({arguments})
def {function}():
    {model}().run_tick.spawn({tick})
"""


def functions_text(spec: AppSpec, model: str) -> str:
    """Return their text; `model` is the name of the class."""
    uploads = ""
    if spec.uploads:
        uploads = _receiver(spec, model) if spec.upload_queue is None else _poller(spec, model)
    return uploads + "".join(_tick(spec, each, model) for each in spec.ticks)


def tick_function(schedule: str) -> str:
    """Return what the function of a schedule is called."""
    return f"tick_{schedule.replace('-', '_')}"


def _receiver(spec: AppSpec, model: str) -> str:
    arguments = {
        "image": f'{slim(spec)}.add_local_dir(\n        BUNDLE / "{CODE}", "{ROOT}/{CODE}"\n    )',
        "cpu": literal(SMALL_CPU),
        "memory": literal(SMALL_MB),
        "timeout": literal(SPAWN_S),
        "env": literal({UPLOADS_KEY: spec.uploads_sha256}),
    }
    return UPLOADS.format(
        arguments=call(arguments),
        inputs=RECEIVER_INPUTS,
        web=line({"label": uploads_label(spec.label)}),
        function=RECEIVER,
        code=CODE,
        model=model,
    )


def _poller(spec: AppSpec, model: str) -> str:
    arguments = {
        "image": "image",  # its packages are in the lock, the AWS SDK among them
        "cpu": literal(SMALL_CPU),
        "memory": literal(SMALL_MB),
        "max_containers": "1",
        "scaledown_window": literal(POLLER_STAYS_S),
        "schedule": f"modal.Cron({literal(EVERY_MINUTE)})",
        "timeout": literal(SPAWN_S),
        **environment(spec),
    }
    return POLL.format(arguments=call(arguments), function=POLLER, code=CODE, model=model)


def _tick(spec: AppSpec, tick: Tick, model: str) -> str:
    arguments = {
        "image": slim(spec),
        "schedule": f"modal.Cron({literal(tick.cron)}, timezone={literal(tick.timezone)})",
        "timeout": literal(SPAWN_S),
        "retries": literal(SPAWN_RETRIES),
    }
    function = tick_function(tick.name)
    return TICK.format(arguments=call(arguments), function=function, model=model, tick=literal(tick.name))
