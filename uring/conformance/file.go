package conformance

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"galgo/uring"
)

// fileTests are about file operations in the ring and about Files.
var fileTests = map[string]func(*fixture){
	"open_errors":                  openErrors,
	"read_and_write":               readAndWrite,
	"read_is_short_at_the_end":     readShort,
	"vectors":                      vectors,
	"most_vectors":                 mostVectors,
	"direct_io":                    directIO,
	"bad_descriptor":               badDescriptor,
	"sync":                         syncFile,
	"fallocate":                    fallocate,
	"ftruncate":                    ftruncate,
	"statx":                        statx,
	"rename":                       rename,
	"rename_between_directories":   renameBetween,
	"write_is_short_at_the_limit":  writeShort,
	"position_of_the_descriptor":   positionCurrent,
	"append":                       appendOnly,
	"holes_and_zeros":              holes,
	"statx_of_a_descriptor":        statxDescriptor,
	"unlink_and_mkdir":             unlinkAndMkdir,
	"relative_to_a_directory":      relative,
	"files_read_and_write":         filesReadWrite,
	"files_directories":            filesDirectories,
	"files_lock":                   filesLock,
	"files_space":                  filesSpace,
	"files_next_data":              filesNextData,
	"files_errors_name_their_path": filesErrors,
}

func openErrors(f *fixture) {
	missing := f.path(f.temp() + "/missing")
	f.wantErrno(f.do(func(t uring.Token) uring.Entry {
		return uring.Openat(uring.AtCWD, missing, uring.O_RDONLY, 0, t)
	}), syscall.ENOENT)
	fd, path := f.file("there", "")
	there := f.path(path)
	f.wantErrno(f.do(func(t uring.Token) uring.Entry {
		return uring.Openat(uring.AtCWD, there, uring.O_RDWR|uring.O_CREAT|uring.O_EXCL, 0o644, t)
	}), syscall.EEXIST)
	f.closeFD(fd)
}

func readAndWrite(f *fixture) {
	fd, path := f.file("data", "0123456789")
	a, n := f.bytes("xyz")
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Write(fd, a, n, 4, 0, t) }), 3)
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Write(fd, a, n, 20, uring.RWF_DSYNC, t) }), 3)
	f.closeFD(fd)
	fd = f.open(path, uring.O_RDONLY)
	into, b := f.buffer(23)
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Read(fd, into, 23, 0, 0, t) }), 23)
	f.wantBytes(b, "0123xyz789\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00xyz")
	f.wantErrno(f.do(func(t uring.Token) uring.Entry { return uring.Write(fd, a, n, 0, 0, t) }), syscall.EBADF)
	f.closeFD(fd)
}

func readShort(f *fixture) {
	fd, _ := f.file("short", "0123456789")
	into, b := f.buffer(100)
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Read(fd, into, 100, 4, 0, t) }), 6)
	f.wantBytes(b[:6], "456789")
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Read(fd, into, 100, 10, 0, t) }), 0)
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Read(fd, into, 100, 1000, 0, t) }), 0)
	f.closeFD(fd)
}

func vectors(f *fixture) {
	fd, _ := f.file("vectors", "")
	one, n1 := f.bytes("one ")
	two, n2 := f.bytes("two ")
	three, n3 := f.bytes("three")
	off := f.take(3 * 16)
	iov := f.slab.Iovecs(off, 3)
	iov[0], iov[1], iov[2] = uring.Iovec{Base: one, Len: uint64(n1)}, uring.Iovec{Base: two, Len: uint64(n2)}, uring.Iovec{Base: three, Len: uint64(n3)}
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Writev(fd, f.slab.Addr(off), 3, 2, 0, t) }), 13)
	a, left := f.buffer(6)
	b, right := f.buffer(100)
	iov[0], iov[1] = uring.Iovec{Base: a, Len: 6}, uring.Iovec{Base: b, Len: 100}
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Readv(fd, f.slab.Addr(off), 2, 0, 0, t) }), 15)
	f.wantBytes(left, "\x00\x00one ")
	f.wantBytes(right[:9], "two three")
	f.closeFD(fd)
}

