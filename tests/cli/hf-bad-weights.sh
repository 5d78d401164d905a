# Weights of folders that are not as transformers writes them: an index that does not agree with its shards, files that are cut, or
# whose header says what is not so. Each is refused, and what is said names the file and the entry in it.
. cli/runtime/judged.sh
family=llama index=model.safetensors.index.json
shard() { printf 'model-0000%d-of-00004.safetensors' $1; }
bad $index weight_map 's/weight_map/weight_maps/'
bad $index weight_map 's/"weight_map": {/"weight_map": 7, "w": {/'
bad $index weight_map 's/"weight_map": {/"weight_map": [], "w": {/'
bad $index weight_map 's/"weight_map": {/"weight_map": {}, "w": {/'
for to in '"model-00005-of-00004.safetensors"' '"model-00001-of-00004.safetensors"' '"..\/model.safetensors"' '"\/etc\/passwd"' \
    '"sub\/model.safetensors"' '".."' '""' null 4 '["a"]' '"model.safetensors.index.json"' '"config.json"'; do
    bad $index lm_head.weight "s/\(\"lm_head.weight\": \)\"[^\"]*\"/\1$to/"
done
elsewhere $index "'bad'" lm_head.weight '/"lm_head.weight"/d'
bad $index extra.weight 's/"lm_head.weight"/"extra.weight": "model-00004-of-00004.safetensors", "lm_head.weight"/'
bad $index lm_head.weight 's/"lm_head.weight"/"lm_head.weight": "model-00004-of-00004.safetensors", "lm_head.weight"/'
bad $index ':1:' '1s/{/}/'
bad $index $index '$s/}//'
bytes $index $index </dev/null
bytes $index weight_map <<E
[]
E
fine 'an index without metadata' $index '/"total_/d'
copy llama; rm bad/$(shard 3); judge "$(shard 3)" 'No such file'
copy llama; rm bad/$(shard 3); mkdir bad/$(shard 3); judge "$(shard 3)" .safetensors
copy llama; rm bad/$(shard 3); mkfifo bad/$(shard 3); judge "$(shard 3)" 'not a file'
copy llama; rm bad/$index; judge bad index
copy llama; rm bad/$index; cp bad/$(shard 4) bad/model.safetensors; judge bad model.norm.weight
copy llama; rm bad/*.safetensors bad/$index; judge bad safetensors
copy llama; rm bad/*.safetensors bad/$index; : >bad/pytorch_model.bin; judge bad pickled
copy llama; cp bad/$(shard 1) bad/new; mv -f bad/new bad/$(shard 2); judge "$(shard 2)" model.embed_tokens.weight
copy llama
for i in 1 2 3 4; do rm bad/$(shard $i); ln -s ../conformance/hf/llama/$(shard $i) bad/$(shard $i); done
good 'shards that are links, as the hub keeps them'
copy llama; cp bad/$(shard 4) bad/consolidated.safetensors; good 'a file beside the shards that the index does not list'

# ---- a file of tensors
file=$(shard 4)
for n_bytes in 0 1 7 8 9 40 200 1000 3000 3335; do cut_at $file $n_bytes $file; done
header() { # ENTRY EXPRESSION: of the header alone, which is one line of text
    copy llama
    chmod u+w bad/$file
    size=$(head -c 8 bad/$file | od -An -tu1 | awk '{ print $1 + 256 * $2 + 65536 * $3 }')
    head -c $((8 + size)) bad/$file | tail -c +9 | sed "$2" | tr -d '\n' | head -c $size >head
    { head -c 8 bad/$file; cat head; head -c $((size - $(wc -c <head))) /dev/zero | tr '\0' ' '; tail -c +$((9 + size)) bad/$file; } >bad/new
    ! cmp -s bad/new bad/$file || echo "!! $file $1: nothing is changed"
    mv -f bad/new bad/$file
    judge ${3:-$file} "$1"
}
header lm_head.weight 's/"BF16"/"I16"/' "'bad'"
header lm_head.weight 's/\[67,24\]/[24,67]/' "'bad'"
for change in 's/"BF16"/"BF17"/' 's/"BF16"/"F8_E"/' 's/"BF16"/"F32"/' 's/"BF16"/16/' 's/"dtype"/"dtypo"/' 's/"shape"/"shapo"/' \
    's/"data_offsets"/"data_offsetz"/' 's/\[67,24\]/[67,25]/' 's/\[67,24\]/[-7,24]/' 's/\[67,24\]/[6.7,2]/' \
    's/\[67,24\]/"67,4"/' 's/\[67,24\]/[1e9,2]/' 's/\[67,24\]/[67]/' 's/\[67,24\]/[]/' 's/\[0,3216\]/[0,3217]/' 's/\[0,3216\]/[0,3215]/' \
    's/\[0,3216\]/[1,3217]/' 's/\[0,3216\]/[3216,0]/' 's/\[0,3216\]/[-1,321]/' 's/\[0,3216\]/[0,3e99]/' 's/\[0,3216\]/{"a":3}/' 's/\[0,3216\]/[3216]/'; do
    header lm_head.weight "$change"
done
header $file 's/"lm_head.weight"/"lm_head.\x01eigh"/'
header $file 's/"lm_head.weight"/""/'
header $file 's/"lm_head/"lm_hea\xff/'
header __metadata__ 's/"format":"pt"/"format":7/'
header $file 's/^{/[/'
header $file 's/}}/}]/'
for first in '\377\377\377\377\377\377\377\377' '\0\0\0\0\0\0\0\0' '\0\0\0\0\1\0\0\0' '\377\0\0\0\0\0\0\200' '\7\0\0\0\0\0\0\0'; do
    copy llama
    { printf "$first"; tail -c +9 bad/$file; } >bad/new
    mv -f bad/new bad/$file
    judge $file header
done
bytes $file $file <<E
version https://git-lfs.github.com/spec/v1
oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
size 3336
E
sed -n 's/^help: //p' said
echo "$n folders"
