package gateway

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// The reasons that the gateway itself gives. Those of the market are in docs/market-codes.md.
const (
	ReasonMalformed   = "malformed"     // the request is not what the protocol says
	ReasonTensor      = "bad_tensor"    // a tensor is not what the model wants, or malformed
	ReasonUnsupported = "unsupported"   // an extension or encoding that is not served
	ReasonNotFound    = "not_found"     // no such job, path, proof
	ReasonModel       = "unknown_model" // no such model or version
	ReasonTooLarge    = "too_large"     // a bound is exceeded
	ReasonBusy        = "busy"          // too much at once: come again
	ReasonTimeout     = "timeout"       // the outputs did not come in time; the job goes on
	ReasonDeadline    = "deadline"      // the deadline of the request is over
	ReasonSlow        = "slow"          // the body did not come in time
	ReasonNotReady    = "not_ready"     // the node takes no jobs now
	ReasonClosing     = "closing"       // the node is stopping
	ReasonNotJSON     = "not_json"      // JSON has no way to write an output
	ReasonFault       = "fault"         // a fault of the node
	ReasonMethod      = "method"        // the path is not for that method
	ReasonToken       = "token"         // the token is missing or wrong
	ReasonNoMarket    = "no_market"     // the node takes no part in the market
	ReasonOther       = "other"         // an answer that is none of the gateway, as a client sees it
)

// Problem is why a request is not carried out, in terms of HTTP.
type Problem struct {
	Status     int           // of HTTP, 400 to 599
	Reason     string        // stable code
	Text       string        // a sentence
	RetryAfter time.Duration // if it is worth another try; 0: unknown
	Job        string        // id of the job that it is about, if any
}

func (p *Problem) Error() string { return p.Text }

// ErrUnknownModel is what Market.Model returns for a model that nobody knows.
func ErrUnknownModel(name string) *Problem {
	return problem(http.StatusNotFound, ReasonModel, "no model has the name or CID %q", short(name))
}

func problem(status int, reason, format string, args ...any) *Problem {
	return &Problem{Status: status, Reason: reason, Text: fmt.Sprintf(format, args...)}
}

func malformed(format string, args ...any) *Problem {
	return problem(http.StatusBadRequest, ReasonMalformed, format, args...)
}

func badTensor(format string, args ...any) *Problem {
	return problem(http.StatusBadRequest, ReasonTensor, format, args...)
}

func tooLarge(format string, args ...any) *Problem {
	return problem(http.StatusRequestEntityTooLarge, ReasonTooLarge, format, args...)
}

func busy(what string) *Problem {
	p := problem(http.StatusTooManyRequests, ReasonBusy, "busy: too many %s at once", what)
	p.RetryAfter = time.Second
	return p
}

// short cuts a text of a stranger for a message.
func short(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}

// statusFor is the HTTP status for a job that came to nothing, by its reason in the market.
func statusFor(reason string) int {
	switch reason {
	case "price", "no_funds", "payment_required":
		return http.StatusPaymentRequired
	case "bad_input", "unsatisfied_witness", "terms":
		return http.StatusUnprocessableEntity
	case "deadline", "missed", "late", "expired":
		return http.StatusGatewayTimeout
	case "canceled":
		return http.StatusConflict
	case "no_bid", "busy", "capped", "draining", "infeasible", "unknown_program", "unreachable", "not_funded", "escrow":
		return http.StatusServiceUnavailable
	}
	return http.StatusBadGateway
}

// failed is the problem of a job that came to nothing.
func failed(j *Job) *Problem {
	text := j.Text
	if text == "" {
		text = "the job came to nothing: " + j.Reason
	}
	p := problem(statusFor(j.Reason), j.Reason, "%s", text)
	p.Job = j.ID
	if p.Status == http.StatusServiceUnavailable {
		p.RetryAfter = 5 * time.Second
	}
	return p
}

// asProblem returns the problem in an error. What is none is a fault.
func asProblem(err error) *Problem {
	var p *Problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return problem(http.StatusGatewayTimeout, ReasonTimeout, "the request took too long")
	}
	return problem(http.StatusInternalServerError, ReasonFault, "a fault of the node: see its log")
}

// setHeaders puts what a body has no room for into the headers of a response.
func (p *Problem) setHeaders(h http.Header) {
	h.Set(headerReason, p.Reason)
	if p.Job != "" {
		h.Set(headerJob, p.Job)
	}
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(p.RetryAfter.Seconds()))))
	}
}

// The headers of the gateway.
const (
	headerReason = "Wes-Reason"
	headerJob    = "Wes-Job"
	headerLength = "Inference-Header-Content-Length"
)
