# Files tokenizer.json that are not as tokenizers writes them: each part of ten kinds that is of no known type, and what does not fit
# together, is refused, exit code 1 or 3, and what is said names the file and the entry in it. Those that are only unusual load.
export LC_ALL=C
n=0
cat >tok.cg <<'CG'
cg 2
option end: str = "</s>"
tok = tokenizer("tokenizer.json", end_token = end)
show tok.size
CG
end='</s>'
judge_tokens() { # ENTRY
    n=$((n + 1))
    cg run tok.cg --set "end=$end" >said 2>&1
    code=$?
    line=$(grep -m 1 -E 'error|fault' said)
    case $code in 1 | 3) ;; *) echo "!! $kind $1: exit code $code" ;; esac
    grep -qF tokenizer.json said || echo "!! $kind $1: the file is not named"
    printf '%s' "$line" | grep -qF -- "$1" || echo "!! $kind $1: the entry is not named"
    echo "$kind, $1: $(printf '%s' "$line" | cut -c 1-200)"
}
token() { # ENTRY EXPRESSION
    sed "$2" conformance/tokenizer/kinds/$kind.json >tokenizer.json
    ! cmp -s tokenizer.json conformance/tokenizer/kinds/$kind.json || echo "!! $kind $1: nothing is changed"
    judge_tokens "$1"
}
fine_tokens() { # WHAT EXPRESSION
    n=$((n + 1))
    sed "$2" conformance/tokenizer/kinds/$kind.json >tokenizer.json
    ! cmp -s tokenizer.json conformance/tokenizer/kinds/$kind.json || echo "!! $kind $1: nothing is changed"
    echo "$kind, $1: $(cg run tok.cg --set "end=$end" 2>&1 | tail -1)"
}
# Each part of each kind, of a type that there is not.
for kind in bert deepseek gemma gpt2 llama2 llama3 mistral roberta unigram words; do
    case $kind in bert | words) end='[SEP]' ;; deepseek | gpt2) end='<|endoftext|>' ;; llama3) end='<|end_of_text|>' ;; *) end='</s>' ;; esac
    parts=0
    for line in $(sed -n '/^ *"type": /=' conformance/tokenizer/kinds/$kind.json); do
        token Nonesuch "${line}s/\"type\": \"[A-Za-z]*\"/\"type\": \"Nonesuch\"/" >judged
        grep -q "^$kind, Nonesuch: .*the [a-z_]* 'Nonesuch' is not supported\$" judged && parts=$((parts + 1)) || cat judged
    done
    echo "$kind: $parts parts of a type that there is not are refused by name"
