// Package placement decides where the server runs: how many shards, on which cores, and how much memory they share.
//
// ReadMachine finds out what the process was given: the cores of its affinity mask, the CPU quota and the memory limit of its
// control groups (v1 and v2), the machine's memory. Decide turns that and the configured wishes into a Plan, without looking at
// anything else; For does both. RaiseFiles, SetNice, PinThread, NameThread and Prefer carry parts of it out.
//
// A *quota* is CPU time that control groups allow, counted in cores; it *cuts* when it is less than the mask. A *dedicated* mask
// is a proper subset of the online cores: somebody set it, so those cores are taken to be the server's alone. A mask of all
// cores is a machine shared with whatever else runs there.
//
// The invariant to keep in mind: a shard spins only where nobody else can need the core, that is pinned, alone on it, on a
// dedicated mask, and never under a quota, where spinning burns the time that work needs.
package placement
