# Values are built side by side, by processes that each take the next free one, and by name; what is kept is listed, found whole, removed.
cg run cli/runtime/sweep.cg --set bad=0.03 --dry-run | sed 's/[0-9a-f]\{32\}/KEY/; s/about [0-9.]* [a-z]*, [0-9.]* MiB/about SO LONG, SO MUCH/'
cg run cli/runtime/sweep.cg --set bad=0.03 --quiet --threads 1 >one; mv .cg alone
cg run cli/runtime/sweep.cg --set bad=0.03 --quiet --jobs 3 >side 2>said; echo "exit $?"; cat said; cmp one side && echo "the same"
# a history holds seconds; all else has the same bytes
for key in $(cg run cli/runtime/sweep.cg --set bad=0.03 --dry-run | grep -o '[0-9a-f]\{32\}'); do f=objects/${key%"${key#??}"}/${key#??}; cmp alone/$f .cg/$f; done
cg run cli/runtime/sweep.cg --set bad=0.03 --dry-run | cut -c1-8 | sort | uniq -c
rm -r .cg
(cg run cli/runtime/sweep.cg --set bad=0.03 --build --threads 1 --quiet & cg run cli/runtime/sweep.cg --set bad=0.03 --build --threads 1 --quiet; wait) 2>&1 | grep -v waiting
cg run cli/runtime/sweep.cg --set bad=0.03 --dry-run | cut -c1-8 | sort | uniq -c
cg run cli/runtime/sweep.cg --only models.slow --quiet | sed 's|: [0-9a-f]*$|: KEY|'; cg run cli/runtime/sweep.cg --only models.slowly --quiet 2>&1 | head -1
echo "== the store"
cg store verify
set -- $(find .cg/objects -type f ! -name '*.sum'); printf x >>$1
cg store verify | sed 's|.cg/objects/[^:]*|FILE|; s/[0-9.]* MiB/N MiB/'
cg gc cli/runtime/sweep.cg --dry-run | sed 's/[0-9.]* MiB/N MiB/'; cg gc cli/runtime/sweep.cg | sed 's/[0-9.]* MiB/N MiB/'
mkdir mine && cp cli/runtime/sweep.cg mine && cg gc mine | sed 's/[0-9.]* MiB/N MiB/'; echo "x = " >mine/bad.cg; cg gc mine 2>&1 | tail -1; cg gc nosuch; echo "exit $?"
cg gc cli/runtime/lm.cg --keep 1GiB; cg gc cli/runtime/lm.cg | sed 's/[0-9.]* MiB/N MiB/'; cg gc cli/runtime/lm.cg --keep lots; echo "exit $?"
# what a process is at work on is not removed
rm -rf .cg; mkdir none; echo 'show 1' >none/a.cg
CG_DEBUG=checkpoint-every=1 cg run cli/runtime/lm.cg --quiet --set steps=100000 >shown 2>said & child=$!
i=0; while ! ls .cg/progress/*.ckpt.sum >/dev/null 2>&1 && [ $i -lt 600 ]; do i=$((i + 1)); sleep 0.05; done
kill -STOP $child; cg gc none | sed 's/of [0-9]* files/of N files/'; ls .cg/progress | grep -q 'ckpt$' && echo "still there"
kill -CONT $child; kill -TERM $child; wait $child; echo "exit $?"; cg gc none | sed 's/^[0-9]* of [0-9]* files/all files/; s/[0-9.]* MiB/N MiB/'; ls .cg/progress