func mostVectors(f *fixture) {
	fd, _ := f.file("vectors", "")
	text := pattern(uring.IovMax * 8)
	a, _ := f.bytes(text)
	off := f.take(uring.IovMax * 16)
	for i := range f.slab.Iovecs(off, uring.IovMax) {
		f.slab.Iovecs(off, uring.IovMax)[i] = uring.Iovec{Base: a + uring.Addr(i*8), Len: 8}
	}
	f.want(f.do(func(t uring.Token) uring.Entry {
		return uring.Writev(fd, f.slab.Addr(off), uring.IovMax, 0, 0, t)
	}), int32(len(text)))
	into, b := f.buffer(len(text))
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Read(fd, into, uint32(len(text)), 0, 0, t) }), int32(len(text)))
	f.wantBytes(b, text)
	f.closeFD(fd)
}

func directIO(f *fixture) {
	name := f.path(filepath.Join(f.temp(), "direct"))
	opened := f.do(func(t uring.Token) uring.Entry {
		return uring.Openat(uring.AtCWD, name, uring.O_RDWR|uring.O_CREAT|uring.O_DIRECT|uring.O_CLOEXEC, 0o644, t)
	})
	if opened.Errno() == syscall.EINVAL {
		f.Skip("the file system has no direct I/O")
	}
	fd := opened.Res
	text := pattern(64 << 10)
	a, n := f.bytes(text)
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Fallocate(fd, 0, 0, 1<<20, t) }), 0)
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Write(fd, a, n, 8192, uring.RWF_DSYNC, t) }), int32(n))
	into, b := f.buffer(int(n))
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Read(fd, into, n, 8192, 0, t) }), int32(n))
	f.wantBytes(b, text)
	c := f.do(func(t uring.Token) uring.Entry { return uring.Write(fd, a+1, n, 8192, 0, t) })
	if c.Res != int32(n) { // an address that is not aligned: some file systems go through the page cache then
		f.wantErrno(c, syscall.EINVAL)
	}
	f.closeFD(fd)
}

func badDescriptor(f *fixture) {
	fd, _ := f.file("closed", "x")
	f.closeFD(fd)
	into, _ := f.buffer(10)
	f.wantErrno(f.do(func(t uring.Token) uring.Entry { return uring.Read(fd, into, 10, 0, 0, t) }), syscall.EBADF)
	f.wantErrno(f.do(func(t uring.Token) uring.Entry { return uring.Close(fd, t) }), syscall.EBADF)
}

func syncFile(f *fixture) {
	fd, _ := f.file("synced", "bytes")
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Fsync(fd, false, t) }), 0)
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Fsync(fd, true, t) }), 0)
	f.closeFD(fd)
}

func (f *fixture) statx(path string, flags uint32) (*uring.StatxResult, uring.Completion) {
	f.Helper()
	name, off := f.path(path), f.take(256)
	c := f.do(func(t uring.Token) uring.Entry {
		return uring.Statx(uring.AtCWD, name, flags, uring.STATX_BASIC_STATS, f.slab.Addr(off), t)
	})
	return f.slab.StatxResult(off), c
}

func (f *fixture) wantSize(path string, want uint64) {
	f.Helper()
	result, c := f.statx(path, 0)
	f.want(c, 0)
	if result.Size != want {
		f.Fatalf("got size %d, want %d", result.Size, want)
	}
}

func fallocate(f *fixture) {
	fd, path := f.file("allocated", "abc")
	f.want(f.do(func(t uring.Token) uring.Entry {
		return uring.Fallocate(fd, uring.FALLOC_FL_KEEP_SIZE, 0, 1<<20, t)
	}), 0)
	f.wantSize(path, 3)
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Fallocate(fd, 0, 4096, 8192, t) }), 0)
	f.wantSize(path, 12288)
	result, _ := f.statx(path, 0)
	if got := result.Blocks * 512; got < 12288 {
		f.Fatalf("got %d bytes of blocks, want at least 12288", got)
	}
	into, b := f.buffer(12288)
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Read(fd, into, 12288, 0, 0, t) }), 12288)
	f.wantBytes(b, "abc"+strings.Repeat("\x00", 12285))
	f.closeFD(fd)
}

