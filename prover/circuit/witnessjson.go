package circuit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc"
)

// witnessJSON is {"public": ["1", "0x2"], "secret": ["3"]}; "secret" may be missing.
type witnessJSON struct {
	Public []string `json:"public"`
	Secret []string `json:"secret,omitempty"`
}

func decodeJSON(c ecc.ID, b []byte) (*Witness, error) {
	var in witnessJSON
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var wrong *json.UnmarshalTypeError
	switch err := d.Decode(&in); {
	case errors.As(err, &wrong) && wrong.Value == "number":
		return nil, fmt.Errorf("%s: %w", wrong.Field, errNotNumber)
	case err != nil:
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON object")
	}
	if len(in.Public)+len(in.Secret) > maxValues {
		return nil, fmt.Errorf("more than %d values", maxValues)
	}
	w := &Witness{Curve: c, Public: len(in.Public), Secret: len(in.Secret)}
	return w, w.fill(in)
}

func (w *Witness) fill(in witnessJSON) error {
	size := valueSize(w.Curve)
	w.values = make([]byte, 0, (w.Public+w.Secret)*size)
	for _, part := range []struct {
		name   string
		values []string
	}{{"public", in.Public}, {"secret", in.Secret}} {
		for i, s := range part.values {
			v, err := parseValue(s)
			if err == nil && v.Cmp(w.Curve.ScalarField()) >= 0 {
				err = fmt.Errorf("not below the order of %s", curveName(w.Curve))
			}
			if err != nil {
				return fmt.Errorf("%s value %d: %w", part.name, i, err)
			}
			w.values = append(w.values, v.FillBytes(make([]byte, size))...)
		}
	}
	return nil
}

// EncodeJSON gives the values in decimal.
func (w *Witness) EncodeJSON() []byte {
	text := make([]string, w.Public+w.Secret)
	size := valueSize(w.Curve)
	for i := range text {
		text[i] = new(big.Int).SetBytes(w.values[i*size:][:size]).String()
	}
	out := witnessJSON{Public: text[:w.Public], Secret: text[w.Public:]}
	b, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		panic("BUG: witness without JSON: " + err.Error())
	}
	return append(b, '\n')
}
