#!/usr/bin/env bash
# What ./dev run does: a node in scratch/, with the sample or the files given, serving.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
jaga=$root/build/jaga
dir=$root/scratch/node
address=127.0.0.1:8443
export JAGA_DIR=$dir

indicator=indicator--ee764c14-ee1d-4a4d-b400-b4a27f0af11c
proxy=indicator--4ee96f62-8b29-4b38-b6ab-24dc53a4675a
log=note--e7094918-f0f3-462b-b734-b65743fbca60

quietly() { "$jaga" "$@" >/dev/null 2>>"$root/scratch/run.log"; }

# Exit status 3 means "done, and some of it was refused": worth a word, no reason to stop.
take() {
    local code=0
    "$jaga" -q import "$@" || code=$?
    [ "$code" -eq 0 ] || [ "$code" -eq 3 ] || exit "$code"
}

sample() {
    quietly org add bank-a --title 'Bank Sinar Laut (fictional)' --member own
    quietly group add banking --title 'Banks and their CERT' \
        --charter 'The banks of the story; newcomers see the past.' --past yes \
        --add own --add bank-a
    quietly user add somchai --role analyst --exercise yes
    quietly user add bank-analyst --role reader --org bank-a --staff yes
    take "$root/sample/1-public.json" --group public
    take "$root/sample/2-region.json"
    take "$root/sample/3-banking.json" --group banking
    take "$root/sample/4-incident.json"
    take "$root/sample/5-person.json" --person somchai
    take "$root/sample/6-exercise.json" --exercise
    quietly revoke "$proxy"
    quietly withdraw "$log"
}

mkdir -p "$root/scratch"
fresh=no
if [ ! -f "$dir/jaga.conf" ]; then
    fresh=yes
    quietly init --name 'Samut CERT (fictional)' --country TH --listen "$address" \
        --contact soc@samut-cert.example
fi
files=()
for f in "$@"; do files+=("$f"); done
"$jaga" --version
echo "node         $("$jaga" config name) ($("$jaga" config country)), https://$address"
"$jaga" doctor | sed -n 's/.*fingerprint /certificate  /p'
echo
if [ ${#files[@]} -gt 0 ]; then
    take "${files[@]}"
elif [ "$fresh" = yes ]; then
    sample
else
    echo "the data of the last run (remove scratch/ to begin anew)"
fi
echo "             jaga report 1   says what became of the first of them"

# A password and a token of their own for each run: shown here, kept nowhere.
if "$jaga" -q user list | grep -q '^analyst '; then quietly user remove analyst; fi
if "$jaga" -q token list | grep -q '^demo '; then quietly token remove demo; fi
field() { sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p'; }
password=$("$jaga" --json user add analyst --role publisher --exercise yes | field password)
login=$("$jaga" --json token add demo --user analyst --scope read,write --ceiling TLP:AMBER)
token=$(printf '%s' "$login" | field token)
collection=$(printf '%s' "$login" | field collection)

cat <<EOF

browser      https://$address/desk
login        analyst
password     $password
TAXII root   https://$address/taxii2/root/
collection   $collection
token        $token

try          export JAGA_DIR=$dir PATH=$root/build:\$PATH
             jaga search 'parcel-th[.]example'
             jaga who $indicator
             curl -k -H "Authorization: Bearer $token" \\
                 "https://$address/taxii2/root/collections/$collection/objects/?limit=2"

Ctrl-C stops it; the data stays in scratch/node.
EOF
exec "$jaga" serve
