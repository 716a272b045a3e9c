package simtest

import (
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"

	"galgo/components"
	"galgo/ecs"
	"galgo/uring/sim"
	"galgo/wire"
)

// limits bound what a seed plays; a failing seed is made smaller by lowering them. The seed decides within them.
type limits struct {
	Lives    int // of the server
	Actors   int // clients at a time
	Requests int // of all actors in one life
}

// shardsMax is how many shards a life has at most.
const shardsMax = 4

var full = limits{Lives: 5, Actors: 6, Requests: 700}

// play is one seed's history: lives of the server, with weather in them and crashes between them.
type play struct {
	seed   uint64
	limits limits
	w      *sim.World
	rng    *rand.Rand // of the workload
	story  *story     // nil: nobody listens
	s      setting

	memory    uint64           // bytes, of all shards
	level     components.Level // of topics that ask for nothing better
	server    *process
	life      int
	broken    bool // the disk broke its word, and the play is over before its time
	weather   weather
	actors    []*actor
	recycling bool // actors mostly make and delete topics of their own
	bulky     bool // one of them fills topics up to what they may hold
	resting   bool // actors ask for nothing more

	requests   int
	crashes    int
	sessionMax uint64
	reached    map[string]int  // interesting states
	done       map[string]int  // requests by family
	asked      map[request]int // of actors
	messages   messages
	offsets    offsets
	groups     groups
	catalog    history
	accounts   history
	writeOps   map[uint64]string     // log positions of metadata writes that were answered
	tempted    bool                  // something was seen before it was acknowledged, or has just been removed: now would be the moment for a crash
	entities   map[ecs.Entity]uint64 // of partitions, with the sequence that created them
	left       []left                // own topics of the last life
	moments    int64                 // order of everything that is asked for and answered
}

// result is what became of a seed.
type result struct {
	seed     uint64
	hash     uint64
	requests int
	crashes  int
	micros   uint64
	faults   sim.FaultCounts
	broken   bool // the play was over before its time
	reached  map[string]int
	done     map[string]int
	asked    map[request]int
	failure  string
	story    *story
}

// violation is what fail panics with.
type violation struct{ text string }

// fail ends the seed: a promise was broken.
func (p *play) fail(format string, args ...any) { panic(violation{fmt.Sprintf(format, args...)}) }

// note counts an interesting state.
func (p *play) note(what string) { p.reached[what]++ }

func (p *play) noteIf(is bool, what string) {
	if is {
		p.note(what)
	}
}

func now(w *sim.World) uint64 {
	_, mono := w.Clock()
	return mono
}

// setting is what a run of a seed may differ in.
type setting struct {
	limits  limits
	tell    bool
	shards  int               // of every life; 0: the seed decides
	light   bool              // nobody fills segments
	weather *weather          // of every life; nil: the seed decides
	world   func(*sim.World)  // called when it is new
	faults  func(*sim.Faults) // what is wrong in every weather
	bend    func(*play)       // called when a life has begun
}

// newPlay is a play of which nothing has happened yet.
func newPlay(o sim.Options) *play {
	o.Stepping = true
	return &play{seed: o.Seed, rng: rand.New(rand.NewPCG(o.Seed, 3)), w: sim.New(o), resting: true, reached: map[string]int{}, done: map[string]int{},
		asked: map[request]int{}, writeOps: map[uint64]string{}, entities: map[ecs.Entity]uint64{}}
}

// run plays a seed.
func run(seed uint64, s setting) (r result) {
	if s.limits == (limits{}) {
		s.limits = full
	}
	p := newPlay(sim.Options{Seed: seed, DiskBytes: 4 << 30, PlainRenames: seed%5 == 0, Faults: sim.Rough()})
	p.limits, p.s = s.limits, s
	p.recycling, p.bulky = p.rng.IntN(4) == 0, p.rng.IntN(10) == 0
	p.setFaults(rough.faults)
	p.messages.p, p.offsets.p, p.groups.p = p, p, p
	p.catalog, p.accounts = history{kind: "catalog", model: catalogModel}, history{kind: "accounts", model: accountModel}
	if s.tell {
		p.story = &story{}
		p.w.Trace = p.story
	}
	if s.world != nil {
		s.world(p.w)
	}
	begin := now(p.w)
	defer func() {
		if broken := recover(); broken != nil {
			if v, ok := broken.(violation); ok {
				r.failure = v.text
			} else {
				r.failure = fmt.Sprintf("panic: %v\n%s", broken, debug.Stack())
			}
			r.failure = fmt.Sprintf("seed %d, life %d, at %s, weather %s: %s", seed, p.life, p.clock(), p.weather.name, r.failure)
		}
		r.seed, r.hash, r.requests, r.crashes, r.micros, r.faults = seed, p.w.Hash(), p.requests, p.crashes, now(p.w)-begin, p.w.FaultCounts()
		r.broken, r.reached, r.done, r.asked, r.story = p.broken, p.reached, p.done, p.asked, p.story
		p.free(r.failure != "")
	}()
	p.play()
	return r
}

