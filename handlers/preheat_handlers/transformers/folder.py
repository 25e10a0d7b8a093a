"""What `save_pretrained` writes: a folder with a model and its tokenizer, read without the network.

What transformers would make up with a warning, where a part is not there, is an error here.
"""

from pathlib import Path
from typing import Any

from preheat.errors import HandlerError
from preheat.interface.handler import Context

TOKENIZERS = ("tokenizer*.json", "vocab.*", "*.model")


def find_folder(ctx: Context, weights: str, *, owner: str) -> Path:
    """Return the folder of the model. Raises HandlerError where it has no safetensors."""
    if weights not in ctx.weights:
        raise HandlerError(
            f"{owner} has no weights {weights!r}.",
            hint=f'[weights.{weights}]\nsource = "file:model"  # a folder by save_pretrained("model")',
        )
    folder = ctx.weights[weights]
    if not (folder / "config.json").is_file():
        raise HandlerError(
            f"{folder.name} has no config.json.",
            hint='model.save_pretrained("model"); tokenizer.save_pretrained("model")',
        )
    if not any(folder.glob("*.safetensors")):
        raise HandlerError(
            f"{folder.name} has no .safetensors file; a pickle runs whatever its writer put into it.",
            hint='model.save_pretrained("model")  # writes safetensors',
        )
    return folder


def load_model(folder: Path, auto: str, *, task: str, spare: tuple[str, ...]) -> Any:
    """Return the model in `folder` by the class `auto`. Raises HandlerError where it is for another task.

    The parts in `spare` may be missing.
    """
    import transformers
    from safetensors import SafetensorError

    try:
        model, found = getattr(transformers, auto).from_pretrained(
            folder, use_safetensors=True, local_files_only=True, output_loading_info=True
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as exc:
        raise HandlerError(f"{folder.name} does not load for {task}: {exc}") from exc
    # transformers makes them at random: answers would come, and mean nothing.
    missing = sorted(name for name in found["missing_keys"] if name.partition(".")[0] not in spare)
    if missing:
        raise HandlerError(
            f"{folder.name} has no weights {', '.join(missing[:3])}, which {task} needs: its model is "
            f"{', '.join(model.config.architectures or ['of no known class'])}.",
            hint=f'transformers.{auto}.from_pretrained(...).save_pretrained("model")',
        )
    return model


def load_tokenizer(folder: Path) -> Any:
    """Return the tokenizer in `folder`. Raises HandlerError where there is none."""
    from transformers import AutoTokenizer

    # Where none of its files is there, transformers makes one that knows no word.
    why: object = "there is none of its files"
    if any(path for pattern in TOKENIZERS for path in folder.glob(pattern)):
        try:
            return AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, KeyError) as exc:
            why = exc
    raise HandlerError(f"{folder.name} has no tokenizer: {why}.", hint='tokenizer.save_pretrained("model")')


def require_padding(folder: Path, model: Any, tokenizer: Any) -> None:
    """Give `model` and `tokenizer` a token that fills shorter texts up: the end of a text, if they have none.

    The mask hides it, so that it may be any. Raises HandlerError where there is no end of a text either.
    """
    if tokenizer.pad_token is None:
        if tokenizer.eos_token is None:
            raise HandlerError(
                f"The tokenizer of {folder.name} has no pad_token and no eos_token, so that texts of "
                "different lengths cannot run together.",
                hint='tokenizer.pad_token = "..."; tokenizer.save_pretrained("model")  # any of its tokens',
            )
        tokenizer.pad_token = tokenizer.eos_token
    if model.config.pad_token_id is None:
        model.config.pad_token_id = tokenizer.pad_token_id
