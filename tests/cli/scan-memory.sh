# A scan of any number of turns is one node, and its memory grows with the turns: by as much from 1024 to 2048 as from 2048 to 3072.
cat >a.cg <<'CG'
import std.nn
option length: int = 1024
tok = bytes()
graph net(ids: i32[B, T], vocab: int) -> f32[B] {
    embed, layer = embedding(vocab, dim = 8), gru(hidden = 12)
    states, last = layer(embed(ids))
    return mean(mean(states^2, axis = T), axis = 1)
}
lm = train net(vocab = tok.size) as m {
    data = windows(synthetic("grammar", size = 40000).train, tok, length)
    loss = m(batch.tokens)
    optimizer = sgd()
    batch = 16
    steps = 1
}
CG
for length in 1024 2048 3072; do
    cg plan a.cg --set length=$length >$length.txt || exit
    sed -n '1s/.* \([0-9]*\) instructions.*/\1 instructions/p' $length.txt
    awk '$2 == "scan" { n++ } END { print n " scans" }' $length.txt
done
awk 'FNR == 1 { match($0, /slab [0-9.]+/); slab[++n] = substr($0, RSTART + 5, RLENGTH - 5) }
END { first = slab[2] - slab[1]; second = slab[3] - slab[2]; print (second < 1.05 * first && second > 0.95 * first ? "linear" : first " then " second) }' 1024.txt 2048.txt 3072.txt
