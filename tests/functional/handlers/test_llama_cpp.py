"""A llama of one layer, made here. llama-cpp-python has no wheels and builds for minutes: mostly skipped."""

from pathlib import Path

import numpy as np
import pytest
from tests.fakes.handlers import Started, context

from preheat.errors import BadInput, HandlerError

pytest.importorskip("llama_cpp")
gguf = pytest.importorskip("gguf")

from preheat_handlers.llama_cpp import LlamaHandler  # noqa: E402

pytestmark = pytest.mark.filterwarnings("default")
WIDTH, WORDS = 32, 300


def llama(path: Path) -> Path:
    """Write a model with random weights, whose tokens are bytes."""
    rng = np.random.default_rng(5)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(WIDTH)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // 2)
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    tokens += [f"w{index}" for index in range(WORDS - len(tokens))]
    kinds = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL]
    kinds += [gguf.TokenType.BYTE] * 256 + [gguf.TokenType.NORMAL] * (WORDS - 259)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * WORDS)
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    shapes = {"token_embd": (WORDS, WIDTH), "output": (WORDS, WIDTH), "output_norm": (WIDTH,)}
    square = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    shapes |= {f"blk.0.{name}": (WIDTH, WIDTH) for name in square}
    shapes |= {f"blk.0.{name}": (WIDTH,) for name in ("attn_norm", "ffn_norm")}
    for name, shape in shapes.items():
        values = rng.standard_normal(shape) if len(shape) > 1 else np.ones(shape)
        writer.add_tensor(f"{name}.weight", values.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


class Small(LlamaHandler):
    context = 64


def test_text_comes_in_pieces_and_again_the_same(tmp_path: Path) -> None:
    found = Started(Small, context(tmp_path, model=llama(tmp_path / "m.gguf")))
    prompt = {"text": "ab", "max_tokens": 8, "temperature": 0.0}
    pieces = found.ask(prompt)
    assert len(pieces) > 1
    assert found.ask(prompt) == pieces
    found.handler.teardown(context(tmp_path))


def test_what_does_not_fit_is_the_callers_mistake(tmp_path: Path) -> None:
    found = Started(Small, context(tmp_path, model=llama(tmp_path / "m.gguf")))
    with pytest.raises(BadInput, match=r"with max_tokens=64 that is more than the 64 which fit"):
        found.ask({"text": "ab", "max_tokens": 64})
    with pytest.raises(BadInput, match="temperature is 3"):
        found.ask({"text": "ab", "temperature": 3.0})


def test_a_file_that_is_no_model_is_said(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"nothing")
    with pytest.raises(HandlerError, match=r"m\.gguf does not load as a GGUF model"):
        Started(Small, context(tmp_path, model=tmp_path / "m.gguf"))
