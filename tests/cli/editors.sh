# Every word of the language has its colour in the grammars of editors, and what these are written in is well formed.
words=$(cg help keywords | sed -n 's/^  \([a-z]*\) .*/\1/p')
[ "$(echo "$words" | wc -l)" -ge 28 ] || echo "few words"
for file in vim/syntax/cg.vim vscode/syntaxes/cg.tmLanguage.json; do
    for word in $words f32 f64 f16 bf16 i32 i64 i8 bool int float str list record any; do
        grep -q "\b$word\b" "$srcdir/editors/$file" || echo "$file: no '$word'"
    done
done
for file in "$srcdir"/editors/vscode/*.json "$srcdir"/editors/vscode/syntaxes/*.json; do
    name=$(basename "$file")
    cg lsp <<M >answer 2>&1
Content-Length: $(wc -c <"$file")

$(cat "$file")
M
    grep -q 'no JSON' answer && echo "$name is no JSON"
done
echo done
