package wire

import "encoding/binary"

// UserStatus tells whether a user may log in.
type UserStatus uint8

const (
	UserActive   UserStatus = 1
	UserInactive UserStatus = 2
)

// CreateUser is the body of OpCreateUser.
//
//	| username name | password str8 | status u8 | has_permissions bool | length u32 + permissions, if set
//	| options, of which there are none |
type CreateUser struct {
	Username    []byte // UsernameSizeMin..=UsernameSizeMax is for the caller to check: that refusal is numbered
	Password    []byte
	Status      UserStatus // an unknown one reads as UserActive
	Permissions []byte     // a sound permissions block; nil without one
}

// DecodeCreateUser reads a body. It returns StatusUnsupportedOptionKey for any option, and what
// CheckOptions says of a block that is none.
func DecodeCreateUser(body []byte) (CreateUser, Status) {
	r := bodyReader{src: body}
	c := CreateUser{
		Username:    r.name(),
		Password:    r.str8(),
		Status:      UserStatus(r.u8()),
		Permissions: r.optionalPermissions(),
	}
	if c.Status != UserInactive {
		c.Status = UserActive
	}
	return c, r.noOptions()
}

// AppendCreateUser appends the encoding of c, without options.
func AppendCreateUser(dst []byte, c CreateUser) []byte {
	dst = appendStr8(appendName(dst, c.Username), c.Password)
	dst = append(dst, byte(c.Status))
	return appendOptionalPermissions(dst, c.Permissions)
}

// UpdateUser is the body of OpUpdateUser.
//
//	| user ident | has_username bool | name, if set | has_status bool | status u8, if set
//	| options, of which there are none |
type UpdateUser struct {
	User      Ident
	Username  []byte // nil keeps the name
	HasStatus bool
	Status    UserStatus // of HasStatus
}

// DecodeUpdateUser reads a body; the statuses are those of DecodeCreateUser. A status byte that is unknown is undecodable.
func DecodeUpdateUser(body []byte) (UpdateUser, Status) {
	r := bodyReader{src: body}
	u := UpdateUser{User: r.ident()}
	if r.flag() {
		u.Username = r.name()
	}
	if u.HasStatus = r.flag(); u.HasStatus {
		u.Status = UserStatus(r.u8())
		if u.Status != UserActive && u.Status != UserInactive {
			r.bad = true
		}
	}
	return u, r.noOptions()
}

// AppendUpdateUser appends the encoding of u, without options.
func AppendUpdateUser(dst []byte, u UpdateUser) []byte {
	dst = AppendIdent(dst, u.User)
	dst = appendFlag(dst, u.Username != nil)
	if u.Username != nil {
		dst = appendName(dst, u.Username)
	}
	dst = appendFlag(dst, u.HasStatus)
	if u.HasStatus {
		dst = append(dst, byte(u.Status))
	}
	return dst
}

// DecodeUserRef reads the body of CodeGetUser and OpDeleteUser: one identifier.
func DecodeUserRef(body []byte) (Ident, Status) {
	id, _, status := DecodeIdent(body)
	return id, status
}

// UpdatePermissions is the body of OpUpdatePermissions.
//
//	| user ident | has_permissions bool | length u32 + permissions, if set |
type UpdatePermissions struct {
	User        Ident
	Permissions []byte // a sound permissions block; nil clears the permissions
}

// DecodeUpdatePermissions reads a body.
func DecodeUpdatePermissions(body []byte) (UpdatePermissions, Status) {
	r := bodyReader{src: body}
	u := UpdatePermissions{User: r.ident(), Permissions: r.optionalPermissions()}
	return u, r.status()
}

// AppendUpdatePermissions appends the encoding of u.
func AppendUpdatePermissions(dst []byte, u UpdatePermissions) []byte {
	return appendOptionalPermissions(AppendIdent(dst, u.User), u.Permissions)
}

// ChangePassword is the body of OpChangePassword.
//
//	| user ident | current str8 | new str8 |
type ChangePassword struct {
	User         Ident
	Current, New []byte
}

// DecodeChangePassword reads a body.
func DecodeChangePassword(body []byte) (ChangePassword, Status) {
	r := bodyReader{src: body}
	c := ChangePassword{User: r.ident(), Current: r.str8(), New: r.str8()}
	return c, r.status()
}

// AppendChangePassword appends the encoding of c.
func AppendChangePassword(dst []byte, c ChangePassword) []byte {
	return appendStr8(appendStr8(AppendIdent(dst, c.User), c.Current), c.New)
}

// User is one user in an answer. Source: protocol.md, 8.7.
//
//	| id u32 | created_at u64 | status u8 | username name | options opts32 |
type User struct {
	ID        uint32
	CreatedAt uint64 // µs
	Status    UserStatus
	Username  []byte
	Options   []byte // an options block, empty
}

// AppendUser appends the encoding of u. CodeGetUsers is answered with users back to back.
func AppendUser(dst []byte, u User) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, u.ID)
	dst = binary.LittleEndian.AppendUint64(dst, u.CreatedAt)
	dst = append(dst, byte(u.Status))
	dst = appendName(dst, u.Username)
	return appendBlob32(dst, u.Options)
}

func (r *bodyReader) user() User {
	return User{
		ID:        r.u32(),
		CreatedAt: r.u64(),
		Status:    UserStatus(r.u8()),
		Username:  r.name(),
		Options:   r.blob32(),
	}
}

// DecodeUsers reads users that fill payload; ErrMalformed when they do not.
func DecodeUsers(payload []byte) ([]User, error) {
	r := bodyReader{src: payload}
	var list []User
	for len(r.src) > 0 && !r.bad {
		list = append(list, r.user())
	}
	return list, r.err()
}

// UserDetails is a user with its permissions; it answers CodeGetUser and OpCreateUser. Source: protocol.md, 8.8.
//
//	| user | 1 u8 | length u32 | permissions |
//	| user | 0 u32 |
type UserDetails struct {
	User
	Permissions []byte // a permissions block; nil without one
}

// AppendUserDetails appends the encoding of d.
func AppendUserDetails(dst []byte, d UserDetails) []byte {
	dst = AppendUser(dst, d.User)
	if d.Permissions == nil {
		return append(dst, 0, 0, 0, 0)
	}
	return appendOptionalPermissions(dst, d.Permissions)
}

// DecodeUserDetails reads a payload that is not empty, which would mean that the user was not found; ErrMalformed when it
// is not one user with or without permissions, exactly.
func DecodeUserDetails(payload []byte) (UserDetails, error) {
	r := bodyReader{src: payload}
	d := UserDetails{User: r.user()}
	if len(r.src) == 4 {
		if r.u32() != 0 {
			r.bad = true
		}
		return d, r.err()
	}
	d.Permissions = r.optionalPermissions()
	if d.Permissions == nil {
		r.bad = true
	}
	return d, r.errAtEnd()
}

// optionalPermissions reads a flag and, where it is set, a sound permissions block.
func (r *bodyReader) optionalPermissions() []byte {
	if !r.flag() {
		return nil
	}
	block := r.blob32()
	if !CheckPermissions(block) {
		r.bad = true
		return nil
	}
	return block
}

func appendOptionalPermissions(dst, block []byte) []byte {
	dst = appendFlag(dst, block != nil)
	if block == nil {
		return dst
	}
	return appendBlob32(dst, block)
}
