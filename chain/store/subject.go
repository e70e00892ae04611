package store

import (
	"crypto/sha256"

	"github.com/weisyn/wes/chain"
)

// Role is how an output concerns a subject.
type Role byte

const (
	// RoleLock holds the output: its lock has this LockHash. Locks that are open to everybody
	// have no such subject.
	RoleLock Role = iota + 1
	// RoleOwner owns a resource, a sponsor pool, a token's policy or an asset under a Delegate.
	RoleOwner
	// RoleUser may use a sponsor pool, move assets as a delegate or take what a Proof locks.
	RoleUser
	// RoleClient is the client of an escrow or claim.
	RoleClient
	// RoleOperator is the operator of a bond, escrow, claim or receipt.
	RoleOperator
	// RoleToken is a token that the output holds, or whose policy it is; not WES.
	RoleToken
	// RoleContent is SHA-256 of the content identifier of a resource.
	RoleContent
	// RoleJob is the job of an escrow, claim or receipt.
	RoleJob
	// RoleState is a type of state, in the last byte.
	RoleState
)

// RoleParty stands for every role of a LockHash in the history.
const RoleParty = RoleLock

// party reports whether a role is that of a LockHash.
func (r Role) party() bool { return r <= RoleOperator }

// Subject is what outputs and transactions are found by. Its hash is a LockHash, a token, a
// job, SHA-256 of a content identifier, or a type of state, as its role says.
type Subject struct {
	Role Role
	ID   chain.Hash
}

// OfLock returns the subject of a lock, or of an address: LockHash is the hash inside it.
func OfLock(r Role, l chain.Lock) Subject { return Subject{r, chain.LockHash(l)} }

// OfContent returns the subject of a resource's content.
func OfContent(cid []byte) Subject { return Subject{RoleContent, sha256.Sum256(cid)} }

// OfState returns the subject of all states of a type.
func OfState(t chain.StateType) Subject {
	s := Subject{Role: RoleState}
	s.ID[chain.HashSize-1] = byte(t)
	return s
}

func (s Subject) key(prefix byte) []byte {
	return append(append(make([]byte, 0, 2+chain.HashSize+chain.HashSize+2), prefix, byte(s.Role)), s.ID[:]...)
}

// subjects lists what an output concerns, each once.
func subjects(o *chain.Output) []Subject {
	var all found
	all.lock(o.Lock)
	for i := range o.Value {
		if t := o.Value[i].Token; t != (chain.TokenID{}) {
			all.add(RoleToken, t)
		}
	}
	switch b := o.Body.(type) {
	case *chain.Resource:
		all.party(RoleOwner, b.Owner)
		all = append(all, OfContent(b.CID))
	case *chain.State:
		all = append(all, OfState(b.Type))
		all.state(b)
	}
	return all.distinct()
}

type found []Subject

func (f *found) add(r Role, h chain.Hash) { *f = append(*f, Subject{r, h}) }

func (f *found) party(r Role, l chain.Lock) {
	if l != nil {
		*f = append(*f, OfLock(r, l))
	}
}

// lock adds who holds an output under a lock.
func (f *found) lock(l chain.Lock) {
	switch l := l.(type) {
	case chain.All:
		if len(l.Locks) == 0 {
			return
		}
	case chain.Delegate:
		f.party(RoleOwner, l.Owner)
		f.party(RoleUser, l.Delegate)
	case chain.Proof:
		f.party(RoleUser, l.Payee)
	}
	f.party(RoleLock, l)
}

// state adds the parties of a state. What does not decode has none: the rules let only data
// that is not read be so.
func (f *found) state(s *chain.State) {
	read, err := chain.DecodeState(s)
	if err != nil {
		return
	}
	switch b := read.(type) {
	case *chain.TokenPolicy:
		f.add(RoleToken, b.ID)
		f.party(RoleOwner, b.Lock)
	case *chain.SponsorPool:
		f.party(RoleOwner, b.Owner)
		for _, u := range b.Users {
			f.party(RoleUser, u)
		}
	case *chain.OperatorBond:
		f.party(RoleOperator, b.Operator)
	case *chain.JobEscrow:
		f.escrow(b)
	case *chain.OptClaim:
		f.escrow(&b.Escrow)
	case *chain.InvalidClaim:
		f.escrow(&b.Escrow)
	case *chain.Receipt:
		f.add(RoleJob, b.Job)
		f.add(RoleOperator, b.Operator)
	}
}

func (f *found) escrow(e *chain.JobEscrow) {
	f.add(RoleJob, e.Job)
	f.party(RoleClient, e.Client)
	f.party(RoleOperator, e.Operator)
}

// distinct drops repetitions; lists are short.
func (f found) distinct() []Subject {
	out := f[:0]
	for i, s := range f {
		again := false
		for _, t := range f[:i] {
			again = again || t == s
		}
		if !again {
			out = append(out, s)
		}
	}
	return out
}
