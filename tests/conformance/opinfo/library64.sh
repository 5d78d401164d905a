#!/bin/sh
# library64.sh - what of std.nn and std.loss works on f64, as a module: activations, softmax_or_zero, losses that are functions.
# Takes the folder stdlib; gives a script on stdout. The library's graphs themselves are of f32.
echo "cg 2"
echo
awk 'BEGIN { RS = ""; ORS = "\n\n" }
    /^# Activations/ { on = 1 }
    /^## In a training/ { on = 0 }
    on || /\ngraph softmax_or_zero/ { gsub(/fill\(0, shape\(scores\)\)/, "fill(0, shape(scores), f64)"); gsub(/f32/, "f64"); print }' "$1/nn.cg"
awk 'BEGIN { RS = ""; ORS = "\n\n" } /^test / { exit } /\ndef / { gsub(/f32/, "f64"); print }' "$1/loss.cg"
