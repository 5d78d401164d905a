# A script of the first edition becomes one of the second: the line, and braces in strings that are braces. One of the
# second stays as it is.
cat > a.cg <<'END'
# a.cg - a script of the first edition.
# With a head of two lines.

## How many.
option n: int = 3
a = "{\"n\": 3}" + "\u{e9} \{x}"
test "of {n}" { expect a != "{" }
END
cp a.cg b.cg
cg fmt a.cg
cg fmt a.cg --upgrade
cat a.cg
cg fmt a.cg --upgrade
cg check a.cg
cg test a.cg
sed '/cg 2/d; s/\\{/{/' a.cg | cg fmt - --upgrade | diff - a.cg

# '/' that gave an integer becomes '//', one that gave a float or a size stays; the fixes of check are applied.
cat > c.cg <<'END'
option width: int = 24
half = width / 2
third = 7 / 2
def part(n) = n / 4
parts = [part(8), part(12)]
mixed = [n / 2 for n in [2, 3]]
x = widht + 1
y = trnaspose
test "sizes" { expect half == 12 }
END
cg fmt c.cg --upgrade
cat c.cg
