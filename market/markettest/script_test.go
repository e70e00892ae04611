package markettest_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/markettest"
)

var update = flag.Bool("update", false, "write what the scripts lead to into testdata")

// TestScripts runs testdata/*.txt. A script is a list of commands, each group followed by a line of
// dashes and what happened. Times are like 2s; words of the commands:
//
//	world spacing=TIME riskcap=N seed=N       before anything else; without spacing, blocks are mined by mine
//	client NAME [cheat=NAME], operator NAME price=N [slots=N cost=TIME posted=yes cheat=NAME fails=CODE]
//	job NAME client=NAME max=N [level=zk|optimistic program=NAME payload=TEXT within=TIME replicas=N]
//	run TIME, mine [N], reorg N [drop], kill NAME, restart NAME, cancel JOB
//	tip JOB INSTANT[+N]     waits until an instant of the escrow, start, half, due, late or final, and mines
//	expect JOB SETTLEMENT [CODE], profit NAME N
//
// The parties are c, d, a, b, e and f.
func TestScripts(t *testing.T) {
	each(t, func(t *testing.T, file, text string) {
		var out strings.Builder
		s := &script{t: t}
		for chunk := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n\n") {
			commands, _, _ := strings.Cut(chunk, "\n----")
			out.WriteString(commands + "\n----\n")
			s.group(commands)
			for _, line := range s.news() {
				out.WriteString(line + "\n")
			}
			out.WriteString("\n")
		}
		got := strings.TrimRight(out.String(), "\n") + "\n"
		if *update {
			must(t, os.WriteFile(file, []byte(got), 0o644))
		} else if got != text {
			t.Errorf("%s differs; run with -update and look at the change. Now:\n%s", file, got)
		}
	})
}

// TestRestartsChangeNoEnd runs every script again and again, each time with a restart of one party
// after one more line of what happened.
func TestRestartsChangeNoEnd(t *testing.T) {
	each(t, func(t *testing.T, _, text string) {
		t.Parallel()
		plain := play(t, text, 0, "")
		for _, name := range plain.parties {
			for line := 1; line <= len(plain.world.Trace()); line++ {
				again := play(t, text, line, name)
				if a, b := plain.ends(), again.ends(); !slices.Equal(a, b) && !again.orphaned() {
					t.Fatalf("%s restarted after line %d: the jobs end as %q, not as %q\n%s", name, line, b, a, strings.Join(again.world.Trace(), "\n"))
				}
			}
		}
	})
}

// ends says how the jobs have ended. Which operator does which replica may differ.
func (s *script) ends() (all []string) {
	for _, job := range s.jobs {
		p, _ := s.world.Job(job)
		all = append(all, fmt.Sprintf("%s %s", p.Settlement, p.Code))
	}
	slices.Sort(all)
	return all
}

// orphaned reports whether a restart came between an operator's signature and the client's: whoever
// may have signed for a job does not do so again.
func (s *script) orphaned() bool {
	return slices.ContainsFunc(s.jobs, func(job string) bool {
		p, _ := s.world.Job(job)
		return p.Code == market.CodeNoBid && p.Attempt > 0 && p.Settlement == market.Unfunded
	})
}

func each(t *testing.T, run func(t *testing.T, file, text string)) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			must(t, err)
			run(t, file, string(text))
		})
	}
}

// play runs a script to its end, with a restart.
func play(t *testing.T, text string, line int, name string) *script {
	s := &script{t: t, line: line, restarts: name, silent: true}
	for chunk := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n\n") {
		commands, _, _ := strings.Cut(chunk, "\n----")
		s.group(commands)
	}
	return s
}

// script is a world that commands are given to.
type script struct {
	t        *testing.T
	world    *markettest.World
	options  markettest.Options
	printed  int // lines of the trace
	parties  []string
	jobs     []string
	line     int
	restarts string
	silent   bool // expectations are not looked at
}

func (s *script) group(commands string) {
	for line := range strings.SplitSeq(commands, "\n") {
		if line != "" && !strings.HasPrefix(line, "#") {
			s.run(line)
		}
	}
}

// news are the lines of the trace that were not printed yet.
func (s *script) news() []string {
	if s.world == nil {
		return nil
	}
	all := s.world.Trace()[s.printed:]
	s.printed += len(all)
	return all
}

func (s *script) start() *markettest.World {
	if s.world == nil {
		w, err := markettest.New(s.options, "c", "d", "a", "b", "e", "f")
		must(s.t, err)
		if s.line > 0 {
			w.RestartAfter(s.line, s.restarts)
		}
		s.world = w
	}
	return s.world
}

