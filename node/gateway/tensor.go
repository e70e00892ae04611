package gateway

import "bytes"

// maxTensors bounds the tensors of a request.
const maxTensors = 256

// check holds a tensor with its data against its own shape and datatype.
func (t *Tensor) check(max int64) *Problem {
	d, p := findDatatype(t.Datatype)
	if p != nil {
		return p
	}
	n, p := elements(t.Shape, max/int64(d.size))
	if p != nil {
		return p
	}
	if want := n * int64(d.size); int64(len(t.Data)) != want {
		return badTensor("tensor %q: %d bytes of data, shape %v of %s has %d", short(t.Name), len(t.Data), t.Shape, t.Datatype, want)
	}
	if t.Datatype == "BOOL" && bytes.ContainsFunc(t.Data, func(r rune) bool { return r > 1 }) {
		return badTensor("tensor %q: a BOOL that is neither 0 nor 1", short(t.Name))
	}
	return nil
}

// fill reads the data of a tensor from JSON: an array, nested as the shape is, or in any other way.
// Only the order of the elements counts, as "Tensor Data" of the protocol has it. raw is valid JSON.
func (t *Tensor) fill(raw []byte, max int64) *Problem {
	d, p := findDatatype(t.Datatype)
	switch {
	case p != nil:
		return p
	case d.read == nil:
		return badTensor("tensor %q: %s has no form in JSON: send it as binary data", short(t.Name), t.Datatype)
	}
	n, p := elements(t.Shape, max/int64(d.size))
	if p != nil {
		return p
	}
	if len(raw) == 0 || raw[0] != '[' {
		return badTensor("tensor %q: the data is no array", short(t.Name))
	}
	if n > int64(len(raw)+1)/2 { // a digit and a comma each
		return badTensor("tensor %q: too few elements for shape %v", short(t.Name), t.Shape)
	}
	t.Data = make([]byte, 0, n*int64(d.size))
	s := numbers{rest: raw}
	for {
		number, more := s.next()
		if !more {
			break
		}
		if int64(len(t.Data)) == n*int64(d.size) {
			return badTensor("tensor %q: more elements than shape %v has", short(t.Name), t.Shape)
		}
		var err error
		if t.Data, err = d.read(t.Data, number); err != nil {
			return badTensor("tensor %q: %.100v", short(t.Name), err)
		}
	}
	if int64(len(t.Data)) != n*int64(d.size) {
		return badTensor("tensor %q: %d elements, shape %v has %d", short(t.Name), len(t.Data)/d.size, t.Shape, n)
	}
	return nil
}

// numbers are the elements of a JSON array in order, whatever its nesting.
type numbers struct{ rest []byte }

// next returns an element as it is written. Strings and objects come in pieces that no datatype
// takes.
func (s *numbers) next() ([]byte, bool) {
	s.rest = bytes.TrimLeft(s.rest, " \t\r\n[],")
	if len(s.rest) == 0 {
		return nil, false
	}
	end := bytes.IndexAny(s.rest, " \t\r\n[],")
	if end < 0 {
		end = len(s.rest)
	}
	number := s.rest[:end]
	s.rest = s.rest[end:]
	return number, true
}

// write appends the elements as a flat JSON array. The tensor has been checked.
func (t *Tensor) write(dst []byte, d datatype, flush func([]byte) ([]byte, error)) ([]byte, error) {
	dst = append(dst, '[')
	for at := 0; at < len(t.Data); at += d.size {
		if at > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = d.write(dst, t.Data[at:at+d.size]); err != nil {
			return dst, &elementError{t.Name, err}
		}
		if len(dst) >= flushAt {
			if dst, err = flush(dst); err != nil {
				return dst, err
			}
		}
	}
	return append(dst, ']'), nil
}

// flushAt is how many bytes of a response are gathered before they are sent.
const flushAt = 32 << 10

// elementError is an output that JSON has no way to write.
type elementError struct {
	tensor string
	err    error
}

func (e *elementError) Error() string { return "output " + e.tensor + ": " + e.err.Error() }
