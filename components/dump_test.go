package components

import (
	"strings"
	"testing"

	"galgo/wire"
)

func printed(print func(*Printer)) string {
	var b strings.Builder
	print(NewPrinter(&b))
	return b.String()
}

// Rows depend on what was there before, print does not: a catalog and the one that its snapshot makes print alike.
func TestCatalogPrintsByID(t *testing.T) {
	for seed := range uint64(20) {
		d := newDecider(seed)
		for range 200 {
			d.next(t)
		}
		text := func(c *Catalog) string { return printed(func(p *Printer) { p.Catalog(c, 3) }) }
		got, want := text(restored(t, d.catalog)), text(d.catalog)
		if got != want {
			t.Fatalf("seed %d: got\n%swant\n%s", seed, got, want)
		}
		if lines, rows := strings.Count(want, "\n"), d.catalog.Streams.Len()+d.catalog.Topics.Len()+d.catalog.Partitions.Len(); lines < rows {
			t.Fatalf("seed %d: got %d lines for %d rows, want one for each", seed, lines, rows)
		}
	}
}

func TestEventsPrintTheirFieldsAndNoSecrets(t *testing.T) {
	secret := []byte("$argon2id$")
	kinds := 0
	for n := range 1 << 16 {
		kind := wire.EventKind(n)
		if strings.HasPrefix(kind.String(), "EventKind(") {
			continue
		}
		kinds++
		got := printed(func(p *Printer) {
			p.Event(9, &wire.Event{Kind: kind, Seq: 3<<40 | 5, Name: []byte("name"), PasswordHash: secret, TokenHash: secret})
		})
		begin := "  9: 3/5 " + kind.String()
		if !strings.HasPrefix(got, begin) || strings.Contains(got, string(secret)) || (kind == wire.EventEmpty) != (strings.TrimSpace(got) == strings.TrimSpace(begin)) {
			t.Errorf("%v: got %q, want it to begin with %q, and its fields without secrets", kind, got, begin)
		}
	}
	if kinds < 30 {
		t.Errorf("kinds of events: got %d, want 30 at least", kinds)
	}
}

func TestPrinterKeepsTheFirstError(t *testing.T) {
	p := NewPrinter(failing{})
	p.Line(0, "one")
	p.Line(0, "two")
	if got := p.Err(); got != errFailing {
		t.Errorf("error of the printer: got %v, want %v", got, errFailing)
	}
}

type failing struct{}

const errFailing = failed("no room")

type failed string

func (f failed) Error() string { return string(f) }

func (failing) Write([]byte) (int, error) { return 0, errFailing }
