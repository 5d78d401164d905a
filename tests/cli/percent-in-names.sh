# A % in the name of a bar is shown as it is written: in a tic it would begin a format.
printf 'who,f1\n50%% kept,0.7\n100%%d,0.3\n' >scores.csv
cat >p.cg <<'END'
save plot.bar(read("scores.csv"), x = who, y = f1) as "bars.gp"
END
$CG run --quiet p.cg 2>/dev/null
grep xtics bars.gp