func ftruncate(f *fixture) {
	if !f.host.Supports(uring.OpFtruncate) {
		f.Skip("the host has no ftruncate operation")
	}
	fd, path := f.file("truncated", "0123456789")
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Ftruncate(fd, 4, t) }), 0)
	f.wantSize(path, 4)
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Ftruncate(fd, 6, t) }), 0)
	into, b := f.buffer(10)
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Read(fd, into, 10, 0, 0, t) }), 6)
	f.wantBytes(b[:6], "0123\x00\x00")
	f.closeFD(fd)
}

func statx(f *fixture) {
	fd, path := f.file("stat", "0123456789")
	f.closeFD(fd)
	result, c := f.statx(path, 0)
	f.want(c, 0)
	if result.Size != 10 || result.Mode&syscall.S_IFMT != syscall.S_IFREG || result.Links != 1 {
		f.Fatalf("got size %d, mode %o, links %d, want 10, a regular file, 1", result.Size, result.Mode, result.Links)
	}
	result, c = f.statx(f.temp(), 0)
	f.want(c, 0)
	if result.Mode&syscall.S_IFMT != syscall.S_IFDIR {
		f.Fatalf("got mode %o, want a directory", result.Mode)
	}
	_, c = f.statx(f.temp()+"/missing", 0)
	f.wantErrno(c, syscall.ENOENT)
}

func rename(f *fixture) {
	fd, from := f.file("from", "text")
	f.closeFD(fd)
	to := f.temp() + "/to"
	a, b := f.path(from), f.path(to)
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Renameat(uring.AtCWD, a, uring.AtCWD, b, 0, t) }), 0)
	f.wantSize(to, 4)
	f.wantErrno(f.do(func(t uring.Token) uring.Entry {
		return uring.Renameat(uring.AtCWD, a, uring.AtCWD, b, 0, t)
	}), syscall.ENOENT)
	fd, _ = f.file("from", "longer text")
	f.closeFD(fd)
	f.wantErrno(f.do(func(t uring.Token) uring.Entry {
		return uring.Renameat(uring.AtCWD, a, uring.AtCWD, b, uring.RENAME_NOREPLACE, t)
	}), syscall.EEXIST)
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Renameat(uring.AtCWD, a, uring.AtCWD, b, 0, t) }), 0)
	f.wantSize(to, 11)
}

// renameBetween moves a file into another directory and back over a new one, by directories' descriptors; who has it open keeps it.
func renameBetween(f *fixture) {
	for _, dir := range []string{"a", "b"} {
		path := f.path(f.temp() + "/" + dir)
		f.want(f.do(func(t uring.Token) uring.Entry { return uring.Mkdirat(uring.AtCWD, path, 0o755, t) }), 0)
	}
	fd, _ := f.file("a/one", "moved")
	a, b := f.open(f.temp()+"/a", uring.O_RDONLY|uring.O_DIRECTORY), f.open(f.temp()+"/b", uring.O_RDONLY|uring.O_DIRECTORY)
	one, two := f.path("one"), f.path("two")
	move := func(t uring.Token) uring.Entry {
		return uring.Renameat(a, one, b, two, uring.RENAME_NOREPLACE, t).Link()
	}
	first := f.push(move)
	second := f.push(func(t uring.Token) uring.Entry { return uring.Fsync(b, false, t).Link() })
	third := f.push(func(t uring.Token) uring.Entry { return uring.Fsync(a, false, t) })
	for _, t := range []uring.Token{first, second, third} {
		f.want(f.wait(t), 0)
	}
	f.wantSize(f.temp()+"/b/two", 5)
	_, c := f.statx(f.temp()+"/a/one", 0)
	f.wantErrno(c, syscall.ENOENT)
	into, bytes := f.buffer(5)
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Read(fd, into, 5, 0, 0, t) }), 5)
	f.wantBytes(bytes, "moved")

	other, _ := f.file("a/one", "replaced")
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Renameat(b, two, a, one, 0, t) }), 0)
	f.wantSize(f.temp()+"/a/one", 5)
	into, bytes = f.buffer(8)
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Read(other, into, 8, 0, 0, t) }), 8)
	f.wantBytes(bytes, "replaced")
	f.wantErrno(f.do(func(t uring.Token) uring.Entry { return uring.Renameat(b, two, a, one, 0, t) }), syscall.ENOENT)
	names, err := f.host.Files().List(f.temp() + "/b")
	f.check(err)
	if len(names) != 0 {
		f.Fatalf("got %q, want nothing left behind", names)
	}
	f.closeAll(fd, other, a, b)
}

