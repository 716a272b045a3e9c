package server

// Leaks says what a stopped server has not let go of; "" is nothing.
func (s *Server) Leaks() string { return s.engine.Leaks() }
