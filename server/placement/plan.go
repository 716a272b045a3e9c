package placement

import (
	"fmt"

	"github.com/dustin/go-humanize"

	"galgo/server/config"
)

// Wish is what the configuration asks for.
type Wish struct {
	Shards   int    // 0: as many as fit
	Memory   uint64 // bytes; 0: a quarter of the machine's
	FrameMax uint64 // bytes
	Pin      config.Pin
}

// Plan is how the server is to run.
type Plan struct {
	Shards     int
	CPUs       []int  // by shard; empty unless Pin
	Pin        bool   // bind shard i to CPUs[i]
	SpinMicros uint64 // how long a shard spins before it blocks
	Memory     uint64 // bytes, the budget of all shards
	FrameMax   uint32 // bytes, the largest frame
	Notes      []string
}

const (
	// spinMicros is what a parked shard costs to wake (45 to 50 µs, measured): spinning that long costs at most twice the best.
	spinMicros = 50
	// memoryUnknown stands for the machine's memory where nothing tells it.
	memoryUnknown = 1 << 30
)

// For decides the plan for c on the machine below root, "/" for the real one. The error is ReadMachine's.
func For(c *config.Config, root string) (Plan, error) {
	m, err := ReadMachine(root)
	if err != nil {
		return Plan{}, err
	}
	return Decide(Wish{Shards: c.Shards, Memory: c.Memory, FrameMax: c.FrameMax, Pin: c.Pin}, m), nil
}

// Decide makes the plan for w on m. Notes say in sentences what an operator would not expect.
func Decide(w Wish, m Machine) Plan {
	p := Plan{Shards: w.Shards}
	cuts := m.Quota > 0 && int(m.Quota) < len(m.CPUs)
	dedicated := m.Online > len(m.CPUs)
	if p.Shards == 0 {
		p.Shards = len(m.CPUs)
		if cuts {
			p.Shards = max(1, int(m.Quota))
			p.note("a CPU quota of %.2f cores cuts the %d cores of the affinity mask to %d shards", m.Quota, len(m.CPUs), p.Shards)
		}
		if p.Shards > config.ShardsMax {
			p.note("of %d cores %d are used: that many shards are the most", p.Shards, config.ShardsMax)
			p.Shards = config.ShardsMax
		}
	}
	crowded := p.Shards > len(m.CPUs)
	if crowded {
		p.note("%d shards share %d cores", p.Shards, len(m.CPUs))
	}
	p.Pin = w.Pin == config.PinOn || w.Pin == config.PinAuto && dedicated && !cuts && !crowded
	if p.Pin {
		p.CPUs = make([]int, p.Shards)
		for i := range p.CPUs {
			p.CPUs[i] = m.CPUs[i%len(m.CPUs)]
		}
		if dedicated && !cuts && !crowded {
			p.SpinMicros = spinMicros
		}
	}
	p.memory(w, m)
	return p
}

// memory settles the budget and the largest frame. A frame reserves its size twice, and half as much again must be left for
// everything else; where the budget is smaller than that, no frame may take more than a quarter of it.
func (p *Plan) memory(w Wish, m Machine) {
	p.Memory = w.Memory
	if p.Memory == 0 {
		total := m.Memory
		if total == 0 {
			total = memoryUnknown
			p.note("the machine's memory is unknown, %s are assumed", humanize.IBytes(total))
		}
		p.Memory = max(total/4&^(pageSize-1), config.MemoryMin)
	}
	if m.Memory != 0 && p.Memory > m.Memory {
		p.note("the memory budget of %s is more than the %s there are", humanize.IBytes(p.Memory), humanize.IBytes(m.Memory))
	}
	frame := w.FrameMax
	if p.Memory < frame*5/2 {
		frame = min(frame, p.Memory/4)
		p.note("the memory budget of %s is below the %s that frames of %s need: the largest frame is %s",
			humanize.IBytes(p.Memory), humanize.IBytes(w.FrameMax*5/2), humanize.IBytes(w.FrameMax), humanize.IBytes(frame))
	}
	p.FrameMax = uint32(frame)
}

// pageSize rounds the default budget, so that it reads well and slabs fit into it.
const pageSize = 1 << 12

func (p *Plan) note(format string, args ...any) {
	p.Notes = append(p.Notes, fmt.Sprintf(format, args...))
}
