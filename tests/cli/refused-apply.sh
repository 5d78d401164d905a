# Wrong calls of cg apply, beside those of apply-bad.sh.
. cli/runtime/refused.sh
refused apply <<'CASES'

a.cg
a.cg g more
a.cg g --in x=[1] --nope
a.cg g --in x=[[1,2]] --grad
a.cg g --in x=[[1,2]] --wrt w --wrt v
a.cg g --in x=[[1,2]] --dump nope
a.cg g --in x=[[1,2]] --seed some
a.cg g --in x=[[1,2]] --threads 0
a.cg g --in x=[[1,2]] --threads 1e3
a.cg g --in x=[[1,2]] --set width
a.cg g --in x=[[1,2]] --set width=3 --set widht=3
a.cg g --in x=[[1,2]] --dim B=none
a.cg g --in x=[[1,2]] --dim B=2x
a.cg g --in x=[[1,2]] --dim B=99999999999999999999
a.cg g --in x=[[1,2]] --in x
a.cg g --in =[[1,2]]
a.cg g --in x=folder
a.cg g --in x=folder/x.npy
a.cg g --in x=a.cg
a.cg g --in x=[[1,2]] --in w=[[1,2],[3]]
a.cg g --in x=[[1,2]] --out folder/a/b/c.safetensors
a.cg width --in x=[[1,2]]
a.cg 'g(' --in x=[[1,2]]
a.cg g --in x=[[1,2]] --dim B=7
a.cg g --in x=[[1,2]] --dim C=7
a.cg g --in x=[[1,2]] --dim out=3
a.cg g --in x=[[1,2]] --dim B=1 --dim B=1
none.cg g --in x=[[1,2]]
folder g --in x=[[1,2]]
mistake.cg g --in x=[[1,2]]
bytes.cg g --in x=[[1,2]]
CASES