func (s *script) run(line string) {
	options := map[string]string{}
	var words []string
	for _, word := range strings.Fields(line) {
		if k, v, ok := strings.Cut(word, "="); ok {
			options[k] = v
		} else {
			words = append(words, word)
		}
	}
	if words[0] == "world" {
		s.options = markettest.Options{Spacing: s.time(options["spacing"]), Seed: s.number(options["seed"])}
		s.options.Seller.RiskCap = s.number(options["riskcap"])
		return
	}
	s.start()
	if !s.people(words, options) && !s.events(words) {
		s.t.Fatalf("unknown command %q", line)
	}
}

// people adds parties and what they want.
func (s *script) people(words []string, options map[string]string) bool {
	var cheats []markettest.Cheat
	if c := options["cheat"]; c != "" {
		cheats = append(cheats, markettest.Cheat(c))
	}
	switch words[0] {
	case "client":
		s.world.Client(words[1], cheats...)
		s.parties = append(s.parties, words[1])
	case "operator":
		s.world.Operator(words[1], func(o *markettest.Operator) {
			o.Price, o.Posted, o.Fails = s.number(options["price"]), options["posted"] == "yes", market.Code(options["fails"])
			if n := options["slots"]; n != "" {
				o.Slots = int(s.number(n))
			}
			if c := options["cost"]; c != "" {
				o.Cost = s.time(c)
			}
		}, cheats...)
		s.parties = append(s.parties, words[1])
	case "job":
		s.order(words[1], options)
	default:
		return false
	}
	return true
}

func (s *script) order(name string, options map[string]string) {
	o := markettest.Order{
		Program: "model", Level: chain.LevelZK, MaxPrice: s.number(options["max"]), Within: 600_000, Payload: "input",
		Replicas: int(s.number(options["replicas"])),
	}
	if p := options["program"]; p != "" {
		o.Program = p
	}
	if options["level"] == "optimistic" {
		o.Level = chain.LevelOptimistic
	}
	if p := options["payload"]; p != "" {
		o.Payload = p
	}
	if w := options["within"]; w != "" {
		o.Within = s.time(w)
	}
	must(s.t, s.world.Buyer(options["client"]).Submit(name, o))
	if o.Replicas > 1 {
		for i := range o.Replicas {
			s.jobs = append(s.jobs, fmt.Sprintf("%s.%d", name, i+1))
		}
		return
	}
	s.jobs = append(s.jobs, name)
}

func (s *script) events(words []string) bool {
	w := s.world
	switch words[0] {
	case "run":
		must(s.t, w.Run(s.time(words[1])))
	case "mine":
		n := uint64(1)
		if len(words) > 1 {
			n = s.number(words[1])
		}
		for range n {
			must(s.t, w.Run(1000))
			w.Mine()
		}
	case "reorg":
		w.Reorganise(int(s.number(words[1])), func(chaintest.Signed) bool { return len(words) > 2 })
	case "kill":
		w.Kill(words[1])
	case "restart":
		w.Restart(words[1])
	case "cancel":
		w.Cancel(words[1])
	case "tip":
		s.tip(words[1], words[2])
	case "expect":
		s.expect(words[1:])
	case "profit":
		want, err := strconv.ParseInt(words[2], 10, 64)
		must(s.t, err)
		if got := int64(w.Balance(chaintest.NewWallet(words[1]).Lock())) - 40_000_000; got != want && !s.silent {
			s.t.Errorf("%s has %+d more than at first, not %+d", words[1], got, want)
		}
	default:
		return false
	}
	return true
}

// tip waits for an instant of a job's escrow. A job without escrow has none, and the wait is 10 min.
func (s *script) tip(name, instant string) {
	instant, more, _ := strings.Cut(instant, "+")
	p, _ := s.world.Job(name)
	e := p.AgreedEscrow()
	at := s.world.Now() + 600_000
	if e != nil {
		at = map[string]uint64{"start": e.Start, "half": e.Start + (e.Due-e.Start)/2, "due": e.Due, "late": e.Late}[instant]
	}
	if instant == "final" && len(p.View.Claim) > 0 {
		at = p.View.Claim[0].Final
	}
	if more != "" {
		at += s.number(more)
	}
	must(s.t, s.world.Run(max(at, s.world.Now())-s.world.Now()))
	s.world.Mine()
}

func (s *script) expect(words []string) {
	p, ok := s.world.Job(words[0])
	got := strings.TrimSpace(string(p.Settlement) + " " + string(p.Code))
	if want := strings.Join(words[1:], " "); !ok || got != want && !s.silent {
		s.t.Errorf("%s is %q, want %q", words[0], got, want)
	}
}

func (s *script) number(text string) uint64 {
	if text == "" {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 64)
	must(s.t, err)
	return n
}

// time returns ms.
func (s *script) time(text string) uint64 {
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	must(s.t, err)
	return uint64(d.Milliseconds())
}
