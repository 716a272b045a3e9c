package wire

// Verdict is what the rules of protocol.md, 1.1, that need no connection state say about a request header.
type Verdict uint8

const (
	VerdictOK    Verdict = iota
	VerdictClose         // no frame, or no request: close the socket, write nothing

	// These hold on every connection.
	VerdictUnknownOperation // operation 0, undeclared, or a reply's: StatusInvalidCommand
	VerdictBadRegister      // Register without a client, or with a session or request number: StatusInvalidCommand
	VerdictLegacyLogin      // CodeLoginUser, CodeLoginWithPersonalAccessToken: EvictMalformedLogin

	// These hold on a connection with a session. Without one, the answer of protocol.md, 3.2, comes first.
	VerdictNoClient       // client 0: StatusInvalidCommand
	VerdictUnnumbered     // session or request 0 where both are needed: StatusInvalidCommand
	VerdictUnknownCode    // StatusInvalidCommand
	VerdictReplicatedCode // the code of a replicated command: StatusFeatureUnavailable
	VerdictSessionCode    // 39, 40 or 45, which have no handler: StatusInvalidCommand
)

// CheckRequestHeader judges h; frameMax is the largest frame accepted, in bytes. The first verdict of the list that
// applies is returned.
func CheckRequestHeader(h RequestHeader, frameMax uint32) Verdict {
	if h.Size < FrameHeaderSize || h.Size > frameMax || h.Command != FrameRequest {
		return VerdictClose
	}
	switch h.Operation.Plane() {
	case PlaneNone:
		return VerdictUnknownOperation
	case PlaneNonReplicated:
		return checkCode(h)
	}
	if h.Operation == OpRegister {
		if h.Client.IsZero() || h.Session != 0 || h.Request != 0 {
			return VerdictBadRegister
		}
		return VerdictOK
	}
	if h.Client.IsZero() {
		return VerdictNoClient
	}
	if h.Session == 0 || h.Request == 0 {
		return VerdictUnnumbered
	}
	return VerdictOK
}

func checkCode(h RequestHeader) Verdict {
	kind := h.Code.Kind()
	if kind == CodeLegacyLogin {
		return VerdictLegacyLogin
	}
	if h.Client.IsZero() {
		return VerdictNoClient
	}
	switch kind {
	case CodeUnknown:
		return VerdictUnknownCode
	case CodeReplicated:
		return VerdictReplicatedCode
	case CodeSession:
		return VerdictSessionCode
	}
	return VerdictOK
}

// Status is what a reply to the request carries: StatusOK for VerdictOK, and for VerdictClose and
// VerdictLegacyLogin, which are not answered with a reply.
func (v Verdict) Status() Status {
	switch v {
	case VerdictOK, VerdictClose, VerdictLegacyLogin:
		return StatusOK
	case VerdictReplicatedCode:
		return StatusFeatureUnavailable
	}
	return StatusInvalidCommand
}

// NeedsSession reports whether the verdict holds on a connection with a session only.
func (v Verdict) NeedsSession() bool { return v >= VerdictNoClient }
