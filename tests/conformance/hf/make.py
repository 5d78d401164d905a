#!/usr/bin/env python3
"""make.py - folders as transformers writes them, with random weights, and what they compute.

Each folder: config.json, tokenizer.json, weights (sharded, bf16, f16, with tensors nobody reads); beside it NAME.safetensors with ids,
the logits of PyTorch in float64, the mean cross entropy of ids[:, 1:], its gradient by every parameter;
NAME.txt: a prompt, and the 1,000 tokens that greedy writing gives.
Needs torch and transformers (2.15 and 5.24 were used):
    python3 -m venv /tmp/v && /tmp/v/bin/pip install torch transformers && /tmp/v/bin/python make.py
"""
import json, os, shutil
import torch
from safetensors.torch import load_file, save_file
from transformers import (GPT2Config, GPT2LMHeadModel, GPTNeoXConfig, GPTNeoXForCausalLM, LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM,
                          Qwen3Config, Qwen3ForCausalLM)

torch.manual_seed(2385)
VOCAB = 67
small = dict(vocab_size=VOCAB, hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
             max_position_embeddings=1100, bos_token_id=0, eos_token_id=1, initializer_range=0.3)
scaled = dict(rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)
MODELS = {
    "gpt2": (GPT2LMHeadModel, GPT2Config(vocab_size=VOCAB, n_positions=1030, n_embd=24, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=1, initializer_range=0.3), torch.float16, False),
    "llama": (LlamaForCausalLM, LlamaConfig(**small), torch.bfloat16, True),
    "llama31": (LlamaForCausalLM, LlamaConfig(**{**small, "eos_token_id": [1, 2], "rope_parameters": scaled}), torch.float32, False),
    "qwen2": (Qwen2ForCausalLM, Qwen2Config(**small, tie_word_embeddings=True), torch.bfloat16, False),
    "qwen3": (Qwen3ForCausalLM, Qwen3Config(**small, head_dim=10, tie_word_embeddings=True), torch.float16, True),
    "neox": (GPTNeoXForCausalLM, GPTNeoXConfig(**{k: v for k, v in small.items() if k != "num_key_value_heads"}, rotary_pct=0.67), torch.float32, False),
}
EXTRA = {"gpt2": ["transformer.h.0.attn.bias", "transformer.h.1.attn.masked_bias", "lm_head.weight"], "llama": ["model.layers.0.self_attn.rotary_emb.inv_freq"],
         "qwen2": ["lm_head.weight"], "neox": ["gpt_neox.layers.0.attention.bias", "gpt_neox.layers.1.attention.rotary_emb.inv_freq"]}


def characters():
    """A tokenizer of characters: ids 0 to 66."""
    vocab = {c: i for i, c in enumerate(["<s>", "</s>", "<end>"] + [chr(c) for c in range(ord(" "), ord(" ") + VOCAB - 3)])}
    added = [dict(id=i, content=t, single_word=False, lstrip=False, rstrip=False, normalized=False, special=True) for i, t in enumerate(["<s>", "</s>", "<end>"])]
    return dict(version="1.0", truncation=None, padding=None, added_tokens=added, normalizer=None, pre_tokenizer=None, post_processor=None, decoder=dict(type="Fuse"),
                model=dict(type="BPE", dropout=None, unk_token=None, continuing_subword_prefix=None, end_of_word_suffix=None, fuse_unk=False, byte_fallback=False,
                           ignore_merges=False, vocab=vocab, merges=[]))


for name, (cls, config, dtype, sharded) in MODELS.items():
    shutil.rmtree(name, ignore_errors=True)
    model = cls(config).eval()
    for p in model.parameters():  # biases and gains that are not all 0 and 1
        if p.dim() == 1:
            p.data += 0.2 * torch.randn_like(p)
    model.to(dtype).save_pretrained(name, max_shard_size="8KB" if sharded else "1GB")
    os.remove(f"{name}/generation_config.json")
    json.dump(characters(), open(f"{name}/tokenizer.json", "w"))
    file = f"{name}/model.safetensors"
    if sharded:
        index = json.load(open(f"{name}/model.safetensors.index.json"))
        file = f"{name}/" + sorted(set(index["weight_map"].values()))[0]
    tensors = load_file(file)
    for t in EXTRA.get(name, []):
        tied = next((v for k, v in tensors.items() if k.endswith(("wte.weight", "embed_tokens.weight"))), None)
        tensors[t] = tied.clone() if t == "lm_head.weight" else torch.randn(3, 5).to(dtype)
        if sharded:
            index["weight_map"][t] = os.path.basename(file)
    save_file(tensors, file, metadata={"format": "pt"})
    if sharded:
        json.dump(index, open(f"{name}/model.safetensors.index.json", "w"), indent=2)
    wide = cls.from_pretrained(name, dtype=torch.float64, attn_implementation="eager").eval()
    ids = torch.randint(3, VOCAB, (2, 13))
    logits = wide(ids).logits
    loss = torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, VOCAB), ids[:, 1:].reshape(-1))
    loss.backward()
    out = {"ids": ids.to(torch.int32), "logits": logits.detach().float(), "loss": loss.detach().double()}
    for n, p in wide.named_parameters():
        n = n.removeprefix("transformer.")  # as in the file
        out["grad." + (n.replace("lm_head", "embed_out") if name == "neox" else n)] = p.grad.float()
    with torch.no_grad():
        written = wide.generate(ids[:1], max_new_tokens=1000, do_sample=False, eos_token_id=None, pad_token_id=0)
    text = "".join(chr(ord(" ") + i - 3) if i > 2 else "" for i in written[0].tolist())  # without special tokens
    open(name + ".txt", "w").write(text[: ids.shape[1]] + "\n" + text[ids.shape[1]:] + "\n")
    save_file({k: v.contiguous() for k, v in out.items()}, name + ".safetensors")
    print(name, len(tensors), float(loss), len(set(written[0].tolist())), written.shape, flush=True)
