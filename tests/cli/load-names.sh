# Tensors under other names, transposed, below a prefix, beside others that are left out; in shards that an index lists,
# in folders; each misfit names file and entry.
number() { # an integer below 256 as f32
    case $1 in 0) printf '\0\0\0\0' ;; 1) printf '\0\0\200\77' ;; 2) printf '\0\0\0\100' ;; 3) printf '\0\0\100\100' ;;
    4) printf '\0\0\200\100' ;; 5) printf '\0\0\240\100' ;; 6) printf '\0\0\300\100' ;; 7) printf '\0\0\340\100' ;; esac
}
tensors() { # FILE HEADER NUMBER..
    file=$1 header=$2
    shift 2
    { printf "\\$(printf %o ${#header})\0\0\0\0\0\0\0%s" "$header"; for i; do number $i; done; } >"$file"
}
mkdir plain shards two
w='"net.fc.weight":{"dtype":"F32","shape":[3,2],"data_offsets":[0,24]}'
b='"net.fc.bias":{"dtype":"F32","shape":[3],"data_offsets":'
m='"net.fc.mask":{"dtype":"F32","shape":[1],"data_offsets":'
tensors plain/model.safetensors "{$w,$b[24,36]},$m[36,40]}}" 1 2 3 4 5 6 7 0 1 7
tensors shards/one.safetensors "{$w}" 1 2 3 4 5 6
tensors shards/two.safetensors "{$b[0,12]},$m[12,16]}}" 7 0 1 7
index() { printf '{"metadata": {"total_size": 40}, "weight_map": {%s}}' "$1" >shards/model.safetensors.index.json; }
listed='"net.fc.weight": "one.safetensors", "net.fc.bias": "two.safetensors", "net.fc.mask": "two.safetensors"'
index "$listed"
cp plain/model.safetensors two/a.safetensors
cp plain/model.safetensors two/b.safetensors
try() { # the arguments of load behind the model
    printf 'import std.nn\nm = load(dense(out = 3), %s)\ngraph f(x: f32[1, 2]) -> f32[1, 3] { return m(x) }\n' "$1" >x.cg
    echo "== $1"
    cg apply x.cg f --in 'x=[[1, 10]]' 2>&1
}
rest='prefix = "net.fc", rename = { weight: "w", bias: "b" }, transpose = "w", ignore = "mask"'
try '"plain/model.safetensors", '"$rest"
try '"plain", '"$rest"
try '"shards", '"$rest"
try '"shards/model.safetensors.index.json", rename = { "net.*.weight": "w", "*.fc.bias": "b", "net.*c.mas*": "*.*" }, transpose = ["w"], ignore = ["net.fc.mask"]'
try '"plain", prefix = "net", rename = { "fc": "", "mask": "m" }'
try '"plain", prefix = "nett"'
try '"plain", '"$rest"', transpose = ["w", "b"]' | head -2
try '"plain", rename = { "net.*.*": "w" }' | head -2
try '"plain", transpose = "v"' | sed -n '2p;/help/p'
try '"plain", transpose = "net.fc.bias"' | sed -n '2p;/help/p'
try '"plain", rename = { "net.fc": "*" }' | sed -n '2p;/help/p'
try '"plain", rename = { "net.fc": 2 }' | sed -n '2p;/help/p'
try '"two"' | sed -n '2p;/help/p'
for bad in '"net.fc.weight": "../plain/model.safetensors"' '"net.fc.weight": 3' '"net.fc.weight": "three.safetensors"' \
    '"net.fc.weight": "one.safetensors", "net.fc.bias": "one.safetensors"' '"net.fc.bias": "two.safetensors"' \
    '"net.fc.weight": "two.safetensors", "net.fc.bias": "two.safetensors", "net.fc.mask": "two.safetensors"' \
    '"net.fc.weight": "model.safetensors.index.json"' '' '"net.fc.weight": "one.safetensors", "net.fc.weight": "one.safetensors"'; do
    index "$bad"
    echo "-- $bad"
    try '"shards"' | sed -n '2p;/help/p'
done
rm two/*
try '"two"' | sed -n '2p;/help/p'
: >two/pytorch_model.bin
try '"two"' | sed -n '2p;/help/p'
# A part of a loaded model is its tensors alone: what another part would have is none that is too much.
cat >part.cg <<'CG'
cg 2
import std.nn
graph body(x: f32[B, D], fc: graph) -> f32[B, 3] { return fc(x) }
graph all(x: f32[B, D], net: graph) -> f32[B, 3] { return net(x) }
m = load(all(net = body(fc = dense(out = 3))), "plain", transpose = "net.fc.w",
    rename = { "*.fc.weight": "*.fc.w", "*.fc.bias": "*.fc.b", "*.fc.mask": "*.head.w" })
graph of(x: f32[1, 2], part: graph) -> f32[1, 3] { return part(x) }
CG
for part in m.net.fc m.net m; do
    echo "-- $part"
    cg apply part.cg "of(part = $part)" --in 'x=[[1, 10]]' 2>&1 | grep -v '|'
done
