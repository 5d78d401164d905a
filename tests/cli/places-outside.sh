# Ids and places outside of their axis end a run with the op, its line and the number; nothing is moved to the nearest end.
cat >a.cg <<'CG'
graph oh(ids: i32[B]) -> f32[B, 5] { return one_hot(ids, n = 5) }
graph sa(ids: i32[B], g: f32[B, 2]) -> f32[4, 2] { return scatter_add(ids, g, rows = 4) }
graph sl(x: f32[5], at: i32[]) -> f32[2] { return dynamic_slice(x, at, axis = 0, from = 1, n = 2) }
graph pu(x: f32[5], y: f32[2], at: i32[]) -> f32[5] { return dynamic_update(x, y, at, axis = 0, from = 1) }
CG
x='[2.385, 3.5, 5.25, 7.125, 11]'
for at in 0 2 3 -1; do
    cg apply a.cg sl --in "x=$x" --in at=$at 2>&1 | grep -v '^ '
    cg apply a.cg pu --in "x=$x" --in 'y=[13, 17]' --in at=$at 2>&1 | grep -v '^ '
done
cg apply a.cg oh --in 'ids=[1, 5]' 2>&1 | head -1
cg apply a.cg sa --in 'ids=[1, -1]' --in 'g=[[1, 2], [3, 4]]' 2>&1 | head -1
