#!/usr/bin/env bash
# Plants each bug of this folder in a copy of the tree, and wants the simulation to find it within 50 seeds. It writes found.md.
#
#   testdata/sim/planted/find.sh            all of them
#   testdata/sim/planted/find.sh NAME...    some, by the names of their patches; found.md stays as it is
#
# A patch that no longer applies fails: the code it was for has moved on, and it has to follow.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
planted=testdata/sim/planted
seeds=50

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
git ls-files -z --cached --others --exclude-standard | tar --null --ignore-failed-read -cf - -T - | tar -xf - -C "$scratch"

names=("$@")
[ $# -gt 0 ] || for file in "$planted"/*.patch; do names+=("$(basename "$file" .patch)"); done

missed=0
table=$'| Planted | Found by seed | As |\n|---|---|---|\n'
for name in "${names[@]}"; do
	file=$PWD/$planted/$name.patch
	patch -d "$scratch" -p1 -s --fuzz=0 <"$file"
	(cd "$scratch" && go test -c -o simtest.test ./systems/simtest)
	if out=$(cd "$scratch/systems/simtest" && timeout 900 ../../simtest.test -test.run '^TestSim$' -test.timeout 0 -seed 1 -seeds $seeds -tell=false 2>&1); then
		printf '%s: not found in %d seeds\n' "$name" $seeds
		table+="| $(head -1 "$file") | not in $seeds | |"$'\n'
		missed=1
	else
		line=$(grep -m1 -oE 'seed [0-9]+, life .*' <<<"$out" || grep -m1 -E 'panic|fatal' <<<"$out" || tail -1 <<<"$out")
		seed=$(grep -oE '^seed [0-9]+' <<<"$line" || true)
		printf '%s: found: %.160s\n' "$name" "$line"
		as=$(sed -E 's/^seed [0-9]+, life [0-9]+, at [0-9.]+ s, weather [a-z ]+: //; s/\|/\\|/g' <<<"$line")
		table+="| $(head -1 "$file") | ${seed#seed } | ${as:0:140} |"$'\n'
	fi
	patch -d "$scratch" -p1 -s -R --fuzz=0 <"$file"
done
[ $# -gt 0 ] || printf '%s' "$table" >"$planted/found.md"
exit $missed
