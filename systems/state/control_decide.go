package state

import (
	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// decisionsPerAsk is how many decisions one request can make: a login opens a session and ends up to two, its connection's
// own and that of another.
const decisionsPerAsk = 3

// command is a metadata operation: it judges the body in the order of protocol.md, 7.8, and says what comes of it. It changes nothing but what the
// event it returns takes: entities and a place in the sequence.
type command func(s *components.State, a *ask) outcome

// commands lists the metadata operations that are served.
var commands = [256]command{
	wire.OpCreateStream:              createStream,
	wire.OpDeleteStream:              deleteStream,
	wire.OpCreateTopic:               createTopic,
	wire.OpDeleteTopic:               deleteTopic,
	wire.OpCreatePartitions:          createPartitions,
	wire.OpDeletePartitions:          deletePartitions,
	wire.OpCreateConsumerGroup:       createGroup,
	wire.OpDeleteConsumerGroup:       deleteGroup,
	wire.OpJoinConsumerGroup:         joinGroup,
	wire.OpLeaveConsumerGroup:        leaveGroup,
	wire.OpPurgeStream:               purgeStream,
	wire.OpPurgeTopic:                purgeTopic,
	wire.OpDeleteSegments:            deleteSegments,
	wire.OpUpdateStream:              updateStream,
	wire.OpUpdateTopic:               updateTopic,
	wire.OpCreateUser:                createUser,
	wire.OpUpdateUser:                updateUser,
	wire.OpDeleteUser:                deleteUser,
	wire.OpUpdatePermissions:         updatePermissions,
	wire.OpChangePassword:            changePassword,
	wire.OpCreatePersonalAccessToken: createToken,
	wire.OpDeletePersonalAccessToken: deleteToken,
}

// ask is a metadata operation to be decided.
type ask struct {
	user   ecs.Entity
	client *components.Client
	body   []byte // in the request's frame: what is to last is copied

	hashing *components.Hashing // what a worker found; nil before it was asked
}

// outcome is what comes of an ask: one of an event, many events, a question to a partition's owner, a denial, a rejection and work to be done
// first, or success without any.
type outcome struct {
	event     *wire.Event
	series    *components.Series
	proposal  *components.Proposal
	build     components.BuildKind
	denial    wire.Status         // in the header; the request number stays unused
	rejection wire.Status         // in the result section; the request number is used up
	hashing   *components.Hashing // the ask is decided again when a worker is done with it
	token     string              // the answer's payload, to be shown once
}

func denied(status wire.Status) outcome   { return outcome{denial: status} }
func rejected(status wire.Status) outcome { return outcome{rejection: status} }

// DecideControl decides what is asked of the control plane, on a catalog that is ahead by what is decided and not yet durable.
// Shard 0 only. Reads Asks. Writes Control, Replies. While Pending is full, because a shard lags or the log does not return, requests wait
// in Asks, 20 s at most.
func DecideControl(s *components.State) {
	c := s.Control
	if c == nil {
		return
	}
	c.Steps = stepsPerTick
	decideRemovals(s)
	decideProposals(s)
	decideSeries(s)
	endOrphans(s)
	cleanTokens(s)
	decideHashed(s)
	for s.Asks.Len() > 0 {
		r := s.Asks.Front()
		if !settleGroups(s) || c.Pending.Free() < decisionsPerAsk {
			if !tooLate(s, r) {
				s.WakeAt(max(r.Since+waitMicros, s.Now.MonoMicros+lateMicros))
				return
			}
			s.Refuse(r, wire.StatusCannotWriteToFile)
			s.Asks.Pop()
			continue
		}
		switch r.Kind {
		case components.RequestMetadata:
			decideMetadata(s, r, nil)
		case components.RequestOpen:
			openSession(s, r)
		case components.RequestClose, components.RequestHangup:
			closeSession(s, r)
		case components.RequestExpire:
			expireSession(s, r)
		default:
			panic("state: shard 0 was asked for what a partition's owner answers")
		}
		s.Asks.Pop()
	}
	askOwner(s)
	startHashes(s)
	if !settleGroups(s) {
		s.WakeAt(s.Now.MonoMicros + lateMicros)
	}
	decideHandOvers(s)
}

// tooLate says whether a request has waited too long. A hang-up has not: a session must not outlive its connection.
func tooLate(s *components.State, r *components.Request) bool {
	return r.Kind != components.RequestHangup && r.Kind != components.RequestExpire && s.Now.MonoMicros >= r.Since+waitMicros
}

// decideMetadata applies the rules of protocol.md, 5.2, to a metadata operation, and decides it if it is new. Hashing is what a worker
// found for it, or nil.
func decideMetadata(s *components.State, r *components.Request, hashing *components.Hashing) {
	c := s.Control
	header, body := request(s, r)
	if r.Plugin {
		decideNew(s, r, &header, &ask{user: r.User, body: body, hashing: hashing}, nil)
		return
	}
	client := c.Clients.Find(r.Client)
	switch {
	case client == nil || client.Session != r.Session || header.Session > client.Session || orphaned(c, client):
		evictAsker(s, r, wire.EvictNoSession)
		return
	case header.Session < client.Session:
		evictAsker(s, r, wire.EvictSessionTooLow)
		return
	}
	switch standing, frame := client.Stand(header.Request, header.RequestChecksum); standing {
	case components.NumberKept:
		s.Answer(r.Home, components.Reply{Kind: components.ReplyFrame, Conn: r.Conn, Frame: frame})
		return
	case components.NumberMismatch:
		s.Refuse(r, wire.StatusInvalidFormat)
		return
	case components.NumberBusy:
		reject(s, r, &header, wire.StatusTransientNotCommitted)
		return
	case components.NumberGone:
		reject(s, r, &header, wire.StatusRequestAlreadyApplied)
		return
	}
	decideNew(s, r, &header, &ask{user: client.User, client: client, body: body, hashing: hashing}, client)
}

// orphaned says whether a client's user is deleted. Once the control log has failed, what was decided last may never have happened.
func orphaned(c *components.Control, client *components.Client) bool {
	_, ok := c.Decided.Users.Row(client.User)
	return !ok && !c.ReadOnly
}

// decideNew decides an operation. Client is nil if a plugin asks, which has no numbers and is in no group.
func decideNew(s *components.State, r *components.Request, header *wire.RequestHeader, a *ask, client *components.Client) {
	c := s.Control
	command := commands[header.Operation]
	member := header.Operation == wire.OpJoinConsumerGroup || header.Operation == wire.OpLeaveConsumerGroup
	if command == nil || member && client == nil {
		s.Refuse(r, wire.StatusFeatureUnavailable)
		return
	}
	if c.ReadOnly && !member {
		s.Refuse(r, wire.StatusCannotWriteToFile)
		return
	}
	out := command(s, a)
	if out.hashing != nil {
		park(s, r, out.hashing)
		return
	}
	if out.denial != wire.StatusOK {
		s.Refuse(r, out.denial)
		return
	}
	if client != nil {
		client.Begin(header.Request, header.RequestChecksum)
	}
	asker := &components.Asker{Home: r.Home, Since: r.Since, Header: *header, Build: out.build, Client: client,
		Answer: components.Reply{Kind: components.ReplyFrame, Conn: r.Conn}, Body: wire.AppendResultOK(nil)}
	if out.token != "" {
		asker.Body, asker.Secret = wire.AppendToken(asker.Body, []byte(out.token)), true
	}
	if out.rejection != wire.StatusOK {
		asker.Body = wire.AppendResultError(nil, out.rejection)
	}
	switch {
	case out.series != nil:
		out.series.Asker = asker
		c.Series = append(c.Series, out.series)
		decideSeries(s)
	case out.proposal != nil:
		out.proposal.Asker = asker
		c.Proposals = append(c.Proposals, out.proposal)
	case out.event == nil:
		answerInOrder(s, asker)
	default:
		decide(s, out.event, asker)
		if out.event.Kind == wire.EventPartitionsCreated || out.event.Kind == wire.EventPartitionsDeleted {
			unsettleTopic(s, ecs.Entity(out.event.Topic))
		}
	}
	if client != nil {
		client.Commit = c.Decided.Applied
	}
}

// answerInOrder answers without an event, once everything is applied that the answer was decided on: a client that is told that
// a name is taken finds what bears it.
func answerInOrder(s *components.State, asker *components.Asker) {
	c := s.Control
	d := components.Decision{Seq: c.Decided.Applied, Asker: asker}
	if c.Pending.Len() > 0 {
		c.Pending.Push(d)
		return
	}
	buildAnswer(s, &d)
	tell(s, asker)
}

// newEvent gives an event its place in the sequence. It must be decided before the next one is made.
func newEvent(s *components.State, e wire.Event) *wire.Event {
	e.Seq, e.Time = s.Control.Seq(s.Run), s.Now.WallMicros
	return &e
}

// decide applies an event to the deciding catalog and puts it on its way. Nobody waits for it if asker is nil.
func decide(s *components.State, e *wire.Event, asker *components.Asker) {
	s.Control.Decided.Apply(e)
	s.Control.Pending.Push(components.Decision{Seq: e.Seq, Event: e, Asker: asker})
}

// request decodes the frame of a request, which its home shard has checked.
func request(s *components.State, r *components.Request) (header wire.RequestHeader, body []byte) {
	frame := s.Memory.Bytes(r.Frame)
	header, err := wire.DecodeRequestHeader(frame)
	if err != nil {
		panic("state: a request without a whole frame reached shard 0")
	}
	return header, frame[wire.FrameHeaderSize:]
}

// evictAsker answers a request with an eviction. What is bound to the connection is another reply's matter.
func evictAsker(s *components.State, r *components.Request, reason wire.EvictionReason) {
	s.Answer(r.Home, components.Reply{Kind: components.ReplyEvict, Conn: r.Conn, Reason: reason})
}

// reject answers a request with a rejection that does not use up its number.
func reject(s *components.State, r *components.Request, header *wire.RequestHeader, status wire.Status) {
	frame := controlFrame(s, header, s.Catalog.Applied, wire.AppendResultError(nil, status), wire.StatusOK)
	s.Answer(r.Home, components.Reply{Kind: components.ReplyFrame, Conn: r.Conn, Frame: frame})
}
