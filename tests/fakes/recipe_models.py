"""Run with torch: makes models of another kind than the tiny one of the recipes, in a folder that is named.

The heads of `base` and `adapter` have not as many labels; `distilbert` has other names than BERT.
"""

import sys
from pathlib import Path

import torch
import transformers
from peft import LoraConfig, get_peft_model

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "oven", "is", "hot", "bread"]


def main(root: Path) -> None:
    """Write the three folders."""
    torch.manual_seed(1)
    tokenizer = transformers.BertTokenizerFast(vocab={word: index for index, word in enumerate(WORDS)})
    config = transformers.BertConfig(
        vocab_size=len(WORDS),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        num_labels=3,
    )
    transformers.BertForSequenceClassification(config).save_pretrained(root / "base")
    tokenizer.save_pretrained(root / "base")
    other = transformers.AutoModelForSequenceClassification.from_pretrained(
        root / "base", num_labels=5, ignore_mismatched_sizes=True
    )
    asked = LoraConfig(task_type="SEQ_CLS", r=4, target_modules=["query", "value"])
    get_peft_model(other, asked).save_pretrained(root / "adapter")
    small = transformers.DistilBertConfig(
        vocab_size=len(WORDS), dim=32, n_layers=2, n_heads=2, hidden_dim=64, max_position_embeddings=64
    )
    transformers.DistilBertForSequenceClassification(small).save_pretrained(root / "distilbert")
    tokenizer.save_pretrained(root / "distilbert")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
