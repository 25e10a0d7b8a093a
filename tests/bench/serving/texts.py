"""The inputs: short sentences of 10 to 13 tokens, and texts of mixed length. The same on every run."""

import random

SUBJECTS = ("cat", "dog", "bird", "fish", "horse", "child", "farmer", "doctor")
PLACES = ("garden", "house", "school", "river", "forest", "market", "city", "park")
WORDS = (
    *SUBJECTS,
    *PLACES,
    "walks",
    "runs",
    "sees",
    "finds",
    "the",
    "a",
    "and",
    "with",
    "old",
    "small",
    "red",
    "green",
)
MARKS_AROUND = 2
"""The tokens that the tokenizer puts before and after every text."""


def short_sentences(count: int = 32) -> list[str]:
    """Return different sentences, padded by spaces to different lengths: the no-op's answers differ too."""
    sentences = []
    for number in range(count):
        subject, place = SUBJECTS[number % len(SUBJECTS)], PLACES[(number // 4) % len(PLACES)]
        sentences.append(f"the old {subject} walks to the {place} with a red bag".ljust(60 + number))
    return sentences


def mixed_texts(count: int = 64, *, shortest: int = 8, longest: int = 256, seed: int = 1) -> list[str]:
    """Return texts of `shortest` to `longest` tokens, log-uniform: many short ones and a few long ones.

    Every word is one token of MiniLM's vocabulary.
    """
    chance = random.Random(seed)
    texts = []
    for _ in range(count):
        tokens = round(shortest * (longest / shortest) ** chance.random())
        texts.append(" ".join(chance.choice(WORDS) for _ in range(tokens - MARKS_AROUND)))
    return texts
