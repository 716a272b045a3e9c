package systems

import (
	"bytes"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// checker type-checks programs against the packages as they are built.
type checker struct {
	t       *testing.T
	files   *token.FileSet
	imports types.Importer
}

// newChecker builds this package with what it imports, and reads the export data of it all.
func newChecker(t *testing.T) *checker {
	t.Helper()
	var stderr bytes.Buffer
	list := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}", "galgo/systems")
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: got %v, want the packages built: %s", err, &stderr)
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		exports[name] = file
	}
	files := token.NewFileSet()
	return &checker{t: t, files: files, imports: importer.ForCompiler(files, "gc", func(name string) (io.ReadCloser, error) { return os.Open(exports[name]) })}
}

// check returns what a compiler says of a package, by position.
func (c *checker) check(name string, files ...*ast.File) (*types.Package, []types.Error) {
	var found []types.Error
	config := types.Config{Importer: c.imports, Error: func(err error) {
		var failed types.Error
		if errors.As(err, &failed) {
			found = append(found, failed)
		}
	}}
	pkg, _ := config.Check(name, c.files, files, nil) // its error is the first of those found
	return pkg, found
}

func (c *checker) parse(name string) *ast.File {
	c.t.Helper()
	file, err := parser.ParseFile(c.files, name, nil, parser.ParseComments)
	if err != nil {
		c.t.Fatal(err)
	}
	return file
}

// wanted is what the comments `want "..."` of a program say, by line.
func (c *checker) wanted(file *ast.File) map[int]string {
	c.t.Helper()
	want := map[int]string{}
	for _, group := range file.Comments {
		for _, comment := range group.List {
			if quoted, ok := strings.CutPrefix(comment.Text, "// want "); ok {
				text, err := strconv.Unquote(quoted)
				if err != nil {
					c.t.Fatalf("%s: got %s, want a quoted text", c.files.Position(comment.Pos()), quoted)
				}
				want[c.files.Position(comment.Pos()).Line] = text
			}
		}
	}
	return want
}

// In-memory changes and I/O are kept apart by types. Programs that try to get around that must not compile, each for the reason it names.
func TestCheatingDoesNotCompile(t *testing.T) {
	c := newChecker(t)
	programs, err := filepath.Glob("../testdata/compile/*.go")
	if err != nil || len(programs) == 0 {
		t.Fatalf("programs: got %d, %v, want some", len(programs), err)
	}
	for _, name := range programs {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".go"), func(t *testing.T) {
			c.t = t
			file := c.parse(name)
			want := c.wanted(file)
			if len(want) == 0 && filepath.Base(name) != "honest.go" {
				t.Fatal("got a program that names no error, want one at least")
			}
			_, found := c.check("cheat", file)
			for _, e := range found {
				line := c.files.Position(e.Pos).Line
				if text, ok := want[line]; !ok || !strings.Contains(e.Msg, text) {
					t.Errorf("line %d: got %q, want %q", line, e.Msg, text)
				}
				delete(want, line)
			}
			for line, text := range want {
				t.Errorf("line %d: got no error, want %q", line, text)
			}
		})
	}
}

// A view returns values: whoever got a slice, a map or a pointer of State could change State through it.
func TestViewsReturnValues(t *testing.T) {
	c := newChecker(t)
	pkg, err := c.imports.Import("galgo/components")
	if err != nil {
		t.Fatal(err)
	}
	views := []string{"StateView", "CatalogView"}
	for _, name := range views {
		methods := types.NewMethodSet(pkg.Scope().Lookup(name).Type())
		if methods.Len() == 0 {
			t.Fatalf("methods of %s: got none, want some", name)
		}
		for i := range methods.Len() {
			method := methods.At(i).Obj()
			results := method.Type().(*types.Signature).Results()
			for j := range results.Len() {
				typ := results.At(j).Type()
				if named, ok := typ.(*types.Named); ok && slices.Contains(views, named.Obj().Name()) {
					continue // its methods are looked at too
				}
				if at := reference(typ); at != nil {
					t.Errorf("%s.%s: got a result that holds %v, want plain values", name, method.Name(), at)
				}
			}
		}
	}
	if at := reference(pkg.Scope().Lookup("Happened").Type()); at != nil {
		t.Errorf("Happened: got %v in it, want plain values", at)
	}
}

// reference is a type within typ through which others could be changed, or nil. Types of other modules keep their own counsel.
func reference(typ types.Type) types.Type {
	if named, ok := typ.(*types.Named); ok && (named.Obj().Pkg() == nil || !strings.HasPrefix(named.Obj().Pkg().Path(), "galgo/")) {
		return nil
	}
	switch under := typ.Underlying().(type) {
	case *types.Slice, *types.Map, *types.Pointer, *types.Chan, *types.Signature, *types.Interface:
		return typ
	case *types.Array:
		return reference(under.Elem())
	case *types.Struct:
		for i := range under.NumFields() {
			if at := reference(under.Field(i).Type()); at != nil {
				return at
			}
		}
	}
	return nil
}

// No function, and no type, of the systems sees both sides: storage systems never State itself, state systems never Storage.
func TestNobodyHoldsBoth(t *testing.T) {
	c := newChecker(t)
	for _, test := range []struct{ room, forbidden string }{
		{"storage", "State"},
		{"state", "Storage"},
	} {
		names, err := filepath.Glob(filepath.Join(test.room, "*.go"))
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: got %d files, %v, want some", test.room, len(names), err)
		}
		names = slices.DeleteFunc(names, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
		for _, name := range names {
			file := c.parse(name)
			components := importName(file, "galgo/components")
			ast.Inspect(file, func(n ast.Node) bool {
				if selector, ok := n.(*ast.SelectorExpr); ok && selector.Sel.Name == test.forbidden {
					if from, ok := selector.X.(*ast.Ident); ok && from.Name == components {
						t.Errorf("%s: got %s.%s, want none in systems/%s", c.files.Position(n.Pos()), components, test.forbidden, test.room)
					}
				}
				return true
			})
		}
	}
}

// importName is what a file calls a package.
func importName(file *ast.File, imported string) string {
	for _, spec := range file.Imports {
		if name, _ := strconv.Unquote(spec.Path.Value); name == imported && spec.Name != nil {
			return spec.Name.Name
		}
	}
	return filepath.Base(imported)
}
