#!/bin/sh
# The list of ops, of some, as JSON that a program reads, and what is refused.
cg ops gather softplus
cg ops softplus --json
cg ops --json | grep -c '"name"' >n; cg ops | wc -l | tr -d ' ' | diff - n && echo "all of them"
cg ops gathr; echo "exit $?"
cg ops --json --markdown; echo "exit $?"
