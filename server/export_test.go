package server

// Leaks says what a stopped server has not let go of; "" is nothing.
func (s *Server) Leaks() string { return s.engine.Leaks() }

// Adopted is how many batches a stopped server has left where they were received.
func (s *Server) Adopted() (batches uint64) {
	for _, shard := range s.engine.Shards {
		batches += shard.State.Journal.Adopted
	}
	return batches
}