// writeShort: a write that the limit of a file's size cuts off is short and breaks its chain; the next one fails.
func writeShort(f *fixture) {
	const limit = 1<<20 + 100
	fd, path := f.file("limited", "")
	text := pattern(8192)
	a, n := f.bytes(text)
	iov := f.take(2 * 16)
	f.slab.Iovecs(iov, 2)[0], f.slab.Iovecs(iov, 2)[1] = uring.Iovec{Base: a, Len: 4096}, uring.Iovec{Base: a + 4096, Len: 4096}
	f.limitFileSize(limit)
	for _, make := range []func(uring.Token) uring.Entry{
		func(t uring.Token) uring.Entry { return uring.Write(fd, a, n, limit-5000, 0, t).Link() },
		func(t uring.Token) uring.Entry { return uring.Writev(fd, f.slab.Addr(iov), 2, limit-5000, 0, t).Link() },
	} {
		write := f.push(make)
		next := f.push(uring.Nop)
		f.want(f.wait(write), 5000)
		f.wantErrno(f.wait(next), syscall.ECANCELED)
		f.wantSize(path, limit)
	}
	f.wantErrno(f.do(func(t uring.Token) uring.Entry { return uring.Write(fd, a, n, limit, 0, t) }), syscall.EFBIG)
	into, b := f.buffer(5000)
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Read(fd, into, 5000, limit-5000, 0, t) }), 5000)
	f.wantBytes(b, text[:5000])
	f.closeFD(fd)
}

func positionCurrent(f *fixture) {
	fd, _ := f.file("positions", "0123456789")
	into, b := f.buffer(4)
	for _, want := range []string{"0123", "4567"} {
		f.want(f.do(func(t uring.Token) uring.Entry { return uring.Read(fd, into, 4, uring.PositionCurrent, 0, t) }), 4)
		f.wantBytes(b, want)
	}
	a, n := f.bytes("AB")
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Write(fd, a, n, uring.PositionCurrent, 0, t) }), 2)
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Read(fd, into, 4, uring.PositionCurrent, 0, t) }), 0)
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Read(fd, into, 4, 6, 0, t) }), 4)
	f.wantBytes(b, "67AB")
	f.closeFD(fd)
}

func appendOnly(f *fixture) {
	fd, path := f.file("appended", "begin ")
	f.closeFD(fd)
	fd = f.open(path, uring.O_RDWR|uring.O_APPEND)
	for _, text := range []string{"more ", "end"} {
		a, n := f.bytes(text)
		f.want(f.do(func(t uring.Token) uring.Entry { return uring.Write(fd, a, n, 0, 0, t) }), int32(n))
	}
	into, b := f.buffer(14)
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Read(fd, into, 14, 0, 0, t) }), 14)
	f.wantBytes(b, "begin more end")
	f.closeFD(fd)
}

func holes(f *fixture) {
	text := pattern(16384)
	fd, path := f.file("holes", text)
	const keep = uring.FALLOC_FL_KEEP_SIZE
	allocate := func(mode uint32, position, size uint64) uring.Completion {
		return f.do(func(t uring.Token) uring.Entry { return uring.Fallocate(fd, mode, position, size, t) })
	}
	c := allocate(uring.FALLOC_FL_PUNCH_HOLE|keep, 4000, 200)
	if c.Errno() == syscall.EOPNOTSUPP {
		f.Skip("the file system has no holes")
	}
	f.want(c, 0)
	into, b := f.buffer(16384)
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Read(fd, into, 16384, 0, 0, t) }), 16384)
	f.wantBytes(b, text[:4000]+strings.Repeat("\x00", 200)+text[4200:])
	if c = allocate(uring.FALLOC_FL_ZERO_RANGE, 16000, 1000); c.Errno() != syscall.EOPNOTSUPP {
		f.want(c, 0)
		f.wantSize(path, 17000)
		f.want(f.do(func(t uring.Token) uring.Entry { return uring.Read(fd, into, 16384, 15000, 0, t) }), 2000)
		f.wantBytes(b[:2000], text[15000:16000]+strings.Repeat("\x00", 1000))
	}
	f.wantErrno(allocate(0, 0, 0), syscall.EINVAL)
	f.closeFD(fd)
}