// free gives the World's memory back. Where something failed that may meet the same failure: it is told already.
func (p *play) free(failed bool) {
	defer func() {
		if broken := recover(); broken != nil && !failed {
			panic(broken)
		}
	}()
	p.w.Kill()
}

// setFaults changes the weather.
func (p *play) setFaults(f sim.Faults) {
	if p.s.faults != nil {
		p.s.faults(&f)
	}
	p.w.SetFaults(f)
}

// clock is the time since the beginning, for people.
func (p *play) clock() string { return fmt.Sprintf("%.6f s", float64(now(p.w)-1_000_000_000)/1e6) }

func (p *play) play() {
	p.memory = []uint64{32 << 20, 48 << 20, 160 << 20}[p.rng.IntN(3)]
	p.messages.heavy = []uint64{512, 512, 30}[p.rng.IntN(3)]
	p.level = levels[p.rng.IntN(len(levels))]
	lives := min(4+p.rng.IntN(full.Lives-3), p.limits.Lives)
	for p.life = 0; p.life < lives || p.limits == full && !p.enough(); p.life++ {
		if !p.startLife() {
			break // nothing can be promised any more, and the server has said so
		}
		if p.life == 0 {
			p.setUp()
		}
		if !p.audit() {
			p.crash(false)
			break
		}
		p.live()
		p.endLife()
	}
	p.checkHistories()
}

// enough reports whether the seed has been through enough to count.
func (p *play) enough() bool { return p.requests >= requestsLeast && p.crashes >= crashesLeast }

var levels = []components.Level{components.LevelMemory, components.LevelWritten, components.LevelWritten, components.LevelDurable, components.LevelDurable}

// startLife starts a server: perhaps after starts that crash or fail. It returns false when the directory is damaged, and the play is over.
func (p *play) startLife() bool {
	p.weather = rough
	p.setFaults(rough.faults)
	if p.limits.Lives > 1 && p.rng.IntN(2) == 0 {
		p.crashInStart()
	}
	shards := 1 + p.rng.IntN(shardsMax)
	if p.s.shards > 0 {
		shards = p.s.shards
	}
	if p.rng.IntN(6) == 0 { // the disk is in a bad way when the server starts
		p.setFaults(sim.Faults{ReadError: 0.01, WriteError: 0.01, SyncError: 0.01, OtherError: 0.01, NoSpace: 0.02, ShortRead: 0.1, ShortWrite: 0.01})
		server, err := start(p.w, shards, p.memory, p.drawLevel())
		p.setFaults(rough.faults)
		if err != nil {
			p.tell("the server does not start: %v", err)
			p.note("start refused by a failing disk")
			p.crash(false)
		} else if p.server = server; len(server.damage) > 0 {
			p.tell("the server starts on a failing disk and finds damage: %v", server.damage)
			p.note("damage seen by a failing disk")
			p.crash(false)
		} else {
			p.begun(shards)
			return true
		}
	}
	server, err := start(p.w, shards, p.memory, p.drawLevel())
	if err != nil {
		if p.rotten() {
			p.tell("the server refuses a rotten directory: %v", err)
			p.note("start refused by damage")
			p.crash(false)
			return false
		}
		p.fail("start: %v", err)
	}
	p.server = server
	if !p.rotten() && p.diskForgot() {
		p.crash(false)
		return false
	}
	if len(server.damage) > 0 && !p.rotten() {
		p.fail("damage found where only crashes were: %q", server.damage)
	}
	p.begun(shards)
	return true
}

