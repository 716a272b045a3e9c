package engine

// Counts gives what the engine counts, by names for people. Any goroutine may ask once the shards run.
func (e *Engine) Counts(row func(name string, value any)) {
	gauges, space := e.Shards[0].State.Gauges, e.Shards[0].Storage.Space // all shards have the same
	row("connections", gauges.Connections.Load())
	row("sessions", gauges.Sessions.Load())
	row("logins refused", gauges.LoginsRefused.Load())
	row("messages appended", gauges.Appended.Load())
	row("bytes read from partitions", gauges.BytesRead.Load())
	row("bytes written to partitions", gauges.BytesWritten.Load())
	row("partitions faulted", gauges.Faulted.Load())
	row("bytes cut from torn tails", gauges.CutBytes.Load())
	row("metadata is read-only", gauges.ReadOnly.Load())
	row("files in the pool", space.Files.Load())
	row("bytes in the pool", space.Pooled.Load())
	row("bytes in the pool at most", space.SizeMax)
}
