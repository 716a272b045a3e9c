//go:build !invariants

package ecs

// Invariants says whether dear checks run. It is true under the build tag invariants.
const Invariants = false
