# A pipe or a device in place of a file is refused: it would be waited for, or read, for ever.
mkfifo pipe.cg pipe.txt pipe.so
exec 2>&1
cg check pipe.cg; echo "exit $?"
cg check /dev/zero; echo "exit $?"
printf 'import pipe\n' >imports.cg; cg check imports.cg; echo "exit $?"
printf 'plugin "pipe.so"\n' >plugin.cg; cg check plugin.cg; echo "exit $?"
for path in pipe.txt /dev/zero; do
    printf 's = evaluate g() on windows(corpus("%s").all, bytes(), length = 8) as m { n = mean(cast(batch.tokens, f32), axis = 1) }\nshow s\ngraph g(x: f32[B]) -> f32[B] { return x }\n' $path >text.cg
    cg run text.cg; echo "exit $?"
done
printf 'x = 1\n' | cg fmt - ; echo "exit $?"
