package chain

import "math/bits"

// Costs, in units; a unit is a microsecond of a reference core.
const (
	costSignature = 40
	costNode      = 1
	costKiB       = 3 // of attachments, and of states that a transaction reads
)

// kibCost returns the units of reading some bytes.
func kibCost(bytes int) uint64 { return costKiB * ((uint64(bytes) + 1023) / 1024) }

// MaxWeight is the weight of a full block.
const MaxWeight = MaxBlockAttachments

// Weight returns the part of a block that a transaction takes up, as max(base/2 MiB,
// attachments/8 MiB, cost/3 M) of MaxWeight, rounded up. Fee rates are per unit of weight.
func Weight(base, attachments, cost uint64) uint64 {
	return max(share(base, MaxBlockBase), share(attachments, MaxBlockAttachments), share(cost, MaxBlockCost))
}

// share returns part/whole of MaxWeight, rounded up; saturated.
func share(part, whole uint64) uint64 {
	hi, lo := bits.Mul64(part, MaxWeight)
	if hi >= whole {
		return 1<<64 - 1
	}
	q, r := bits.Div64(hi, lo, whole)
	if r > 0 {
		q++
	}
	return q
}

// saturatingAdd returns a + b, or the largest integer.
func saturatingAdd(a, b uint64) uint64 {
	sum, carry := bits.Add64(a, b, 0)
	if carry != 0 {
		return 1<<64 - 1
	}
	return sum
}

// saturatingMul returns a · b, or the largest integer.
func saturatingMul(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	if hi != 0 {
		return 1<<64 - 1
	}
	return lo
}

// fraction returns ⌊n · points / 10,000⌋. Points are at most 10,000, so it is at most n.
func fraction(n, points uint64) uint64 {
	hi, lo := bits.Mul64(n, points)
	q, _ := bits.Div64(hi, lo, basisPoints)
	return q
}

// leastBond returns ⌈price · points / 10,000⌉, saturated.
func leastBond(price, points uint64) uint64 {
	hi, lo := bits.Mul64(price, points)
	if hi >= basisPoints {
		return 1<<64 - 1
	}
	q, r := bits.Div64(hi, lo, basisPoints)
	if r > 0 {
		q = saturatingAdd(q, 1)
	}
	return q
}
