package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/weisyn/wes/chain"
)

// decimals of WES: chain.Unit is their power of ten. Amounts of other tokens have none.
const decimals = 8

// parseWES reads an amount of WES, as 12 or 0.5, exactly.
func parseWES(s string) (uint64, error) {
	whole, part, point := strings.Cut(s, ".")
	bad := fmt.Errorf("amount %q: want WES as 12 or 0.5, with at most %d decimals", s, decimals)
	if whole == "" || point && part == "" || len(part) > decimals || !digitsOnly(whole+part) {
		return 0, bad
	}
	n, err := strconv.ParseUint(whole+part+strings.Repeat("0", decimals-len(part)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("amount %q: there is no such sum of WES", s)
	}
	return n, nil
}

func digitsOnly(s string) bool { return strings.Trim(s, "0123456789") == "" }

// parseUnits reads an amount of a token other than WES.
func parseUnits(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || !digitsOnly(s) {
		return 0, fmt.Errorf("amount %q: tokens have no decimals, want a whole number", s)
	}
	return n, nil
}

// wesText is the inverse of parseWES, without zeros at the end.
func wesText(n uint64) string {
	s := strconv.FormatUint(n/chain.Unit, 10)
	if part := n % chain.Unit; part > 0 {
		s += strings.TrimRight(fmt.Sprintf(".%0*d", decimals, part), "0")
	}
	return s
}

// coinText shows an amount with its token.
func coinText(t chain.TokenID, n uint64) string {
	if t == (chain.TokenID{}) {
		return wesText(n) + " WES"
	}
	return strconv.FormatUint(n, 10) + " " + t.String()
}

// parseToken reads a token as flags name it.
func parseToken(s string) (t chain.TokenID, err error) {
	if s == "" || strings.EqualFold(s, "wes") {
		return t, nil
	}
	if t, err = parseHash(s); err != nil {
		err = fmt.Errorf("token %w; wes token issue prints it", err)
	}
	return t, err
}

// parseCoin reads an amount of a token.
func parseCoin(amount, token string) (chain.Coin, error) {
	t, err := parseToken(token)
	if err != nil {
		return chain.Coin{}, err
	}
	parse := parseUnits
	if t == (chain.TokenID{}) {
		parse = parseWES
	}
	n, err := parse(amount)
	return chain.Coin{Token: t, Amount: n}, err
}

func coinValue(c chain.Coin) chain.Value { return chain.Tokens(c.Token, c.Amount) }