func (p *play) begun(shards int) {
	p.tell("life %d begins: %d shards, level %s", p.life, shards, p.server.level)
	p.note(fmt.Sprintf("life with %d shards", shards))
	if p.server.cut > 0 {
		p.note("torn tail cut")
	}
	if len(p.server.damage) > 0 {
		p.note("damage found at start")
	}
	for _, sh := range p.server.Shards {
		for row := range sh.State.Partitions.All {
			p.noteIf(sh.State.Partitions.Segments[row].Len() > 0 && sh.State.Partitions.Size[row] == 0, "log without a record")
		}
	}
	if p.s.bend != nil {
		p.s.bend(p)
	}
}

// rotten reports whether the disk has ever lost bytes that it had promised to keep.
func (p *play) rotten() bool {
	counts := p.w.FaultCounts()
	return counts[sim.FaultBitRot]+counts[sim.FaultWriteAstray] > 0
}

// drawLevel is mostly the seed's own: the configuration may change between two starts.
func (p *play) drawLevel() components.Level {
	if p.rng.IntN(4) == 0 {
		return levels[p.rng.IntN(len(levels))]
	}
	return p.level
}

// crashInStart starts a process that ends somewhere in its start-up, if that has so many steps.
func (p *play) crashInStart() {
	p.w.CrashAfter(1 + p.rng.IntN(200))
	power := p.rng.IntN(2) == 0
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(sim.Crashed); !ok {
				panic(r)
			}
			p.note("crash in start-up")
		}
		p.crash(power)
	}()
	if _, err := start(p.w, 1+p.rng.IntN(shardsMax), p.memory, p.drawLevel()); err != nil && !p.rotten() {
		p.fail("start: %v", err)
	}
}

// crash ends the process, or the machine.
func (p *play) crash(power bool) {
	p.crashes++
	if power {
		p.tell("the power is cut")
		p.note("power cut")
		p.w.PowerCut()
	} else {
		p.tell("the process is killed")
		p.note("kill")
		p.w.Kill()
	}
	p.server = nil
	p.crashed(power)
}

// crashed forgets the promises that a crash may break.
func (p *play) crashed(power bool) {
	p.messages.crashed(power)
	p.offsets.crashed(power)
	for i := range p.left {
		p.left[i].sure = p.left[i].sure && survives(p.left[i].level, power)
	}
}

// setUp makes what is there from the beginning to the end.
func (p *play) setUp() {
	c := p.connect("setup")
	for _, create := range []struct {
		op   wire.Operation
		body []byte
	}{
		{wire.OpCreateStream, wire.AppendCreateStream(nil, wire.CreateStream{Name: dataStream})},
		{wire.OpCreateTopic, wire.AppendCreateTopic(nil, wire.CreateTopic{Stream: wire.IdentNamed(dataStream), Name: []byte("t0"), PartitionsCount: 3,
			Options: options("segment_size", "1 MiB")})},
		{wire.OpCreateTopic, wire.AppendCreateTopic(nil, wire.CreateTopic{Stream: wire.IdentNamed(dataStream), Name: []byte("t1"), PartitionsCount: 2,
			Options: options("segment_size", "1 MiB", "durability", "persisted", "consumer_offset_durability", "persisted")})},
		{wire.OpCreateConsumerGroup, wire.AppendCreateConsumerGroup(nil, wire.CreateConsumerGroup{Stream: wire.IdentNamed(dataStream), Topic: wire.IdentNamed([]byte("t0")), Name: []byte("g0")})},
		{wire.OpCreateConsumerGroup, wire.AppendCreateConsumerGroup(nil, wire.CreateConsumerGroup{Stream: wire.IdentNamed(dataStream), Topic: wire.IdentNamed([]byte("t1")), Name: []byte("g0")})},
	} {
		if got := c.call(create.op, 0, create.body); !got.ok() {
			p.fail("%s: got %v, want ok", create.op, got)
		}
	}
	c.hangUp()
	p.messages.init()
}

// options is an options block of string values.
func options(pairs ...string) (block []byte) {
	for _, s := range pairs {
		block = wire.AppendTypedValue(block, wire.StringValue([]byte(s)))
	}
	return block
}

