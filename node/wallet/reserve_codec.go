package wallet

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/weisyn/wes/chain"
)

const reserveVersion = 2

// reserveLine is one line of the file; one of its fields is set.
type reserveLine struct {
	Version int            `json:"version,omitempty"`
	Add     *reserveRecord `json:"add,omitempty"`
	Remove  hexBytes       `json:"remove,omitempty"`
}

type reserveRecord struct {
	Tx     hexBytes        `json:"tx"`
	Owner  hexBytes        `json:"owner"`
	Inputs []reserveInput  `json:"inputs"`
	Others []reserveInput  `json:"others,omitempty"`
	Change []reserveChange `json:"change,omitempty"`
	Until  uint64          `json:"until"`
}

type reserveInput struct {
	Tx    hexBytes `json:"tx"`
	Index uint32   `json:"index"`
}

type reserveChange struct {
	Index  uint32   `json:"index"`
	Output hexBytes `json:"output"`
}

// hexBytes are bytes in hexadecimal.
type hexBytes []byte

func (b hexBytes) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, b), nil }

func (b *hexBytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.AppendDecode(nil, text)
	return err
}

func (b hexBytes) hash() (h chain.Hash, err error) {
	if len(b) != chain.HashSize {
		return h, fmt.Errorf("%x is no hash", []byte(b))
	}
	return chain.Hash(b), nil
}

// reserveLog is what a file holds, as far as it has been read.
type reserveLog struct {
	all   []Pending
	lines int
}

// read applies whole lines to a log, and returns how many bytes they are. What follows the last
// newline is not there yet: its writer was interrupted, or writes it now.
func (l *reserveLog) read(raw []byte) (int, error) {
	read := 0
	for {
		line, _, whole := bytes.Cut(raw[read:], []byte{'\n'})
		if !whole {
			return read, nil
		}
		if err := l.apply(line); err != nil {
			return read, fmt.Errorf("line %d: %w", l.lines+1, err)
		}
		l.lines++
		read += len(line) + 1
	}
}

func (l *reserveLog) apply(raw []byte) error {
	var line reserveLine
	if err := json.Unmarshal(raw, &line); err != nil {
		return err
	}
	switch {
	case l.lines == 0:
		if line.Version != reserveVersion {
			return fmt.Errorf("version %d, want %d", line.Version, reserveVersion)
		}
	case line.Add != nil:
		p, err := line.Add.pending()
		if err != nil {
			return err
		}
		l.all = append(l.all, *p)
	default:
		id, err := line.Remove.hash()
		if err != nil {
			return err
		}
		l.all = without(l.all, id)
	}
	return nil
}

// encodeReserved returns a whole file.
func encodeReserved(all []Pending) ([]byte, error) {
	lines := []reserveLine{{Version: reserveVersion}}
	for i := range all {
		lines = append(lines, reserveLine{Add: recordOf(&all[i])})
	}
	return encodeLines(lines)
}

func encodeLines(lines []reserveLine) ([]byte, error) {
	var b bytes.Buffer
	w := json.NewEncoder(&b)
	for i := range lines {
		if err := w.Encode(&lines[i]); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// changes returns the lines that make one list of another, which lacks some of the first and may have
// more at its end.
func changes(before, after []Pending) (lines []reserveLine) {
	for i := range before {
		if id := before[i].ID; len(after) > 0 && after[0].ID == id {
			after = after[1:]
		} else {
			lines = append(lines, reserveLine{Remove: id[:]})
		}
	}
	for i := range after {
		lines = append(lines, reserveLine{Add: recordOf(&after[i])})
	}
	return lines
}

func recordOf(p *Pending) *reserveRecord {
	out := &reserveRecord{Tx: p.ID[:], Owner: p.Owner[:], Until: p.Until, Inputs: inputsOf(p.Inputs), Others: inputsOf(p.Others)}
	for _, c := range p.Change {
		out.Change = append(out.Change, reserveChange{c.Index, c.Output.Encode()})
	}
	return out
}

func inputsOf(all []chain.Outpoint) []reserveInput {
	list := make([]reserveInput, 0, len(all))
	for _, o := range all {
		list = append(list, reserveInput{o.Tx[:], o.Index})
	}
	return list
}

func outpointsOf(all []reserveInput) ([]chain.Outpoint, error) {
	var list []chain.Outpoint
	for _, in := range all {
		h, err := in.Tx.hash()
		if err != nil {
			return nil, err
		}
		list = append(list, chain.Outpoint{Tx: h, Index: in.Index})
	}
	return list, nil
}

func (r *reserveRecord) pending() (*Pending, error) {
	p := &Pending{Until: r.Until}
	var err error
	if p.ID, err = r.Tx.hash(); err != nil {
		return nil, err
	}
	if p.Owner, err = r.Owner.hash(); err != nil {
		return nil, err
	}
	if p.Inputs, err = outpointsOf(r.Inputs); err != nil {
		return nil, err
	}
	if p.Others, err = outpointsOf(r.Others); err != nil {
		return nil, err
	}
	for _, c := range r.Change {
		o, err := chain.DecodeOutput(c.Output)
		if err != nil {
			return nil, fmt.Errorf("change %d: %w", c.Index, err)
		}
		p.Change = append(p.Change, Change{c.Index, o})
	}
	return p, nil
}
