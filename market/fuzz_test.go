package market

import (
	"bytes"
	"errors"
	"testing"
)

// fuzz decodes what comes, and requires of what is read that it was its one encoding.
func fuzz(f *testing.F, name string) {
	for _, x := range formats() {
		if x.name != name {
			continue
		}
		good := encode(x.sample())
		f.Add(good)
		f.Add(good[:len(good)/2])
		f.Add([]byte{})
		f.Fuzz(func(t *testing.T, b []byte) {
			v, err := x.decode(b)
			if err != nil && !errors.Is(err, ErrMessage) {
				t.Fatalf("another error: %v", err)
			}
			if err == nil && !bytes.Equal(encode(v), b) {
				t.Fatal("read, but not the encoding of what was read")
			}
		})
	}
}

func FuzzAsk(f *testing.F)           { fuzz(f, "ask") }
func FuzzAnswer(f *testing.F)        { fuzz(f, "bid") }
func FuzzAward(f *testing.F)         { fuzz(f, "award") }
func FuzzCountersigned(f *testing.F) { fuzz(f, "countersigned") }
func FuzzStart(f *testing.F)         { fuzz(f, "start") }
func FuzzCollect(f *testing.F)       { fuzz(f, "collect") }
func FuzzDelivery(f *testing.F)      { fuzz(f, "delivery") }
func FuzzAdvert(f *testing.F)        { fuzz(f, "advert") }
func FuzzPurchase(f *testing.F)      { fuzz(f, "purchase") }
func FuzzSale(f *testing.F)          { fuzz(f, "sale") }
func FuzzStandings(f *testing.F)     { fuzz(f, "standings") }
