package consensus

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/weisyn/wes/chain"
)

var rewrite = flag.Bool("rewrite", false, "write the results of the scripts into testdata")

// TestScripts runs testdata/*.txt. A script is a list of commands, each followed by a line of
// dashes and what the core made of it. Words of the commands:
//
//	config KEY=VALUE…          before anything else
//	restart                    with the headers that Ready gave out, and the tip
//	block NAME PARENT TIME [near=B|far=B]   makes a header; times are ms after the genesis block
//	bad NAME OF RULE           makes a header that breaks a rule
//	join P, leave P, garbage P, notfound P B
//	headers P B…               B-C names all blocks of a branch
//	body P B [missing=N]       N attachments
//	mined B
//	switched [invalid=B|unavailable=B] [missing=N] [tip=B]   reports on the switch under way
//	tick N, clock TIME, template, status
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runScript(t, file) })
	}
}

func runScript(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	must(t, err)
	s := newScript(t)
	var out bytes.Buffer
	for chunk := range strings.SplitSeq(strings.TrimRight(string(text), "\n"), "\n\n") {
		commands, _, _ := strings.Cut(chunk, "\n----")
		out.WriteString(commands + "\n----\n")
		for line := range strings.SplitSeq(commands, "\n") {
			if !strings.HasPrefix(line, "#") {
				out.WriteString(s.run(line))
			}
		}
		out.WriteString("\n")
	}
	got := strings.TrimRight(out.String(), "\n") + "\n"
	if *rewrite {
		must(t, os.WriteFile(file, []byte(got), 0o644))
		return
	}
	if got != string(text) {
		t.Errorf("%s differs; run with -rewrite and look at the change. Now:\n%s", file, got)
	}
}

// script is a core with named blocks.
type script struct {
	t       *testing.T
	cfg     Config
	miner   *miner
	core    *Core
	now     uint64
	names   map[chain.Hash]string
	headers map[string]SealedHeader
	links   map[string]link
	written []Record
	pending *Switch
}

func newScript(t *testing.T) *script {
	return &script{t: t, cfg: testConfig(), now: epoch, names: map[chain.Hash]string{}, headers: map[string]SealedHeader{}, links: map[string]link{}}
}

func (s *script) start() {
	if s.core != nil {
		return
	}
	s.core, s.miner = newCore(s.t, s.cfg), newMiner(s.t, s.cfg)
	s.links["genesis"] = s.miner.genesisLink()
	s.names[s.miner.rules.chain] = "genesis"
}

// run executes a line and returns what it prints.
func (s *script) run(line string) string {
	words := strings.Fields(line)
	options := map[string]string{}
	words = slices.DeleteFunc(words, func(w string) bool {
		k, v, ok := strings.Cut(w, "=")
		if ok {
			options[k] = v
		}
		return ok
	})
	if words[0] == "config" {
		s.configure(options)
		return ""
	}
	s.start()
	if printed, ok := s.look(words, options); ok {
		return printed
	}
	err := s.step(words, options)
	printed := s.ready()
	if err != nil {
		printed = "error: " + s.rename(err.Error()) + "\n" + printed
	}
	return printed
}

func (s *script) configure(options map[string]string) {
	for k, v := range options {
		n := s.number(v)
		switch k {
		case "window":
			s.cfg.Window = n
		case "peerblocks":
			s.cfg.PeerBlocks = int(n)
		case "timeout":
			s.cfg.Timeout = n
		case "minwork":
			s.cfg.MinWork = Work{n}
		case "depth":
			s.cfg.AttachmentDepth = n
		case "profile":
			s.cfg.Profile = Profile(n)
		default:
			s.t.Fatalf("config %s", k)
		}
	}
}

// look runs commands that do not step the core.
func (s *script) look(words []string, options map[string]string) (string, bool) {
	switch words[0] {
	case "block":
		s.block(words[1], words[2], s.number(words[3]), options)
		return "", true
	case "bad":
		s.bad(words[1], words[2], words[3])
		return "", true
	case "clock":
		s.now = epoch + s.number(words[1])
		return "", true
	case "restart":
		tip := s.core.Status().Tip
		c, err := New(s.cfg, records(s.written), tip)
		must(s.t, err)
		s.core = c
		return s.ready(), true
	case "template":
		t, err := s.core.Template(s.now)
		if err != nil {
			return err.Error() + "\n", true
		}
		return fmt.Sprintf("on %s at height %d, time %d, bits %08x\n", s.names[t.Parent], t.Height, t.Time-epoch, t.Bits), true
	case "status":
		st := s.core.Status()
		return fmt.Sprintf("tip %s height %d headers %d initial %v wanted %d held %d\n",
			s.names[st.Tip], st.Height, st.Headers, st.Initial, st.Wanted, st.Held), true
	}
	return "", false
}

func (s *script) step(words []string, options map[string]string) error {
	switch words[0] {
	case "tick":
		for range s.number(words[1]) {
			s.now += 1000
			s.core.Tick(s.now)
		}
		return nil
	case "switched":
		return s.core.Step(s.now, s.switched(options))
	case "mined":
		h := s.headers[words[1]]
		return s.core.Step(s.now, Mined{h})
	}
	return s.core.Step(s.now, s.message(words, options))
}

