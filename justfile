# The steps of .ci/run, and what a developer does now and then. Nothing here is needed to build or test: see README.

# everything that CI runs
check:
    .ci/run

# all tests, as README has it
test *args:
    go test {{args}} ./...

# what several threads share, under the race detector
race:
    .ci/run race

# the built binary from outside: kills, bad input, the released Python client
acceptance:
    .ci/run acceptance

# kill servers over and over, on both kernels, and look what is left; `just crash 20 SEED` draws the same again
crash rounds='200' seed='0':
    go test ./cmd/galgo/acceptance -run '^TestCrash$' -v -timeout 0 -crash.rounds {{rounds}} -crash.seed {{seed}}

# the engine in a simulated world: `just sim` plays a seed that nobody has played, `just sim 7 100` a hundred from 7 on
sim seed='0' count='1':
    go test ./systems/simtest -run '^TestSim$' -v -count 1 -timeout 0 -seed {{seed}} -seeds {{count}}

# Volumes are flags of the packages, as the comments of the benchmarks say: go test ./server -run '^$' -bench 'Send$' -send.bytes 16000000000

# benchmarks, most of them beside what a bare ring or disk does in the same run; `just bench Send` runs those whose names match
bench match='.':
    go test -run '^$' -bench '{{match}}' -benchmem ./...

# write expected outputs anew; read the diff, and commit what you can explain
golden:
    go test ./cmd/galgo-dump -rewrite
    go test ./systems -run '^TestTickScripts$' -rewrite

# each fuzz test for a while
fuzz time='20s':
    #!/usr/bin/env bash
    set -euo pipefail
    grep -rHoE '^func Fuzz\w+' --include='*_test.go' . | while IFS=: read -r file function; do
        go test "$(dirname "$file")" -run '^$' -fuzz "^${function#func }\$" -fuzztime {{time}}
    done
