package commit

// Values are written in base 256 with signed digits, so that a bucket per absolute
// digit, a few hundred in all, serves any int32. The last digit of a value may be
// as large as the row's limit; the others lie in -128..127. A value within the
// limit thus is one digit, whatever its sign, and no int32 needs more than four.
const (
	digitBits   = 8
	maxDigits   = 4
	smallLimit  = 128 // suffices to write every value
	largeLimit  = 256 // avoids a second digit for values in 129..256
	bucketSlots = wideLimit + 1
)

// wideLimit bounds the values of a matrix that is known to be written with one digit
// per value, as the windows of a multi-scalar multiplication are.
const wideLimit = 1 << (maxWindow - 1)

// splitDigit returns the lowest digit of v and the number that the digits above it
// write, 0 when there are none: v = digit + 256·rest.
func splitDigit(v, limit int64) (digit, rest int64) {
	if -limit <= v && v <= limit {
		return v, 0
	}
	digit = int64(int8(v))
	return digit, (v - digit) >> digitBits
}

// sorter sorts the digits of a row by bucket. It counts first and places later;
// between the two calls the counts tell how long each list is.
type sorter struct {
	wide   bool // no value is beyond wideLimit, and each is one digit
	limit  int64
	single bool // every value of the row is one digit
	// counts[d][b] is the number of digits ±b of weight 256^d, and during place the
	// position of the next of them. Bucket 0 of the lowest digit counts zeros if
	// single is set and nothing otherwise.
	counts [maxDigits][bucketSlots]int32
	// top[d] is the largest bucket in use, 0 if the weight is not used at all.
	top [maxDigits]int
}

// count fills the counts for a row.
func (s *sorter) count(row []int32) {
	s.clear()
	large := uint32(largeLimit)
	if s.wide {
		large = wideLimit
	}
	beyond := 0 // values beyond the large limit
	low := &s.counts[0]
	for _, v := range row {
		a := magnitude(v)
		if a > large {
			beyond++
			continue
		}
		low[a]++
	}
	s.limit, s.single = int64(large), beyond == 0
	s.top[0] = highest(low, int(large))
	if s.single && (s.wide || s.top[0] <= smallLimit) {
		return
	}
	// Buckets beyond the small limit cost about two additions each, a second digit
	// costs one per value that needs it.
	var over int32
	for _, n := range low[smallLimit+1 : largeLimit+1] {
		over += n
	}
	if over <= 2*(largeLimit-smallLimit) {
		s.limit, s.single = smallLimit, beyond == 0 && over == 0
	}
	if !s.single {
		s.countDigits(row)
	}
}

// countDigits counts all digits of all values.
func (s *sorter) countDigits(row []int32) {
	s.clear()
	for _, v := range row {
		rest, digit := int64(v), int64(0)
		for d := 0; rest != 0; d++ {
			digit, rest = splitDigit(rest, s.limit)
			s.counts[d][max(digit, -digit)]++
		}
	}
	for d := range s.counts {
		s.counts[d][0] = 0
		s.top[d] = highest(&s.counts[d], largeLimit)
	}
}

func (s *sorter) clear() {
	for d := range s.counts {
		clear(s.counts[d][:s.top[d]+1])
		s.top[d] = 0
	}
}

// place writes one entry per non-zero digit, ordered by weight and then by bucket:
// entry 2j stands for the base of column j, 2j+1 for its negative. It returns how
// many there are. The counts are lost. entries needs room for maxDigits·len(row).
func (s *sorter) place(row, entries []int32) int {
	n := int32(0)
	for d := range s.counts {
		for b := 1; b <= s.top[d]; b++ {
			n, s.counts[d][b] = n+s.counts[d][b], n
		}
	}
	if s.single {
		// Zeros are placed behind the last list, which costs less than a branch.
		low := &s.counts[0]
		low[0] = n
		for j, v := range row {
			a := magnitude(v)
			entries[low[a]] = int32(j)<<1 | int32(uint32(v)>>31)
			low[a]++
		}
		return int(n)
	}
	for j, v := range row {
		rest, digit := int64(v), int64(0)
		for d := 0; rest != 0; d++ {
			digit, rest = splitDigit(rest, s.limit)
			if digit == 0 {
				continue
			}
			next := &s.counts[d][max(digit, -digit)]
			entries[*next] = int32(j)<<1 | int32(uint64(digit)>>63)
			*next++
		}
	}
	return int(n)
}

// magnitude is the absolute value, which for -2^31 only fits an unsigned result.
func magnitude(v int32) uint32 {
	sign := v >> 31
	return uint32((v ^ sign) - sign)
}

// highest is the largest index up to top with a count, 0 if there is none.
func highest(counts *[bucketSlots]int32, top int) int {
	for top > 0 && counts[top] == 0 {
		top--
	}
	return top
}
