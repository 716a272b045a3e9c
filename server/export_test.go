package server

// Leaks says what a stopped server has not let go of; "" is nothing.
func (s *Server) Leaks() string { return s.engine.Leaks() }

// Kept is how many bytes of the memory that frames are received in the journals of a stopped server have.
func (s *Server) Kept() (bytes uint64) {
	for _, owner := range s.engine.Shards {
		for _, home := range s.engine.Shards {
			bytes += owner.State.HotIn(home.Storage.Arena)
		}
	}
	return bytes
}
