"""What a reader sees of images, as JSON values and as lines. In: frozen data. Touches nothing."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from preheat.bundle.image.container import TOKEN_VARIABLE
from preheat.cli.problems import note
from preheat.cli.text import bold, columns, dim, human_bytes, paste
from preheat.cli.views import DIGEST_SHOWN
from preheat.project.model import Project

if TYPE_CHECKING:
    from preheat.bundle.image.image import Image
    from preheat.bundle.image.inspect import Found
    from preheat.bundle.image.push import Pushed


def document(image: "Image", project: Project) -> dict[str, Any]:
    """Return a built image as JSON values. `requires` are the variables that a container must be given."""
    return {
        "name": project.name,
        "stage": project.stage,
        "digest": image.digest,
        "media_type": image.media_type,
        "platform": str(image.base.platform),
        "base": str(image.base.reference),
        "interpreter": image.interpreter,
        "bytes": image.bytes,
        "layers": [
            {
                "name": layer.name,
                "digest": layer.descriptor.digest,
                "bytes": layer.descriptor.size,
                "cached": layer.cached,
            }
            for layer in image.layers
        ],
        "requires": required(image, project),
    }


def required(image: "Image", project: Project) -> list[str]:
    """Return the variables that are not in the image: secrets never are, and neither is the token."""
    token = [TOKEN_VARIABLE] if TOKEN_VARIABLE in image.container.command else []
    return sorted([*project.secrets, *token])


def built(image: "Image", project: Project, written: list[str]) -> Iterator[str]:
    """Yield what was built."""
    yield f"{bold(human_bytes(image.bytes))} for {image.base.platform} on {image.base.reference}"
    rows = [
        (
            layer.name,
            human_bytes(layer.descriptor.size),
            dim(layer.descriptor.digest[:DIGEST_SHOWN]),
            "" if layer.cached else "new",
        )
        for layer in image.layers
    ]
    yield from ("  " + line for line in columns(rows, right=frozenset({1})))
    yield f"  {image.digest}"
    for path in written:
        yield f"  written to {bold(path)}"
        if path.endswith(".tar"):
            yield paste(f"docker load -i {path}")
    names = required(image, project)
    if names:
        yield from note(
            f"A container of it needs {', '.join(names)}.", " ".join(f"-e {name}" for name in names)
        )


def pushed_document(push: "Pushed") -> dict[str, Any]:
    """Return what a push did as JSON values."""
    return {
        "reference": str(push.reference),
        "sent": push.sent,
        "sent_bytes": push.sent_bytes,
        "mounted": push.mounted,
        "skipped": push.skipped,
    }


def pushed(image: "Image", project: Project, push: "Pushed") -> Iterator[str]:
    """Yield what was built and what a push did."""
    yield from built(image, project, [])
    counts = f"{push.sent} sent, {push.mounted} mounted, {push.skipped} there already"
    yield f"{bold(str(push.reference))}: {human_bytes(push.sent_bytes)} ({counts})"


def found_document(image: "Found") -> dict[str, Any]:
    """Return an inspected image as JSON values; `config` is its configuration as it is."""
    return {
        "name": image.name,
        "digest": image.digest,
        "media_type": image.media_type,
        "platforms": [str(platform) for platform in image.platforms],
        "bytes": image.bytes,
        "layers": [layer.to_json() for layer in image.layers],
        "config": image.config,
    }


def found(image: "Found") -> Iterator[str]:
    """Yield what an image is."""
    process = image.config.get("config") or {}
    where = f"{image.config.get('os')}/{image.config.get('architecture')}"
    yield f"{bold(image.name)}: {human_bytes(image.bytes)} for {where}"
    command = " ".join([*(process.get("Entrypoint") or ()), *(process.get("Cmd") or ())])
    labels = process.get("Labels") or {}
    rows = [
        ("digest", image.digest),
        ("created", str(image.config.get("created", "-"))),
        ("command", command or "-"),
        ("user", process.get("User") or "root"),
        ("ports", ", ".join(process.get("ExposedPorts") or ()) or "-"),
        *((dim(name), value) for name, value in sorted(labels.items())),
    ]
    yield from ("  " + line for line in columns(rows))
    yield ""
    history = [
        str(line.get("created_by", ""))
        for line in image.config.get("history") or ()
        if not line.get("empty_layer")
    ]
    history += [""] * (len(image.layers) - len(history))
    layers = [
        (human_bytes(layer.size), dim(layer.digest[:DIGEST_SHOWN]), text[:60])
        for layer, text in zip(image.layers, history, strict=False)
    ]
    yield from ("  " + line for line in columns(layers, right=frozenset({0}))) if layers else ()
