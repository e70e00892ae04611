package api

import (
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/weisyn/wes/chain"
)

func parseHash(name, s string) (h chain.Hash, err error) {
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != len(h) {
		return h, invalid("%s: %q is not a hash of 64 hexadecimal digits", name, short(s))
	}
	return chain.Hash(raw), nil
}

// short cuts a text of a stranger for a message.
func short(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}

func parseOutpoint(s string) (o chain.Outpoint, err error) {
	tx, index, _ := strings.Cut(s, ":")
	if o.Tx, err = parseHash("outpoint", tx); err != nil {
		return o, err
	}
	n, err := strconv.ParseUint(index, 10, 32)
	if err != nil {
		return o, invalid("outpoint: %q is not TRANSACTION:INDEX", short(s))
	}
	o.Index = uint32(n)
	return o, nil
}

// parseSubject reads an id by its role: an address or hash of a lock, a token, a CID in
// hexadecimal, a job, the number of a type of state.
func parseSubject(prefix string, role Role, id string) (s Subject, err error) {
	s.Role = role
	switch role {
	case RoleLock, RoleOwner, RoleUser, RoleClient, RoleOperator:
		if h, err := chain.ParseAddress(prefix, id); err == nil {
			s.ID = h
			return s, nil
		}
		s.ID, err = parseHash("address, or hash of a lock", id)
	case RoleToken, RoleJob, RoleContent:
		s.ID, err = parseHash(string(role), id)
	case RoleState:
		n, convert := strconv.ParseUint(id, 10, 8)
		if convert != nil {
			return s, invalid("state: %q is not the number of a type", short(id))
		}
		s.ID[chain.HashSize-1] = byte(n)
	default:
		return s, invalid("role %q is none of %v", short(string(role)), Roles())
	}
	return s, err
}

func parseCursor(s string) ([]byte, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) > 128 {
		return nil, invalid("cursor %q", short(s))
	}
	return b, nil
}

// Decode reads the transaction and its witness.
func (p *TxParams) Decode() (*chain.Tx, chain.Witness, error) {
	body, err := hex.DecodeString(p.Tx)
	if err != nil {
		return nil, nil, invalid("tx: %v", err)
	}
	t, err := chain.DecodeTx(body)
	if err != nil {
		return nil, nil, invalid("tx: %v", err)
	}
	raw, err := hex.DecodeString(p.Witness)
	if err != nil {
		return nil, nil, invalid("witness: %v", err)
	}
	w, err := chain.DecodeWitness(raw)
	if err != nil {
		return nil, nil, invalid("witness: %v", err)
	}
	return t, w, nil
}

// maxPage bounds the results of one call.
const maxPage = 1000

func pageSize(n int) int {
	if n == 0 {
		return 100
	}
	return min(max(n, 1), maxPage)
}
