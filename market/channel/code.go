package channel

import (
	"fmt"
	"maps"
	"slices"
)

// Code says why something is refused. Codes are stable: programs compare them, with errors.Is.
type Code string

// The codes.
const (
	ErrTerms           Code = "terms"
	ErrFunding         Code = "funding"
	ErrMalformed       Code = "malformed"
	ErrChannel         Code = "wrong_channel"
	ErrReplay          Code = "replay"
	ErrGap             Code = "gap"
	ErrUnknownJob      Code = "unknown_job"
	ErrResult          Code = "result"
	ErrAmount          Code = "amount"
	ErrReceipt         Code = "receipt"
	ErrSignature       Code = "signature"
	ErrExpired         Code = "expired"
	ErrClosed          Code = "closed"
	ErrJob             Code = "job"
	ErrPaymentRequired Code = "payment_required" // 402 of HTTP
	ErrFull            Code = "full"
	ErrOwners          Code = "owners"
	ErrBehind          Code = "behind"
	ErrEarly           Code = "early"
	ErrUnstored        Code = "unstored"
	ErrUnpaid          Code = "unpaid"
)

// meanings has a sentence for every code.
var meanings = map[Code]string{
	ErrTerms:           "the terms are out of range, or leave too little time",
	ErrFunding:         "the funding output is not what the terms ask for",
	ErrMalformed:       "bytes that are not the canonical encoding of what was expected",
	ErrChannel:         "the voucher is of another channel",
	ErrReplay:          "a voucher of this number is stored already",
	ErrGap:             "a voucher before this one is missing",
	ErrUnknownJob:      "the channel has no such job that is unpaid",
	ErrJob:             "the job is out of range, or its id is taken",
	ErrResult:          "the output is not the one that was delivered",
	ErrAmount:          "the voucher does not add what was agreed on for the job",
	ErrReceipt:         "the receipts do not form a chain",
	ErrSignature:       "the signature does not verify",
	ErrExpired:         "the channel is at or near its expiry",
	ErrClosed:          "the channel is closed",
	ErrPaymentRequired: "too many jobs are not paid yet, or the cap is reached",
	ErrFull:            "what is left of the cap does not cover the job, or too many jobs are open",
	ErrOwners:          "the channel pays royalties to as many owners as it can",
	ErrBehind:          "the operator has a later voucher than this state knows of, which is an old copy",
	ErrEarly:           "the client can reclaim from the expiry on",
	ErrUnstored:        "the record that this follows from is not stored yet",
	ErrUnpaid:          "no job is paid, so there is nothing to close with",
}

// Codes lists all codes in ascending order.
func Codes() []Code { return slices.Sorted(maps.Keys(meanings)) }

// Meaning returns the sentence that a code stands for, or the empty string.
func (c Code) Meaning() string { return meanings[c] }

func (c Code) Error() string { return c.Meaning() }

// Refusal is a code with what it is about.
type Refusal struct {
	Code   Code
	Detail string
}

func (r *Refusal) Error() string { return r.Code.Meaning() + ": " + r.Detail }

// Unwrap makes the code what errors.Is finds.
func (r *Refusal) Unwrap() error { return r.Code }

func refuse(c Code, format string, args ...any) *Refusal {
	return &Refusal{c, fmt.Sprintf(format, args...)}
}
