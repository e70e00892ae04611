package circuit

import (
	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend"
)

// deviceContext is what a device gives a process before the first byte is asked for: CUDA's
// context and modules, and the buckets of a multi-scalar multiplication, which do not grow
// with the circuit.
const deviceContext = 1 << 30 // bytes

// DeviceMemory bounds from above what an accelerated proof takes of a device, in bytes, 0 for
// what no device proves. It follows the vectors in backend/accelerated/icicle/groth16 of gnark
// v0.15.0:
//
//	4 × proving key     G1.A, B, K, Z, G2.B and the commitments' bases stay on the device
//	                    (PinToGPU), as large as in the key's raw encoding. The scalars of a
//	                    multiplication are at most as many as its bases and smaller; its digits
//	                    and their order take 16 bytes for each of about 256/16 windows, for one
//	                    of the key's six vectors at a time. Twice the key each is more than either.
//	8 × domain          a, b and c of computeH, Den, the roots of unity of twice the domain, and
//	                    room for a transform
func (m *Manifest) DeviceMemory() uint64 {
	s := m.System()
	if s.Scheme != backend.GROTH16 || m.Proving == nil {
		return 0
	}
	domain := ecc.NextPowerOfTwo(uint64(max(m.Constraints, 1)))
	return deviceContext + 4*uint64(m.Proving.Size) + 8*domain*uint64(valueSize(s.Curve))
}
