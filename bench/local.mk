EXTRA_DIST += bench/pytorch/bench.py