func (s *script) message(words []string, options map[string]string) Message {
	p := PeerID(s.number(words[1]))
	switch words[0] {
	case "join":
		return Joined{p}
	case "leave":
		return Left{p}
	case "garbage":
		return Garbage{p, "garbage"}
	case "notfound":
		return NotFound{p, s.links[words[2]].hash}
	case "body":
		for i := range s.written {
			if s.written[i].Header.Hash() == s.links[words[2]].hash {
				s.written[i].Stored = options["missing"] == ""
			}
		}
		return Body{p, s.links[words[2]].hash, s.missing(options)}
	case "headers":
		return Headers{p, s.branch(words[2:])}
	}
	s.t.Fatalf("unknown command %v", words)
	return nil
}

func (s *script) missing(options map[string]string) []chain.Hash {
	var all []chain.Hash
	for i := range s.number(options["missing"]) {
		h := chain.Hash{31: byte(i)}
		s.names[h] = fmt.Sprintf("attachment %d", i)
		all = append(all, h)
	}
	return all
}

func (s *script) branch(words []string) []SealedHeader {
	var all []SealedHeader
	for _, w := range words {
		from, to, isRange := strings.Cut(w, "-")
		if !isRange {
			all = append(all, s.headers[w])
			continue
		}
		var up []SealedHeader
		for n := to; ; n = s.names[s.headers[n].Parent] {
			up = append(up, s.headers[n])
			if n == from {
				break
			}
		}
		slices.Reverse(up)
		all = append(all, up...)
	}
	return all
}

func (s *script) switched(options map[string]string) Switched {
	m := Switched{
		Tip:         s.pending.goal(),
		Invalid:     s.links[options["invalid"]].hash,
		Unavailable: s.links[options["unavailable"]].hash,
		Missing:     s.missing(options),
	}
	if tip, ok := options["tip"]; ok {
		m.Tip = s.links[tip].hash
	}
	return m
}

// block makes NAME, or NAME1 to NAMEn for NAME*n with the given spacing.
func (s *script) block(name, parent string, time uint64, options map[string]string) {
	if base, n, ok := strings.Cut(name, "*"); ok {
		spacing := time
		for i := range s.number(n) {
			next := fmt.Sprintf("%s%d", base, i+1)
			s.block(next, parent, s.links[parent].time-epoch+spacing, nil)
			parent = next
		}
		return
	}
	p := s.links[parent]
	want := func(h chain.Hash) bool {
		near, far := options["near"], options["far"]
		return (near == "" || compareDistance(h, s.links[near].hash, p.hash) < 0) &&
			(far == "" || compareDistance(h, s.links[far].hash, p.hash) > 0)
	}
	h, l := s.miner.child(p, epoch+time, want)
	s.headers[name], s.links[name], s.names[l.hash] = h, l, name
}

func (s *script) bad(name, of, rule string) {
	h := s.headers[of]
	switch rule {
	case "height":
		h.Height += 1000
	case "time":
		h.Time = 0
	case "bits":
		h.Bits--
	case "chain":
		h.Chain[0]++
	}
	s.miner.solve(&h.Header, nil)
	s.headers[name] = h
	s.names[h.Hash()] = name
}

// ready prints what the core wants.
func (s *script) ready() string {
	r := s.core.Ready()
	var b strings.Builder
	if len(r.Headers) > 0 {
		b.WriteString("write")
		for _, h := range r.Headers {
			s.written = append(s.written, Record{Header: h})
			b.WriteString(" " + s.names[h.Hash()])
		}
		b.WriteString("\n")
	}
	if len(r.Invalid) > 0 {
		fmt.Fprintf(&b, "invalid %s\n", s.list(r.Invalid))
	}
	if r.Switch != nil {
		s.pending = r.Switch
		fmt.Fprintf(&b, "switch %s\n", s.describe(r.Switch))
	}
	for _, q := range r.Requests {
		fmt.Fprintf(&b, "ask %d for %s\n", q.Peer, s.wanted(&q))
	}
	if r.Announce != nil {
		fmt.Fprintf(&b, "announce %s\n", s.names[*r.Announce])
	}
	for _, d := range r.Drops {
		fmt.Fprintf(&b, "drop %d, ban %v: %s\n", d.Peer, d.Ban, s.rename(d.Reason))
	}
	return b.String()
}

func (s *script) describe(w *Switch) string {
	var undo, apply []string
	for _, h := range w.Undo {
		undo = append(undo, "-"+s.names[h])
	}
	for _, a := range w.Apply {
		apply = append(apply, "+"+s.names[a.Block]+map[bool]string{true: " (buried)"}[a.Buried])
	}
	return strings.Join(append(undo, apply...), " ")
}

func (s *script) wanted(q *Request) string {
	switch {
	case q.Locator != nil:
		return "headers after " + s.list(q.Locator)
	case q.Attachments != nil:
		return fmt.Sprintf("%s of %s", s.list(q.Attachments), s.names[q.Block])
	}
	return "body of " + s.names[q.Block]
}

func (s *script) list(all []chain.Hash) string {
	var names []string
	for _, h := range all {
		names = append(names, s.names[h])
	}
	return strings.Join(names, " ")
}

// rename puts names in the place of hashes.
func (s *script) rename(text string) string {
	for h, name := range s.names {
		text = strings.ReplaceAll(text, h.String(), name)
	}
	return text
}

func (s *script) number(text string) uint64 {
	if text == "" {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 64)
	must(s.t, err)
	return n
}
