package float

import (
	"fmt"
	"slices"
)

// Product is a·b of two activations over the last axis of a and the last but one of b. The
// axes before these are batches: both have them, or one operand has more of them, in front.
type Product struct{ K int }

var (
	_ Op       = (*Product)(nil)
	_ Weighted = (*Product)(nil)
)

// Kind returns "Product".
func (*Product) Kind() string { return "Product" }

// InferShape joins batches, rows of a and columns of b.
func (p *Product) InferShape(in [][]int) ([]int, error) {
	if err := wantInputs(in, 2); err != nil {
		return nil, err
	}
	a, b := in[0], in[1]
	if len(a) < 2 || len(b) < 2 {
		return nil, fmt.Errorf("product of shapes %v and %v: each needs two axes", a, b)
	}
	if a[len(a)-1] != p.K || b[len(b)-2] != p.K {
		return nil, fmt.Errorf("product of shapes %v and %v", a, b)
	}
	x, y := a[:len(a)-2], b[:len(b)-2]
	batches := x
	if len(y) > len(x) {
		batches = y
	}
	n := min(len(x), len(y))
	if !slices.Equal(x[len(x)-n:], y[len(y)-n:]) {
		return nil, fmt.Errorf("product of shapes %v and %v: batches have to be equal or missing in front", a, b)
	}
	return append(slices.Clone(batches), a[len(a)-2], b[len(b)-1]), nil
}

// MACs is K per output cell.
func (p *Product) MACs(out []int) int64 { return int64(size(out)) * int64(p.K) }

// Params is 0: both operands are activations.
func (*Product) Params() int64 { return 0 }

func (p *Product) eval(in []Tensor, out Tensor) {
	rank := len(out.Shape)
	rows, columns := out.Shape[rank-2], out.Shape[rank-1]
	for batch := range size(out.Shape[:rank-2]) {
		x := in[0].Data[batch*rows*p.K%len(in[0].Data):]
		y := in[1].Data[batch*p.K*columns%len(in[1].Data):]
		for i := range rows {
			for j := range columns {
				var sum float64
				for k := range p.K {
					sum += float64(float64(x[i*p.K+k]) * float64(y[k*columns+j]))
				}
				out.Data[(batch*rows+i)*columns+j] = float32(sum)
			}
		}
	}
}
