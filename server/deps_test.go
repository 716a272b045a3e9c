package server_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "galgo"
	root   = ".." // the module's directory
)

// A room is a package, with those below it in the tree, and what it may import of ours. Imports go down only, and may
// skip a floor. What a room does not name it must not import. The longest name that fits is a package's room.
type room struct {
	name    string
	imports []string // rooms; its own packages are always among them
	never   []string // of the standard library
}

// rooms lists all of them, the lowest first.
var rooms = []room{
	{"ecs", nil, []string{"os", "net", "time"}},
	{"wire", nil, []string{"os", "net", "time"}}, // a pure codec: bytes in and values out
	{"wire/client", []string{"wire"}, nil},
	{"uring", nil, nil},
	{"components", []string{"ecs", "wire"}, []string{"os", "net"}},
	{"systems/state", []string{"components", "ecs", "wire"}, []string{"os", "net", "time"}}, // no I/O, and a tick reads no clock
	{"systems/storage", []string{"uring", "components", "ecs", "wire"}, []string{"os", "net", "time"}},
	{"systems", []string{"systems/state", "systems/storage", "uring", "components", "ecs", "wire"}, []string{"os", "net", "time"}},
	{"systems/engine", []string{"systems", "systems/state", "systems/storage", "uring", "components", "ecs", "wire"}, []string{"os", "net", "time"}},
	{"systems/simtest", []string{"systems/engine", "systems", "systems/state", "systems/storage", "uring", "components", "ecs", "wire"}, nil},
	{"server", []string{"systems/engine", "systems", "systems/state", "systems/storage", "uring", "components", "ecs", "wire", "wire/client"}, nil},
	{"cmd", []string{"server", "systems", "systems/state", "systems/storage", "uring", "components", "ecs", "wire", "wire/client"}, nil},
}

// operating are the rooms that make system calls themselves. Everybody else knows syscall for its error numbers only.
var operating = []string{"uring", "server/placement", "server/logging", "cmd"}

// ringFlags are what storage systems put into entries: constants of socket operations, not calls.
var ringFlags = map[string][]string{"systems/storage": {"SOCK_CLOEXEC", "SOCK_NONBLOCK", "IPPROTO_TCP", "TCP_QUICKACK"}}

// source is what a file imports and names.
type source struct {
	name    string // path in the module
	test    bool
	doc     bool // it has the comment of its package
	imports []string
	calls   []string // what it takes from syscall beside error numbers
}

// sources reads all Go files of the module but those below testdata.
func sources(t *testing.T) (list []source) {
	t.Helper()
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != root && (entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".")):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			if os.IsNotExist(err) {
				return nil
			}
			return err
		}
		relative, _ := filepath.Rel(root, name)
		list = append(list, source{name: filepath.ToSlash(relative), test: strings.HasSuffix(name, "_test.go"), doc: file.Doc != nil,
			imports: imports(file), calls: calls(file)})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func imports(file *ast.File) (paths []string) {
	for _, spec := range file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value) // it was parsed
		paths = append(paths, imported)
	}
	return paths
}

// calls lists what a file takes from syscall beside Errno and its values.
func calls(file *ast.File) (names []string) {
	ast.Inspect(file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if from, ok := selector.X.(*ast.Ident); !ok || from.Name != "syscall" || from.Obj != nil {
			return true
		}
		name := selector.Sel.Name
		if name != "Errno" && !(strings.HasPrefix(name, "E") && strings.ToUpper(name) == name) {
			names = append(names, name)
		}
		return true
	})
	return names
}

// roomOf is the room that a package, named by its path in the module, belongs to.
func roomOf(name string) (found room, ok bool) {
	for _, r := range rooms {
		if (name == r.name || strings.HasPrefix(name, r.name+"/")) && len(r.name) >= len(found.name) {
			found, ok = r, true
		}
	}
	return found, ok
}

func TestImportsGoDownOnly(t *testing.T) {
	for _, s := range sources(t) {
		own, ok := roomOf(path.Dir(s.name))
		if !ok {
			t.Errorf("%s: got a package without a room, want one of the table in deps_test.go", s.name)
			continue
		}
		for _, imported := range s.imports {
			if slices.Contains(own.never, imported) && !s.test {
				t.Errorf("%s: got import of %s, want none in %s", s.name, imported, own.name)
			}
			ours, ok := strings.CutPrefix(imported, module+"/")
			if !ok {
				continue
			}
			if target, _ := roomOf(ours); target.name != own.name && !slices.Contains(own.imports, target.name) {
				t.Errorf("%s: got import of %s, want only %s below %s", s.name, imported, strings.Join(own.imports, ", "), own.name)
			}
		}
	}
}

func TestWhoCallsTheSystem(t *testing.T) {
	for _, s := range sources(t) {
		below := func(room string) bool { return strings.HasPrefix(s.name, room+"/") }
		if s.test || slices.ContainsFunc(operating, below) {
			continue
		}
		if slices.Contains(s.imports, "golang.org/x/sys/unix") {
			t.Errorf("%s: got import of golang.org/x/sys/unix, want it in %s only", s.name, strings.Join(operating, ", "))
		}
		for _, name := range s.calls {
			if !slices.Contains(ringFlags[path.Dir(s.name)], name) {
				t.Errorf("%s: got syscall.%s, want error numbers only", s.name, name)
			}
		}
	}
}

// Whoever comes to a package begins with its doc.go, and finds what it is there and nowhere else.
func TestPackagesHaveDocs(t *testing.T) {
	documented := map[string]bool{} // by package
	for _, s := range sources(t) {
		isDoc := path.Base(s.name) == "doc.go"
		if s.doc && !isDoc && !s.test {
			t.Errorf("%s: got a comment of the package, want it in doc.go", s.name)
		}
		documented[path.Dir(s.name)] = documented[path.Dir(s.name)] || s.doc && isDoc
	}
	for name, ok := range documented {
		if !ok {
			t.Errorf("package %s: got no doc.go that says what it is, want one", name)
		}
	}
}

// Each room must be there, and each rule must be able to bite.
func TestRoomsExist(t *testing.T) {
	for _, r := range rooms {
		if info, err := os.Stat(filepath.Join(root, r.name)); err != nil || !info.IsDir() {
			t.Errorf("room %s: got %v, want a directory", r.name, err)
		}
		for _, below := range r.imports {
			at := func(name string) int { return slices.IndexFunc(rooms, func(r room) bool { return r.name == name }) }
			if at(below) < 0 || at(below) >= at(r.name) {
				t.Errorf("room %s: got %s below it, want one that the table lists before", r.name, below)
			}
		}
	}
}
