package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// The bounds of JSON.
const (
	maxDepth      = 32  // of nesting
	maxParameters = 64  // of a request, input or output
	maxText       = 256 // bytes of a name or parameter
)

// deep reports whether JSON nests deeper than maxDepth. It need not be valid.
func deep(raw []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			if depth++; depth > maxDepth {
				return true
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return false
}

// list is a JSON array of at most maxTensors elements: others are not even allocated.
type list[T any] []T

// UnmarshalJSON implements json.Unmarshaler.
func (l *list[T]) UnmarshalJSON(raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t == nil {
		return err
	} else if t != json.Delim('[') {
		return fmt.Errorf("an array is wanted, not %.20s", raw)
	}
	*l = nil // of a key that comes twice the last counts
	for d.More() {
		if len(*l) == maxTensors {
			return fmt.Errorf("an array has more than %d elements", maxTensors)
		}
		var x T
		if err := d.Decode(&x); err != nil {
			return err
		}
		*l = append(*l, x)
	}
	return nil
}

// parameters are scalars by name, as "Parameters" of the protocol has them.
type parameters map[string]json.RawMessage

// UnmarshalJSON implements json.Unmarshaler.
func (p *parameters) UnmarshalJSON(raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t == nil {
		return err
	} else if t != json.Delim('{') {
		return fmt.Errorf("parameters are an object, not %.20s", raw)
	}
	*p = parameters{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		switch {
		case value[0] == '{' || value[0] == '[':
			return fmt.Errorf("parameter %.80q is no string, number or boolean", name)
		case len(*p) == maxParameters:
			return fmt.Errorf("more than %d parameters", maxParameters)
		}
		(*p)[name.(string)] = value // the names of an object are strings
	}
	return nil
}

func (p parameters) text(name string) (string, *Problem) {
	raw, found := p[name]
	if !found {
		return "", nil
	}
	if raw[0] != '"' { // a number is as good
		return string(raw), longer(name, len(raw))
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return "", malformed("parameter %q is no string", name)
	}
	return s, longer(name, len(s))
}

func longer(name string, n int) *Problem {
	if n > maxText {
		return malformed("parameter %q is longer than %d bytes", name, maxText)
	}
	return nil
}

// flag returns a boolean and whether it is there.
func (p parameters) flag(name string) (value, found bool, _ *Problem) {
	raw, found := p[name]
	if !found {
		return false, false, nil
	}
	value, err := strconv.ParseBool(string(raw))
	if err != nil {
		return false, true, malformed("parameter %q is neither true nor false", name)
	}
	return value, true, nil
}

// size returns a number of bytes or ms, and whether it is there.
func (p parameters) size(name string) (n int64, found bool, _ *Problem) {
	raw, found := p[name]
	if !found {
		return 0, false, nil
	}
	n, err := strconv.ParseInt(strings.Trim(string(raw), `"`), 10, 64)
	if err != nil || n < 0 {
		return 0, true, malformed("parameter %q is no whole number", name)
	}
	return n, true, nil
}

// unmarshal decodes JSON of a stranger.
func unmarshal(raw []byte, into any) *Problem {
	if deep(raw) {
		return malformed("the JSON nests deeper than %d", maxDepth)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return malformed("the JSON is malformed: %.200v", err)
	}
	return nil
}

// checkTerms holds what a request says to the market against its form.
func (r *Request) checkTerms() *Problem {
	copies, replicated := strings.CutPrefix(r.Verification, "replicated:")
	if replicated {
		if k, err := strconv.Atoi(copies); err != nil || k < 2 || k > 64 {
			return malformed("verification %q: replicated:K with K from 2 to 64", short(r.Verification))
		}
	} else if r.Verification != "" && r.Verification != "zk" && r.Verification != "optimistic" {
		return malformed("verification %q is none of zk, optimistic, replicated:K", short(r.Verification))
	}
	if r.MaxPrice != "" {
		if _, err := strconv.ParseUint(r.MaxPrice, 10, 64); err != nil {
			return malformed("max_price %q is no decimal number of base units", short(r.MaxPrice))
		}
	}
	if r.DeadlineMS < 0 || r.DeadlineMS > maxDeadline {
		return malformed("deadline_ms: from 0 to %d", int64(maxDeadline))
	}
	if len(r.Version) > maxText {
		return malformed("the version is longer than %d bytes", maxText)
	}
	return nil
}

// maxDeadline is the longest deadline, in ms: 30 days.
const maxDeadline = 30 * 86_400_000
