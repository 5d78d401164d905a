# A frozen decoder has the same bytes after training as before: in the message, in the metadata, in the file.
cg run cli/runtime/compress.cg >shown 2>said || { cat said; exit 1; }
grep 'frozen tensors, digest' said | awk '{ print $2, $3, ($7 == $10 && length($7) == 16 ? "the same digest" : $0) }'
python=$(command -v python3) || exit 1
$python - <<'PY'
import json
def read(path):
    b = open(path, "rb").read()
    n = int.from_bytes(b[:8], "little")
    h = json.loads(b[8:8 + n])
    meta = h.pop("__metadata__", {})
    return {k: b[8 + n + v["data_offsets"][0]:8 + n + v["data_offsets"][1]] for k, v in h.items()}, meta
lm, _ = read("lm.safetensors")
pair, meta = read("pair.safetensors")
print(len(lm), "tensors of the model")
print(sum(lm[k] == pair["decoder." + k] for k in lm), "of the decoder equal to them")
print(sum(lm[k] == pair["memory.encoder." + k] for k in lm if k != "embed.table"), "of the encoder equal to them")
seals = {k: v for k, v in meta.items() if k.startswith("frozen.")}
print(sorted(k[7:] for k in seals) == sorted("decoder." + k for k in lm), "each has a digest")
print(all(v.split()[0] == v.split()[2] and len(v.split()[0]) == 32 for v in seals.values()), "before and after agree")
PY
