package api

import (
	"context"
	"errors"
	"fmt"

	"github.com/creachadair/jrpc2"
	"github.com/weisyn/wes/chain"
)

// The codes of errors, beside those of JSON-RPC 2.0.
const (
	// CodeRule: the transaction or block breaks a rule; data says which.
	CodeRule = -32010
	// CodePolicy: this node's mempool does not take the transaction.
	CodePolicy = -32011
	// CodeMissing: attachments are not at hand; data lists them.
	CodeMissing = -32012
	// CodeNotFound: there is no such thing.
	CodeNotFound = -32013
	// CodeNotHere: this node or network does not do that.
	CodeNotHere = -32014
	// CodeNoRoom: the quota for resources is used up.
	CodeNoRoom = -32015
)

// Codes documents the codes of errors.
func Codes() map[int]string {
	return map[int]string{
		-32700: "the request is not JSON", -32600: "the request is not one of JSON-RPC 2.0", -32601: "there is no such method",
		-32602: "a parameter is missing, unknown or malformed", -32603: "a fault of the node",
		CodeRule:   "the transaction breaks a rule of the ledger; data has code, transaction, input, rule and scope",
		CodePolicy: "the mempool of this node does not take the transaction", CodeMissing: "attachments are not at hand; data lists them",
		CodeNotFound: "there is no such thing", CodeNotHere: "this node or network does not do that",
		CodeNoRoom: "the quota for resources is used up",
	}
}

// RuleData is the data of an error with CodeRule.
type RuleData struct {
	Code  int    `json:"code"`
	Tx    int    `json:"tx"`
	Input int    `json:"input"`
	Rule  string `json:"rule"`
}

// Refused is why a transaction was not taken. It wraps a *chain.RuleError, a
// *chain.UnavailableError or an error of policy.
type Refused struct{ Err error }

func (e *Refused) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *Refused) Unwrap() error { return e.Err }

var (
	// ErrNotFound is answered with CodeNotFound.
	ErrNotFound = errors.New("not found")
	// ErrNoMiner is returned by Node.Make where blocks are not made on demand.
	ErrNoMiner = errors.New("blocks are made on demand on dev networks only")
)

// failure turns an error into one of JSON-RPC.
func failure(err error) error {
	var already *jrpc2.Error
	var rule *chain.RuleError
	var missing *chain.UnavailableError
	var refused *Refused
	var encoding *chain.EncodingError
	switch {
	case errors.As(err, &already):
		return already
	case errors.As(err, &rule):
		return jrpc2.Errorf(CodeRule, "%v", rule).WithData(RuleData{int(rule.Code), rule.Tx, rule.Input, rule.Code.Rule()})
	case errors.As(err, &missing):
		list := []string{}
		for _, h := range missing.Missing {
			list = append(list, h.String())
		}
		return jrpc2.Errorf(CodeMissing, "%v", missing).WithData(list)
	case errors.As(err, &refused):
		return jrpc2.Errorf(CodePolicy, "%v", refused)
	case errors.As(err, &encoding):
		return invalid("%v", encoding)
	case errors.Is(err, ErrNotFound):
		return jrpc2.Errorf(CodeNotFound, "%v", err)
	case errors.Is(err, ErrNoRoom), errors.Is(err, ErrTooLarge):
		return jrpc2.Errorf(CodeNoRoom, "%v", err)
	case errors.Is(err, ErrResource):
		return invalid("%v", err)
	case errors.Is(err, ErrNoMiner), errors.Is(err, ErrNoResources):
		return jrpc2.Errorf(CodeNotHere, "%v", err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return jrpc2.Errorf(jrpc2.Cancelled, "the request took too long")
	}
	return jrpc2.Errorf(jrpc2.InternalError, "%v", err)
}

func invalid(format string, args ...any) error {
	return jrpc2.Errorf(jrpc2.InvalidParams, "%s", fmt.Sprintf(format, args...))
}
