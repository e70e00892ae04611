package docker_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// query is what an expression of PromQL reads; see
// https://prometheus.io/docs/prometheus/latest/querying/basics.
type query struct {
	selectors []selector
	labels    []string // of by, without, on, ignoring, group_left and group_right
}

// selector is one vector that a query reads.
type selector struct {
	metric   string
	matchers []matcher
	function string // that it is an argument of; empty: of none
	ranged   bool   // has [duration]
}

type matcher struct{ label, op, value string }

// token has one of five kinds: name, number, text, duration or the operator itself.
type token struct{ kind, text string }

var lexemes = []struct {
	kind string
	re   *regexp.Regexp
}{
	{"space", regexp.MustCompile(`^\s+`)},
	{"duration", regexp.MustCompile(`^(?:(?:\d+(?:ms|[smhdwy]))+|\$__rate_interval|\$__range|\$__interval)`)},
	{"number", regexp.MustCompile(`^\d+(?:\.\d+)?(?:[eE][+-]?\d+)?`)},
	{"name", regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*`)},
	{"text", regexp.MustCompile(`^(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')`)},
	{"", regexp.MustCompile(`^(?:=~|!~|!=|==|>=|<=|[-+*/%^=<>(){}\[\],])`)},
}

func tokens(s string) ([]token, error) {
	var all []token
next:
	for s != "" {
		for _, l := range lexemes {
			text := l.re.FindString(s)
			if text == "" {
				continue
			}
			kind := l.kind
			if kind == "" {
				kind = text
			}
			if kind != "space" {
				all = append(all, token{kind, text})
			}
			s = s[len(text):]
			continue next
		}
		return nil, fmt.Errorf("no token begins with %q", s)
	}
	return all, nil
}

// The words that are no metrics. Functions and operators that no file here uses are left out: an
// expression that has one is refused until it is added.
var (
	aggregators = []string{"sum", "avg", "min", "max", "count", "topk", "bottomk"}
	functions   = []string{"rate", "increase", "histogram_quantile", "max_over_time", "min_over_time", "clamp_max", "clamp_min"}
	binaries    = []string{"+", "-", "*", "/", "%", "^", "==", "!=", ">", "<", ">=", "<=", "and", "or", "unless"}
	keywords    = []string{"by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset", "and", "or", "unless"}
)

// parser reads an expression by recursive descent. The first error stays.
type parser struct {
	rest []token
	out  query
	err  error
	in   []string // functions around
}

// parse reads an expression, and refuses what is none.
func parse(s string) (*query, error) {
	all, err := tokens(s)
	if err != nil {
		return nil, err
	}
	p := &parser{rest: all}
	p.expression()
	if p.err == nil && len(p.rest) > 0 {
		p.fail("%q is too much", p.rest[0].text)
	}
	return &p.out, p.err
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
	p.rest = nil
}

func (p *parser) peek() token {
	if len(p.rest) == 0 {
		return token{"end", "end"}
	}
	return p.rest[0]
}

// take takes a token of a kind, or with a text.
func (p *parser) take(what string) (string, bool) {
	t := p.peek()
	if t.kind != what && t.text != what {
		return "", false
	}
	p.rest = p.rest[1:]
	return t.text, true
}

func (p *parser) want(what string) string {
	text, ok := p.take(what)
	if !ok {
		p.fail("%q where %q has to be", p.peek().text, what)
	}
	return text
}

func (p *parser) expression() {
	p.operand()
	for p.err == nil && slices.Contains(binaries, p.peek().text) {
		p.rest = p.rest[1:]
		p.take("bool")
		p.matching()
		p.operand()
	}
}

// matching is what may follow a binary operator.
func (p *parser) matching() {
	for _, word := range []string{"on", "ignoring"} {
		if _, ok := p.take(word); !ok {
			continue
		}
		p.names()
		for _, side := range []string{"group_left", "group_right"} {
			if _, ok := p.take(side); ok && p.peek().text == "(" {
				p.names()
			}
		}
	}
}

// names is a list of labels in parentheses.
func (p *parser) names() {
	p.want("(")
	for p.err == nil && p.peek().text != ")" {
		p.out.labels = append(p.out.labels, p.want("name"))
		if _, more := p.take(","); !more {
			break
		}
	}
	p.want(")")
}

func (p *parser) operand() {
	switch t := p.peek(); {
	case t.text == "-" || t.text == "+":
		p.rest = p.rest[1:]
		p.operand()
	case t.text == "(":
		p.rest = p.rest[1:]
		p.expression()
		p.want(")")
	case t.kind == "number" || t.kind == "text":
		p.rest = p.rest[1:]
	case t.kind == "name":
		p.named()
	default:
		p.fail("%q where an operand has to be", t.text)
	}
}

// named is a call, an aggregation or a selector.
func (p *parser) named() {
	name := p.want("name")
	switch {
	case slices.Contains(aggregators, name):
		before := p.grouping()
		p.call(name)
		if !before {
			p.grouping()
		}
	case slices.Contains(functions, name):
		p.call(name)
	case slices.Contains(keywords, name):
		p.fail("%q where an operand has to be", name)
	case p.peek().text == "(":
		p.fail("%s is no function that is known here", name)
	default:
		p.selector(name)
	}
}

func (p *parser) grouping() bool {
	for _, word := range []string{"by", "without"} {
		if _, ok := p.take(word); ok {
			p.names()
			return true
		}
	}
	return false
}

func (p *parser) call(name string) {
	p.in = append(p.in, name)
	p.want("(")
	for p.err == nil {
		p.expression()
		if _, more := p.take(","); !more {
			break
		}
	}
	p.want(")")
	p.in = p.in[:len(p.in)-1]
}

func (p *parser) selector(metric string) {
	s := selector{metric: metric}
	if len(p.in) > 0 {
		s.function = p.in[len(p.in)-1]
	}
	if _, ok := p.take("{"); ok {
		for p.err == nil && p.peek().text != "}" {
			s.matchers = append(s.matchers, p.matcher())
			if _, more := p.take(","); !more {
				break
			}
		}
		p.want("}")
	}
	if _, ok := p.take("["); ok {
		s.ranged = true
		p.want("duration")
		p.want("]")
	}
	p.out.selectors = append(p.out.selectors, s)
}

func (p *parser) matcher() matcher {
	m := matcher{label: p.want("name"), op: p.peek().text}
	if !slices.Contains([]string{"=", "!=", "=~", "!~"}, m.op) {
		p.fail("%q where a matcher has to be", m.op)
		return m
	}
	p.rest = p.rest[1:]
	m.value = strings.Trim(p.want("text"), `"'`)
	return m
}