func statxDescriptor(f *fixture) {
	fd, path := f.file("stat", "0123456789")
	unlinked := f.path(path)
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Unlinkat(uring.AtCWD, unlinked, 0, t) }), 0)
	empty, off := f.path(""), f.take(256)
	f.want(f.do(func(t uring.Token) uring.Entry {
		return uring.Statx(fd, empty, uring.AT_EMPTY_PATH, uring.STATX_BASIC_STATS, f.slab.Addr(off), t)
	}), 0)
	if r := f.slab.StatxResult(off); r.Size != 10 || r.Links != 0 {
		f.Fatalf("got size %d, links %d, want 10 and 0", r.Size, r.Links)
	}
	f.closeFD(fd)
}

func unlinkAndMkdir(f *fixture) {
	dir := f.path(f.temp() + "/dir")
	mkdir := func(t uring.Token) uring.Entry { return uring.Mkdirat(uring.AtCWD, dir, 0o755, t) }
	f.want(f.do(mkdir), 0)
	f.wantErrno(f.do(mkdir), syscall.EEXIST)
	fd, path := f.file("dir/file", "x")
	file := f.path(path)
	remove := func(t uring.Token) uring.Entry {
		return uring.Unlinkat(uring.AtCWD, dir, uring.AT_REMOVEDIR, t)
	}
	f.wantErrno(f.do(remove), syscall.ENOTEMPTY)
	unlink := func(t uring.Token) uring.Entry { return uring.Unlinkat(uring.AtCWD, file, 0, t) }
	f.want(f.do(unlink), 0)
	f.wantErrno(f.do(unlink), syscall.ENOENT)
	into, b := f.buffer(1)
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Read(fd, into, 1, 0, 0, t) }), 1) // open files outlive their name
	f.wantBytes(b, "x")
	f.closeFD(fd)
	f.want(f.do(remove), 0)
}

func relative(f *fixture) {
	dir := f.open(f.temp(), uring.O_RDONLY|uring.O_DIRECTORY)
	name := f.path("name")
	fd := f.ok(func(t uring.Token) uring.Entry {
		return uring.Openat(dir, name, uring.O_RDWR|uring.O_CREAT|uring.O_CLOEXEC, 0o644, t)
	})
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Fsync(dir, false, t) }), 0)
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Unlinkat(dir, name, 0, t) }), 0)
	f.closeFD(fd)
	f.closeFD(dir)
}

func filesReadWrite(f *fixture) {
	files, path := f.host.Files(), f.temp()+"/file"
	fd, err := files.Open(path, uring.O_RDWR|uring.O_CREAT|uring.O_EXCL, 0o644)
	f.check(err)
	text := pattern(1 << 20)
	n, err := files.WriteAt(fd, []byte(text), 100)
	if n != len(text) || err != nil {
		f.Fatalf("got %d, %v, want %d, nil", n, err, len(text))
	}
	f.check(files.Sync(fd))
	b := make([]byte, len(text)+50)
	n, err = files.ReadAt(fd, b, 100)
	if n != len(text) || err != nil {
		f.Fatalf("got %d, %v, want %d, nil", n, err, len(text))
	}
	f.wantBytes(b[:n], text)
	n, err = files.ReadAt(fd, b, 1<<30)
	if n != 0 || err != nil {
		f.Fatalf("got %d, %v beyond the end, want 0, nil", n, err)
	}
	f.check(files.Truncate(fd, 104))
	size, err := files.Size(fd)
	f.check(err)
	if size != 104 {
		f.Fatalf("got size %d, want 104", size)
	}
	f.check(files.Allocate(fd, 0, 8192))
	size, err = files.Size(fd)
	f.check(err)
	if size != 8192 {
		f.Fatalf("got size %d, want 8192", size)
	}
	f.check(files.Close(fd))
	if _, err = files.Size(fd); !errors.Is(err, syscall.EBADF) {
		f.Fatalf("got %v, want EBADF", err)
	}
}

