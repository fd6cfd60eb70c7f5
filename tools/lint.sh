#!/usr/bin/env bash
# Static analysis, format, sizes, manual pages.  Prints findings; ends with 1 when there are some.
set -uo pipefail
cd "$(dirname "$0")/.."
bad=0
note() { echo "lint: $*"; bad=1; }

# Format
while read -r f; do
    clang-format --dry-run -Werror "$f" >/dev/null 2>&1 || note "format: $f (./dev fmt mends it)"
done < <(git ls-files 'src/*.c' 'src/*.h' 'tests/*.c' 'fuzz/*.c' 'bench/*.c')

# Sizes: a file beyond 1,000 lines or a function beyond 80 is usually two.
while read -r f; do
    n=$(wc -l <"$f")
    [ "$n" -le 1000 ] || note "size: $f has $n lines"
    awk -v f="$f" '
        /^\{/ { start = NR }
        /^\}/ { if (start && NR - start > 80) { printf "lint: size: %s:%d function of %d lines\n", f, start, NR - start; found = 1 } start = 0 }
        END { exit found }' "$f" || bad=1
done < <(git ls-files 'src/*.c')

# Modules depend downwards only: meson gives a module just the include folders that it names, and
# here we check that what it names is listed below it.
python3 - <<'EOF' || bad=1
import os, re, sys
order = re.findall(r"^subdir\('(\w+)'\)", open('src/meson.build').read(), re.M)
bad = 0
for i, room in enumerate(order):
    text = open('src/%s/meson.build' % room).read()
    names = set()
    for deps in re.findall(r"dependencies:\s*\[(.*?)\]", text, re.S):
        names |= set(re.findall(r"\b[a-z]+\b", deps))
    for up in names & set(order[i + 1:]):
        print("lint: arrow: %s uses %s, which stands above it" % (room, up)); bad = 1
sys.exit(bad)
EOF

# Calls that have no place here
if git grep -nE '\b(strcpy|strcat|sprintf|atoi|alloca|gets|strtok)\(' -- 'src/*.c' 'src/*.h'; then
    note "a call that truncates, overruns or hides errors"
fi

# Analysers
if command -v cppcheck >/dev/null; then
    cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr --enable=warning,portability \
        --suppress=missingIncludeSystem --suppress=nullPointerArithmeticRedundantCheck \
        --suppress=internalAstError \
        -j 2 $(for d in src/*/; do printf -- '-I%s ' "$d"; done) -D_GNU_SOURCE src 2>&1 | tail -40
    [ "${PIPESTATUS[0]}" -eq 0 ] || bad=1
fi

# Manual pages
if [ -x build/jaga ]; then
    for c in jaga $(build/jaga help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
        build/jaga --manual "$c" | mandoc -T lint -W warning 2>&1 | sed "s/^/lint: manual $c: /" | grep . && bad=1
    done
fi
[ "$bad" -eq 0 ] && echo "lint: nothing found"
exit "$bad"
