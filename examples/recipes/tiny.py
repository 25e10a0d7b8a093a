"""A text classifier of two layers, made here: what the recipes work on until you name a folder of yours.

Run: python tiny.py FOLDER
"""

import random
import sys
from pathlib import Path

import torch
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
SENTENCE = "the oven is hot cold and warm we preheat it to bake bread or cake at 200 degrees today ."
WORDS = tuple(SENTENCE.split())


def make_model(folder: Path, *, layers: int = 2, width: int = 64) -> Path:
    """Write a model with random weights and its tokenizer to `folder`, as save_pretrained does."""
    folder.mkdir(parents=True)
    vocabulary = {word: index for index, word in enumerate((*SPECIAL, *WORDS))}
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=4,
        intermediate_size=4 * width,
        max_position_embeddings=64,
        num_labels=3,
        initializer_range=0.2,  # of 0.02, an untrained model says nearly the same of every text
    )
    BertTokenizerFast(vocab=vocabulary).save_pretrained(folder)
    model = BertForSequenceClassification(config).eval()
    for name, parameter in model.named_parameters():
        if name.endswith(".bias"):  # as after training; they begin as zeros
            torch.nn.init.normal_(parameter, std=0.05)
    model.save_pretrained(folder)
    return folder


def make_texts(count: int, *, seed: int) -> list[str]:
    """Return texts of 3 to 20 words."""
    chance = random.Random(seed)
    return [" ".join(chance.choices(WORDS, k=chance.randint(3, 20))) for _ in range(count)]


if __name__ == "__main__":
    make_model(Path(sys.argv[1]))
