package commit

import "github.com/consensys/gnark-crypto/ecc/bn254"

const (
	// batchDigits is the number of digits after which a batch is summed. More make
	// longer lanes, fewer stay in a second-level cache: points take 32 bytes a digit.
	batchDigits = 1 << 13
	// batchRows bounds the rows of a batch, hence its memory, when they are sparse.
	batchRows = 1 << 10
)

// batch commits to many rows at once, so that the additions of all rows share
// field inversions. Rows are added until full reports true, then sum is called.
//
// A row is Σ_d 256^d·Σ_b b·B_{d,b}, where bucket B_{d,b} is the sum of ±G_j over
// the digits ±b of weight 256^d. The buckets are summed as lists, pairwise. Then
// Σ_b b·B_b = Σ_i 2^i·S_i where S_i sums the buckets of odd number after i steps of
// B'_b = B_{2b} + B_{2b+1}: about two additions per bucket, all independent of each
// other within a step, and none for buckets that are not in use.
type batch struct {
	bases  []bn254.G1Affine // of the columns
	sorter sorter
	adder  *adder

	rows    []int   // row numbers, as given to add
	entries []int32 // 2j for the base of column j, 2j+1 for its negative, list after list
	used    int     // entries in use

	buckets segments // one list per bucket in use
	numbers []uint16 // bucket number of each list
	units   []unit   // in the order of their lists

	odd  segments // the points of the sums S_i
	tags []int32  // per list of odd: row position·tagsPerRow + 16·digit + i
	at   []int32  // per tag: 1 + list of odd, or 0
	sums []bn254.G1Jac
}

// unit is one digit weight of one row: consecutive lists of a batch.
type unit struct {
	tag   int32 // tag of S_0
	lists int32
}

const tagsPerRow = 16 * maxDigits

// newBatch makes the scratch for up to rows rows of up to cols columns. The points take
// a few megabytes at most, as rows are added only while there are few digits. wide is
// that of a sorter.
func newBatch(bases []bn254.G1Affine, rows, cols int, wide bool) *batch {
	digits := maxDigits * cols
	if wide {
		digits = cols
	}
	most := min(batchDigits+digits, rows*digits)
	return &batch{bases: bases, adder: newAdder(rows * cols / 2), sorter: sorter{wide: wide}, entries: make([]int32, most)}
}

// full says that the batch must be summed before another row is added.
func (b *batch) full() bool { return b.used >= batchDigits || len(b.rows) >= batchRows }

// add puts a row into the batch, which must not be full.
func (b *batch) add(number int, row []int32) {
	position := int32(len(b.rows))
	b.rows = append(b.rows, number)
	b.sorter.count(row)
	for d, top := range b.sorter.top {
		u := unit{tag: position*tagsPerRow + int32(16*d)}
		for i, n := range b.sorter.counts[d][:top+1] {
			if i > 0 && n > 0 {
				b.buckets.lens = append(b.buckets.lens, n)
				b.numbers = append(b.numbers, uint16(i))
				u.lists++
			}
		}
		if u.lists > 0 {
			b.units = append(b.units, u)
		}
	}
	b.used += b.sorter.place(row, b.entries[b.used:])
}

// sum stores the commitment of every row of the batch in dst, at the row's number,
// and empties the batch.
func (b *batch) sum(dst []bn254.G1Affine) {
	if b.buckets.gather(b.adder, b.bases, b.entries[:b.used]) {
		b.buckets.sum(b.adder)
	}
	for step := int32(0); len(b.units) > 0; step++ {
		b.takeOdd(step)
		b.pairBuckets()
		b.buckets.halve(b.adder)
	}
	b.odd.sum(b.adder)
	b.weigh()
	for i, p := range bn254.BatchJacobianToAffineG1(b.sums) {
		dst[b.rows[i]] = p
	}
	b.reset()
}

// takeOdd copies the buckets of odd number to the lists of S_step.
func (b *batch) takeOdd(step int32) {
	list := 0
	for _, u := range b.units {
		n := int32(0)
		for range u.lists {
			if b.numbers[list]&1 == 1 {
				b.odd.push(&b.buckets.x[list], &b.buckets.y[list])
				n++
			}
			list++
		}
		if n > 0 {
			b.odd.lens = append(b.odd.lens, n)
			b.tags = append(b.tags, u.tag+step)
		}
	}
}

// pairBuckets drops bucket 1 of every unit and joins buckets 2b and 2b+1 to one
// list, bucket b of the next step. Units without buckets disappear.
func (b *batch) pairBuckets() {
	list, point, lists := 0, 0, 0
	units := b.units[:0]
	for _, u := range b.units {
		first, previous := lists, uint16(0)
		for range u.lists {
			number := b.numbers[list] >> 1
			if number > 0 {
				b.buckets.x[point], b.buckets.y[point] = b.buckets.x[list], b.buckets.y[list]
				point++
				if number == previous {
					b.buckets.lens[lists-1]++
				} else {
					b.numbers[lists], b.buckets.lens[lists] = number, 1
					lists++
				}
				previous = number
			}
			list++
		}
		if u.lists = int32(lists - first); u.lists > 0 {
			units = append(units, u)
		}
	}
	b.units, b.numbers, b.buckets.lens = units, b.numbers[:lists], b.buckets.lens[:lists]
}

// weigh sets the sums to Σ_d 256^d·Σ_i 2^i·S_{d,i} of each row.
func (b *batch) weigh() {
	n := len(b.rows) * tagsPerRow
	if len(b.at) < n {
		b.at = make([]int32, n)
	}
	clear(b.at[:n])
	for list, tag := range b.tags {
		b.at[tag] = int32(list) + 1
	}
	for position := range b.rows {
		at := b.at[position*tagsPerRow : (position+1)*tagsPerRow]
		b.sums = append(b.sums, b.horner(at))
	}
}

// horner weighs the sums of one row. Bit i of digit d has weight 2^(8d+i), where i
// exceeds 7 if the digit may be large, so weights of neighbouring digits meet.
func (b *batch) horner(at []int32) (acc bn254.G1Jac) {
	for weight := digitBits*(maxDigits-1) + 15; weight >= 0; weight-- {
		if !acc.Z.IsZero() {
			acc.DoubleAssign()
		}
		for d := weight / digitBits; d >= 0 && weight-digitBits*d < 16; d-- {
			if d >= maxDigits {
				continue
			}
			if list := at[16*d+weight-digitBits*d]; list > 0 {
				acc.AddMixed(&bn254.G1Affine{X: b.odd.x[list-1], Y: b.odd.y[list-1]})
			}
		}
	}
	return acc
}

func (b *batch) reset() {
	b.rows, b.used, b.numbers = b.rows[:0], 0, b.numbers[:0]
	b.buckets.reset()
	b.odd.reset()
	b.odd.x, b.odd.y = b.odd.x[:0], b.odd.y[:0]
	b.tags, b.sums = b.tags[:0], b.sums[:0]
}
