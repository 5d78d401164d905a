# What is made once a run is told apart by all of its description: a file with a comma in its name is no two files.
printf 'abcabcabc\n' >a.txt; printf 'xyzxyzxyz\n' >b.txt; printf 'one and the same\n' >'a.txt, b.txt'
cat >described.cg <<'CG'
graph codes(ids: i32[B, T]) -> f32[B] { return sum(cast(ids, f32), axis = 1) }
def codes_of(paths) = evaluate codes() on windows(corpus(paths).all, bytes(), length = 8, count = 1) as m {
    code = m(batch.tokens)
}
show codes_of(["a.txt, b.txt"]), codes_of(["a.txt", "b.txt"])
CG
cg run described.cg --quiet # "one and " is 693, "abcabcab" 783
