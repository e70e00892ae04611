package float

import (
	"errors"
	"fmt"
	"math"
)

// importBatchNorm makes a per-channel multiplication and addition, which fuse
// moves into the layer before where it can.
func importBatchNorm(c *call) ([]*value, error) {
	c.read["momentum"] = true
	eps, err := c.attrFloat("epsilon", 1e-5)
	if err != nil {
		return nil, err
	}
	training, err := c.attrBool("training_mode", false)
	if err != nil {
		return nil, err
	}
	if training {
		return nil, errors.New("training mode is not supported")
	}
	spatial, err := c.attrBool("spatial", true) // before opset 9
	if err != nil {
		return nil, err
	}
	if !spatial {
		return nil, errors.New("statistics of every cell are not supported")
	}
	var arg [4][]float32 // gamma, beta, mean, variance
	for i := range arg {
		k, err := c.constant(i + 1)
		if err != nil {
			return nil, err
		}
		if len(k.shape) != 1 || !k.typ.IsFloat() {
			return nil, fmt.Errorf("operand %d is %v of shape %v", i+1, k.typ, k.shape)
		}
		arg[i] = k.floats
	}
	x, err := c.activation(0)
	if err != nil {
		return nil, err
	}
	if len(x.shape) < 2 {
		return nil, fmt.Errorf("input of rank %d", len(x.shape))
	}
	mul, add, err := batchNormScale(arg, float64(eps), x.shape)
	if err != nil {
		return nil, err
	}
	scaled, err := c.emit(&MulConst{mul}, x)
	if err != nil {
		return nil, err
	}
	return c.one(&AddConst{add}, scaled)
}

// batchNormScale returns gamma/√(variance+eps) and beta − mean·that, as
// [1, C, 1...].
func batchNormScale(arg [4][]float32, eps float64, in []int) (mul, add Tensor, err error) {
	shape := make([]int, len(in))
	for i := range shape {
		shape[i] = 1
	}
	shape[1] = in[1]
	for _, a := range arg {
		if len(a) != in[1] {
			return mul, add, fmt.Errorf("%d parameters for %d channels", len(a), in[1])
		}
	}
	m, b := constant{floats: make([]float32, in[1])}, constant{floats: make([]float32, in[1])}
	for i := range in[1] {
		s := float64(arg[0][i]) / math.Sqrt(float64(arg[3][i])+eps)
		m.floats[i] = float32(s)
		b.floats[i] = float32(float64(arg[1][i]) - float64(arg[2][i])*s)
	}
	return Tensor{shape, m.floats}, Tensor{shape, b.floats}, errors.Join(m.checkFinite(), b.checkFinite())
}