func filesDirectories(f *fixture) {
	files, dir := f.host.Files(), f.temp()
	f.check(files.MakeDir(dir+"/b", 0o755))
	f.check(files.MakeDir(dir+"/b", 0o755))
	fd, path := f.file("c", "x")
	f.closeFD(fd)
	if err := files.MakeDir(path, 0o755); !errors.Is(err, syscall.EEXIST) {
		f.Fatalf("got %v, want EEXIST", err)
	}
	f.check(files.Rename(path, dir+"/a"))
	fd, path = f.file("c", "y")
	f.closeFD(fd)
	if err := files.RenameNew(path, dir+"/a"); !errors.Is(err, syscall.EEXIST) {
		f.Fatalf("got %v, want EEXIST", err)
	}
	f.check(files.Remove(dir + "/a"))
	f.check(files.RenameNew(path, dir+"/a"))
	f.check(files.SyncDir(dir))
	names, err := files.List(dir)
	f.check(err)
	if want := []string{"a", "b"}; !slices.Equal(names, want) {
		f.Fatalf("got %q, want %q", names, want)
	}
	for name, want := range map[string]bool{"a": true, "b": true, "c": false, "a/x": false} {
		got, err := files.Exists(dir + "/" + name)
		f.check(err)
		if got != want {
			f.Fatalf("got exists(%s) = %v, want %v", name, got, want)
		}
	}
	f.check(files.Remove(dir + "/a"))
	f.check(files.Remove(dir + "/b"))
	names, err = files.List(dir)
	f.check(err)
	if len(names) != 0 {
		f.Fatalf("got %q, want none", names)
	}
}

func filesLock(f *fixture) {
	files, path := f.host.Files(), f.temp()+"/lock"
	first, err := files.Open(path, uring.O_RDWR|uring.O_CREAT, 0o644)
	f.check(err)
	second, err := files.Open(path, uring.O_RDWR, 0)
	f.check(err)
	f.check(files.Lock(first))
	if err := files.Lock(second); !errors.Is(err, uring.ErrLocked) {
		f.Fatalf("got %v, want %v", err, uring.ErrLocked)
	}
	f.check(files.Close(first))
	f.check(files.Lock(second))
	f.check(files.Close(second))
}

func filesSpace(f *fixture) {
	total, free, err := f.host.Files().StatFS(f.temp())
	f.check(err)
	if total == 0 || free > total {
		f.Fatalf("got total %d, free %d, want 0 < total and free <= total", total, free)
	}
}

func filesErrors(f *fixture) {
	files, missing := f.host.Files(), f.temp()+"/missing"
	_, openErr := files.Open(missing, uring.O_RDONLY, 0)
	_, listErr := files.List(missing)
	_, _, statErr := files.StatFS(missing)
	for name, err := range map[string]error{
		"open": openErr, "list": listErr, "statfs": statErr, "remove": files.Remove(missing),
		"rename": files.Rename(missing, missing+"2"), "renameat2": files.RenameNew(missing, missing+"2"), "syncdir": files.SyncDir(missing), "mkdir": files.MakeDir(missing+"/x", 0o755),
	} {
		if !errors.Is(err, syscall.ENOENT) || !strings.Contains(err.Error(), missing) {
			f.Errorf("%s: got %v, want ENOENT with the path", name, err)
		}
	}
}

// Where nothing was written only zeros are, and what was written is not passed over.
func filesNextData(f *fixture) {
	files := f.host.Files()
	fd, err := files.Open(f.temp()+"/data", uring.O_RDWR|uring.O_CREAT, 0o600)
	f.check(err)
	const written = 1<<20 + 100
	f.check(files.Allocate(fd, 0, 4<<20))
	_, err = files.WriteAt(fd, []byte("written"), written)
	f.check(err)
	for _, test := range []struct{ position, least, most uint64 }{
		{0, 0, written}, {written - 1, written - 1, written}, {written, written, written}, {written + 6, written + 6, written + 6},
		{2 << 20, 2 << 20, 4 << 20}, {4 << 20, 4 << 20, 4 << 20}, {5 << 20, 4 << 20, 4 << 20},
	} {
		from, to, err := files.NextData(fd, test.position)
		f.check(err)
		if from < test.least || from > test.most || to < from || to > 4<<20 || from <= written && to < written+7 {
			f.Errorf("next data from %d: got [%d,%d), want it to begin in [%d,%d]", test.position, from, to, test.least, test.most)
		}
	}
	f.check(files.Close(fd))
}
