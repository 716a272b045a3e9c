//go:build !linux || !(amd64 || arm64 || loong64 || ppc64le || riscv64)

package uring

// The ring's layouts are those of 64-bit little-endian Linux. This file does not compile on purpose, so that a build for another system
// stops with its reason.
const _ = galgo_needs_64_bit_little_endian_Linux
