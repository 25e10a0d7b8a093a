"""Where a text classifier has what the recipes change: its encoder's layers, and the products in them."""

from torch import nn

FEED_FORWARD = (
    ("intermediate.dense", "output.dense", "intermediate_size"),  # BERT, RoBERTa, ELECTRA, XLM-R
    ("ffn.lin1", "ffn.lin2", "hidden_dim"),  # DistilBERT
)
"""In a layer the product that widens and the one that narrows; in the config, how wide. Add your model's."""


def find_layers(model: nn.Module) -> tuple[nn.Module, str]:
    """Return the part of `model` that holds its layers, and the name of their list in it."""
    count = model.config.num_hidden_layers
    for part in model.base_model.modules():
        for name, child in part.named_children():
            if isinstance(child, nn.ModuleList) and len(child) == count:
                return part, name
    raise SystemExit(f"{type(model).__name__} has no list of {count} layers: name its own in layers.py.")


def layers_of(model: nn.Module) -> nn.ModuleList:
    """Return the layers of the encoder."""
    part, name = find_layers(model)
    found: nn.ModuleList = getattr(part, name)
    return found


def feed_forward_of(model: nn.Module) -> tuple[str, str, str]:
    """Return the entry of FEED_FORWARD that fits the layers of `model`."""
    names = {name for name, _ in layers_of(model)[0].named_modules()}
    for entry in FEED_FORWARD:
        if names.issuperset(entry[:2]):
            return entry
    raise SystemExit(f"Of a layer of {type(model).__name__}, layers.py knows no FEED_FORWARD: add its names.")
