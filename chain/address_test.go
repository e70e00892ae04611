package chain

import (
	"errors"
	"strings"
	"testing"
)

// The strings of BIP 350, section "Test vectors for Bech32m".
func TestChecksumIsBech32m(t *testing.T) {
	for _, s := range []string{
		"A1LQFN3A", "a1lqfn3a", "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx", "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
		"11llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllludsr8",
	} {
		lower := strings.ToLower(s)
		i := strings.LastIndexByte(lower, '1')
		var symbols []byte
		for _, c := range []byte(lower[i+1:]) {
			symbols = append(symbols, byte(strings.IndexByte(bech32Charset, c)))
		}
		if polymod(append(prefixSymbols(lower[:i]), symbols...)) != bech32mConst {
			t.Errorf("%s does not verify", s)
		}
		body := symbols[:len(symbols)-bech32Sum]
		if string(checksum(lower[:i], body)) != string(symbols[len(body):]) {
			t.Errorf("%s has another checksum", s)
		}
	}
}

func TestAddressesRoundTrip(t *testing.T) {
	r := newSource(1)
	for range 200 {
		h := r.hash()
		s := FormatAddress(MainPrefix, h)
		for _, form := range []string{s, strings.ToUpper(s)} {
			if got, err := ParseAddress(MainPrefix, form); err != nil || got != h {
				t.Fatalf("%s gives %v, %v", form, got, err)
			}
		}
		if _, err := ParseAddress(TestPrefix, s); !errors.Is(err, ErrAddress) {
			t.Fatalf("%s is taken for another network: %v", s, err)
		}
	}
	if got := FormatAddress(TestPrefix, digest(0)); !strings.HasPrefix(got, "twes1q") || len(got) != 4+1+1+52+6 {
		t.Errorf("form of %s", got)
	}
}

func TestDamagedAddressesAreRefused(t *testing.T) {
	s := FormatAddress(MainPrefix, digest(0x5a))
	for i := range s {
		for _, c := range "qp5B1 \x80" {
			if damaged := s[:i] + string(c) + s[i+1:]; damaged != s {
				if _, err := ParseAddress(MainPrefix, damaged); !errors.Is(err, ErrAddress) {
					t.Fatalf("%q: %v", damaged, err)
				}
			}
		}
		if _, err := ParseAddress(MainPrefix, s[:i]); !errors.Is(err, ErrAddress) {
			t.Fatalf("%q: %v", s[:i], err)
		}
	}
	version := append([]byte{1}, squash(make([]byte, HashSize))...)
	padding := append([]byte{0}, squash(make([]byte, HashSize))...)
	padding[len(padding)-1] |= 1
	for _, symbols := range [][]byte{version, padding, {0}} {
		var text strings.Builder
		for _, v := range append(symbols, checksum(MainPrefix, symbols)...) {
			text.WriteByte(bech32Charset[v])
		}
		if _, err := ParseAddress(MainPrefix, MainPrefix+"1"+text.String()); !errors.Is(err, ErrAddress) {
			t.Errorf("%v: %v", symbols, err)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	f.Add(FormatAddress(MainPrefix, digest(0x5a)))
	f.Add("wes1")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := ParseAddress(MainPrefix, s)
		if err == nil && FormatAddress(MainPrefix, h) != strings.ToLower(s) {
			t.Errorf("%q is another form of %v", s, h)
		}
	})
}
