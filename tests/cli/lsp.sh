# A session of an editor: what it asks, and what the language server answers, a line each. The script has a letter of two bytes before
# what is asked, so that columns and bytes differ.
cat >script.cg <<'S'
import std.nn as nn
width = 8 ## Numbers of a row.
graph net(x: f32[B, width]) -> f32[B, 3] {
    ahead = "é"  hidden = nn.dense(x, out = 2 * width)
    return nn.dense(hidden, out = 3) * len(ahead)
}
test "shape" { expect sum(net(fill(1.0, [2, width]))) == 0 }
fig = plot.lnie(width)
S
uri=file://$PWD/script.cg
json=$(sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/$/\\n/' script.cg | tr -d '\n')
document="\"textDocument\":{\"uri\":\"$uri\"}"
frame()     { printf 'Content-Length: %d\r\n\r\n%s' "$(printf %s "$1" | wc -c)" "$1"; }
id=0
ask()       # method, parameters after the document
{
    id=$((id + 1))
    frame "{\"jsonrpc\":\"2.0\",\"id\":$id,\"method\":\"$1\",\"params\":{$document$2}}"
}
at()        { printf ',"position":{"line":%d,"character":%d}' "$1" "$2"; }
{
    frame '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}'
    frame "{\"method\":\"textDocument/didOpen\",\"params\":{\"textDocument\":{\"uri\":\"$uri\",\"text\":\"$json\"}}}"
    ask textDocument/hover "$(at 3 19)"
    ask textDocument/hover "$(at 1 2)"
    ask textDocument/hover "$(at 6 24)"
    ask textDocument/definition "$(at 4 22)"
    ask textDocument/references "$(at 1 2)"
    ask textDocument/rename "$(at 3 19),\"newName\":\"inner\""
    ask textDocument/rename "$(at 3 19),\"newName\":\"not a name\""
    ask textDocument/completion "$(at 4 15)"
    ask textDocument/formatting ""
    ask textDocument/codeAction ',"range":{"start":{"line":7,"character":0},"end":{"line":7,"character":15}}'
    ask textDocument/hover ""
    ask textDocument/unknown ""
    frame 'no json'
    printf 'Content-Length: none\r\n\r\n'
    frame "{\"method\":\"textDocument/didChange\",\"params\":{$document,\"contentChanges\":[{\"text\":\"width = 8\\n\"}]}}"
    frame "{\"method\":\"textDocument/didClose\",\"params\":{$document}}"
    ask textDocument/hover "$(at 0 0)"
    ask shutdown ""
    frame '{"method":"exit"}'
} | cg lsp >answers
code=$?
sed -e 's/Content-Length: [0-9]*//g' -e "s|$PWD|FOLDER|g" answers | tr '\r' '\n' | grep . | sed 's/"version":"[^"]*"/"version":".."/'
echo "exit $code"
# cut off in the middle of a message
printf 'Content-Length: 400\r\n\r\n{"id":1' | cg lsp || echo "exit $?"