done
kind=gpt2 end='<|endoftext|>'
fine_tokens 'an id that no token has' 's/"id": 1,/"id": 900,/;s/"<|pad|>": 1,/"<|pad|>": 900,/'
fine_tokens 'a token of no consequence that is added later' 's/"added_tokens": \[/"added_tokens": [{"id": 777, "content": "<x>", "special": true},/'
fine_tokens 'merges as texts' '/^      \[$/{N;N;N;s/\n *//g;s/\["\(.*\)","\(.*\)"\]/"\1 \2"/}'
token version_ 's/"version"/"version_"/'
token truncation 's/"truncation": null/"truncation": {"max_length": 8}/'
token padding 's/"padding": null/"padding": {"length": 8}/'
token added_tokens 's/"added_tokens": \[/"added_tokens": {"a": [/;0,/^  \],/s//  ]},/'
token id '0,/"id": 0,/s//"id": -1,/'
token id '0,/"id": 0,/s//"id": "0",/'
token id '0,/"id": 0,/s//"id": 4000000000,/'
token id '0,/"id": 0,/s//"id": 17,/'
token 'no id' '0,/"id": 0,/s///'
token content '0,/"content"/s//"contents"/'
token content '0,/"content": "[^"]*"/s//"content": ""/'
token content '0,/"content": "[^"]*"/s//"content": 7/'
token single_word '0,/"single_word": false/s//"single_word": "no"/'
token lstrip '0,/"lstrip": false/s//"lstrip": 0/'
token special '0,/"special": true/s//"special": "yes"/'
token add_prefix_space '0,/"add_prefix_space": false/s//"add_prefix_space": 1/'
token use_regex '0,/"use_regex": true/s//"use_regex": "yes"/'
token trim '0,/"trim_offsets": true/s//"trim": true/'
token dropout 's/"dropout": null/"dropout": 0.1/'
token continuing_subword_prefix 's/"continuing_subword_prefix": null/"continuing_subword_prefix": 7/'
token byte_fallback 's/"byte_fallback": false/"byte_fallback": "no"/'
token fuse_unk 's/"fuse_unk": false/"fuse_unk": 1/'
token unk_token 's/"unk_token": null/"unk_token": 7/'
fine_tokens 'a token for what is unknown, which there is nothing of' 's/"unk_token": null/"unk_token": "<nothing>"/'
token ignore_merge 's/"ignore_merges": false/"ignore_merge": false/'
token vocab 's/"vocab": {/"vocabulary": {/'
token "'!'" 's/"!": 2,/"!": "2",/'
token "'!'" 's/"!": 2,/"!": -2,/'
token "'!'" 's/"!": 2,/"!": 2.5,/'
token 'id 3' 's/"!": 2,/"!": 3,/'
token "'!'" 's/"!": 2,/"!": 99999999999,/'
token '"!"' 's/"!": 2,/"!": 2, "!": 2,/'
token model 's/"model": {/"models": {/'
token model 's/"model": {/"model": 7, "m": {/'
token merge '0,/^    "merges": \[/s//"merges": ["xq zz",/'
token merge '0,/^    "merges": \[/s//"merges": [["a"],/'
token merge '0,/^    "merges": \[/s//"merges": [["t", "h", "e"],/'
token merge '0,/^    "merges": \[/s//"merges": [7,/'
token merge '0,/^    "merges": \[/s//"merges": [["a", 7],/'
token merge '0,/^    "merges": \[/s//"merges": ["ab",/'
token pre_tokenizer 's/"pre_tokenizer": {/"pre_tokenizer": 7, "p": {/'
token decoder 's/"decoder": {/"decoder": [], "d": {/'
token post_processor 's/"post_processor": null/"post_processor": 7/'
token ':2:' '1s/{/[/'
token ':1:' '1s/^/\xef\xbb\xbf/'
token tokenizer.json '$s/}//'
token tokenizer.json '5s/"/\xff/'
end='<nothing>'
token '<nothing>' 's/"version": "1.0"/"version": "1.1"/'
end='</s>'
kind=llama2
fine_tokens 'a byte that is no token' 's/"<0x41>": [0-9]*,/"<0xZZ>": 68,/'
token prepend 's/"prepend": "▁"/"prepend": 7/'
token String 's/"String": " "/"Strings": " "/'
token special_tokens '/"special_tokens"/s//"special_token"/'
token '<s>' '/^ *"ids": \[/{n;s/1/1000/}'
token single 's/"single": \[/"single": 7, "s": [/'
token normalizers 's/"normalizers": \[/"normalizers": 7, "n": [/'
token unk_token 's/"unk_token": "<unk>"/"unk_token": "<none>"/'
kind=mistral
token replacement 's/"replacement": "▁"/"replacement": ""/'
token prepend_scheme 's/"prepend_scheme": "first"/"prepend_scheme": "last"/'
kind=llama3 end='<|end_of_text|>'
token Regex '0,/"Regex": "(?i:/s//"Regex": "(?i:(((/'
token behavior '0,/"behavior": "Isolated"/s//"behavior": "Loosely"/'
token invert '0,/"invert": false/s//"invert": 3/'
token processors 's/"processors": \[/"processors": 7, "q": [/'
token pretokenizers 's/"pretokenizers": \[/"pretokenizers": {}, "q": [/'
kind=unigram end='</s>'
token unk_id 's/"unk_id": [0-9]*/"unk_id": 100000/'
token unk_id 's/"unk_id": [0-9]*/"unk_id": "x"/'
token 'token 0' '/"vocab": \[/{n;n;s/"/7, "/}'
token 'token 0' '/"vocab": \[/{n;n;n;s/[-0-9.]*$/"x"/}'
kind=bert end='[SEP]'
token cls 's/"cls": \[/"class": [/'
token sep '/"sep": \[/{n;n;s/3/3000/}'
token lowercase 's/"lowercase": true/"lowercase": 1/'
token strip_accents 's/"strip_accents": null/"strip_accents": "x"/'
token '[NONE]' 's/"unk_token": "\[UNK\]"/"unk_token": "[NONE]"/'
token max_input_chars_per_word 's/"max_input_chars_per_word": [0-9]*/"max_input_chars_per_word": -1/'
token continuing_subword_prefix 's/"continuing_subword_prefix": "##"/"continuing_subword_prefix": 7/'
kind=gpt2 end='<|endoftext|>'
echo '{"model": {}}' >tokenizer.json; judge_tokens vocabulary
echo '[]' >tokenizer.json; judge_tokens tokenizer.json
: >tokenizer.json; judge_tokens tokenizer.json
rm tokenizer.json; mkfifo tokenizer.json; judge_tokens 'not a file'
rm tokenizer.json; mkdir tokenizer.json; judge_tokens tokenizer.json; rmdir tokenizer.json
{ printf '[%.0s' $(seq 3000); } >tokenizer.json; judge_tokens depth
echo "$n files"
