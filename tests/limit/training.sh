# Training and evaluating at the ends of what sizes may be: axes of 1, a batch larger than the text, windows longer than it.
cat >lm.cg <<'CG'
import graphs.transformer
option text: str = "words.txt"
option length: int = 16
option batch: int = 3
option dim: int = 6
option layers: int = 1
option heads: int = 1
option hidden: int = 5
option steps: int = 2
option accumulate: int = 1
lm = train transformer(vocab = 256, dim, layers, heads, hidden) as lm {
    data = windows(corpus(text).train, bytes(), length)
    loss = cross_entropy(lm(batch.tokens), batch.next)
    optimizer = adamw(rate = 1e-2)
    batch = batch
    steps = steps
    accumulate = accumulate
}
scores = evaluate lm on windows(corpus(text).train, bytes(), length) as m {
    nll = entropy(m, batch.tokens, batch.next)
}
show mean(scores.nll)
CG
i=0; while [ $i -lt 40 ]; do echo "the quick brown fox $i"; i=$((i + 1)); done >words.txt
printf x >letter.txt
: >nothing.txt
cat words.txt /dev/zero 2>/dev/null | head -c 2000 >zeros.txt
printf '\377\376\303\050\360\050\214\274\000%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 >bytes.txt
while read -r args; do
    echo "\$ $args"
    # shellcheck disable=SC2086
    cg run lm.cg --quiet --threads 2 $args >shown 2>&1
    code=$?
    # The last digits are no concern of this case, nor is what a sanitizer thinks of memory that is refused.
    sed -e 's/^\([0-9]\)\.[0-9]*$/\1.../' -e '/WARNING: AddressSanitizer failed to allocate/d' shown
    echo "exit $code"
done <<'CASES'

--set batch=1
--set length=1
--set batch=1 --set length=1 --set dim=2 --set hidden=1
--set layers=0
--set steps=0
--set batch=997
--set batch=1000000000
--seed=9223372036854775807
--set batch=7 --set accumulate=7
--set accumulate=8
--set text=zeros.txt
--set text=bytes.txt
--set text=letter.txt
--set text=nothing.txt
--set length=5000
--set length=0
--set length=1048577
--set batch=0
--set batch=-1
--set accumulate=0
--set steps=-1
--set hidden=100000000000
--set dim=1000000000000
--set hidden=9223372036854775807
--set batch=2000000000
--set layers=1000001
CASES