// live lets actors ask in some weather until the life's requests are spent.
func (p *play) live() {
	p.weather = weathers[p.rng.IntN(len(weathers))]
	if p.enough() && p.rng.IntN(3) > 0 { // after it, the server may have to refuse its directory
		p.checkHistories()
		p.weather = rot
	}
	if p.s.weather != nil {
		p.weather = *p.s.weather
	}
	p.tell("weather: %s", p.weather.name)
	p.note("weather " + p.weather.name)
	p.resting = false
	p.actors = p.actors[:0]
	for i := range p.limits.Actors {
		a := &actor{p: p, id: i, rng: rand.New(rand.NewPCG(p.seed, uint64(100*p.life+i)))}
		p.actors = append(p.actors, a)
		p.w.After(p.w.Rand().Uint64N(2000), a.act)
	}
	p.setFaults(p.weather.faults)
	until := p.requests + p.limits.Requests/2 + p.rng.IntN(p.limits.Requests)
	p.tempted = false
	for steps := 0; p.requests < until; steps++ {
		if p.tempted && p.rng.IntN(20) == 0 {
			p.note("crash at a tempting moment")
			break
		}
		if !p.w.Step() {
			p.fail("nothing happens any more, with %s", p.waiting())
		}
		if steps%4096 == 4095 {
			p.checkPatience()
		}
		if steps%64 == 0 {
			p.observe()
		}
		if steps%1024 == 0 {
			p.account()
		}
	}
}

// answerMicros is how long an answer may take while nothing was lost: 20 s in a line or with a disk that does not answer, and what stalls and
// pauses add.
const answerMicros = 90_000_000

// checkPatience looks for requests that are never answered.
func (p *play) checkPatience() {
	for _, a := range p.actors {
		if c := a.c; c != nil && c.reply != nil && !c.over && c.peer.Connected() && now(p.w) > c.asked+answerMicros {
			p.fail("%s has had no answer for %d s", c.name, (now(p.w)-c.asked)/1_000_000)
		}
	}
}

// waiting names who waits for an answer.
func (p *play) waiting() string {
	var names []string
	for _, a := range p.actors {
		if a.c != nil && a.c.reply != nil {
			names = append(names, a.c.name+" "+a.doing)
		}
	}
	return fmt.Sprintf("%d waiting for answers: %s", len(names), strings.Join(names, ", "))
}

// runUntil lets the World go on until something is so.
func (p *play) runUntil(what string, is func() bool) {
	begin := now(p.w)
	for steps := 0; !is(); steps++ {
		if !p.w.Step() {
			p.fail("nothing happens any more: want %s (%s)", what, p.waiting())
		}
		if now(p.w) > begin+2*answerMicros {
			p.fail("waited %d s for %s (%s)", 2*answerMicros/1_000_000, what, p.waiting())
		}
	}
}

// endLife ends the server in one of the ways there are, often in the middle of everything.
func (p *play) endLife() {
	way := p.rng.IntN(6)
	if p.tempted {
		way = 0
	}
	if way >= 3 { // let what is under way finish in calm weather, and look at the result
		p.setFaults(rough.faults)
		p.resting = true
		p.runUntil("every request answered once faults end", func() bool {
			return !slices.ContainsFunc(p.actors, func(a *actor) bool { return !a.rests })
		})
		p.progress()
		p.passTime()
		p.checkCatalogs()
	}
	p.catalog.cut(p)
	p.accounts.cut(p)
	p.leftovers()
	switch {
	case way >= 4:
		p.stop()
	default:
		p.leave()
		p.crash(p.rng.IntN(2) == 0)
	}
	p.catalog.restarted(p)
	p.accounts.restarted(p)
}

// leave takes the actors away: whatever they wait for may have happened.
func (p *play) leave() {
	p.resting = true
	for _, a := range p.actors {
		a.over = true
		for _, c := range []*client{a.c, a.second} {
			if c != nil {
				c.hangUp()
			}
		}
	}
	p.actors = nil
}

// stop ends the server in good order.
func (p *play) stop() {
	p.tell("the server is stopped in good order")
	p.leave()
	shards := len(p.server.Shards)
	p.server.Stop()
	p.runUntil("the server to stop", func() bool { return p.server.ended == shards })
	err := p.server.Undone()
	if err != nil && !p.weather.disk {
		p.fail("stop: got %v, want a clean end", err)
	}
	if err == nil {
		p.note("clean stop")
		if leaks := p.server.Leaks(); leaks != "" {
			p.fail("after the stop: %s", leaks)
		}
	}
	p.w.Kill()
	p.server = nil
	if err != nil {
		p.crashed(false)
	}
}
