package api

import (
	"context"
	"reflect"

	"github.com/creachadair/jrpc2"
	"github.com/creachadair/jrpc2/handler"
)

// Prefix of the names of all methods.
const methodPrefix = "wes_"

// method is one method: what is documented, described and served.
type method struct {
	name    string // without prefix
	about   string
	params  reflect.Type
	result  reflect.Type
	socket  bool // on a WebSocket only
	patient bool // peers take part in it: it gets patience times the timeout
	example string
	call    func(s *service, ctx context.Context, req *jrpc2.Request) (any, error)
}

// define makes a method of a function with typed parameters and result.
func define[P, R any](name, about, example string, call func(s *service, ctx context.Context, p *P) (R, error)) method {
	return method{
		name: name, about: about, example: example, params: reflect.TypeFor[P](), result: reflect.TypeFor[R](),
		call: func(s *service, ctx context.Context, req *jrpc2.Request) (any, error) {
			var p P
			if req.HasParams() {
				if err := req.UnmarshalParams(jrpc2.StrictFields(&p)); err != nil {
					return nil, invalid("%v", err)
				}
			}
			r, err := call(s, ctx, &p)
			if err != nil {
				return nil, failure(err)
			}
			return r, nil
		},
	}
}

// onSocket marks a method that needs a connection to push on.
func onSocket(m method) method {
	m.socket = true
	return m
}

// patience is by how much methods that peers take part in may last longer.
const patience = 3

// withPeers marks a method that peers take part in.
func withPeers(m method) method {
	m.patient = true
	return m
}

// methods lists all, in the order in which they are documented.
func methods() []method {
	return []method{
		define("status", "A summary of the node.", `{}`, (*service).status),
		define("peers", "The connected peers.", `{}`, (*service).peers),
		define("env", "What rules of the next block compare with, and the least fee rate.", `{}`, (*service).env),
		define("block", "A block, by hash or height.", `{"height": 0}`, (*service).block),
		define("transaction", "A transaction of the ledger or of the mempool.", `{"id": "…"}`, (*service).transaction),
		define("output", "An output; unspent says whether it can still be spent.", `{"outpoint": "…:0"}`, (*service).output),
		define("outputs", "Unspent outputs that concern a subject.", `{"role": "lock", "id": "wes1…"}`, (*service).outputs),
		define("history", "Transactions that touch a subject, the newest first.", `{"role": "lock", "id": "wes1…"}`, (*service).history),
		define("attachment", "Bytes beside a transaction, by their SHA-256.", `{"sha256": "…"}`, (*service).attachment),
		define("verifyingKey", "The bytes of a verifying key that an unspent output names.", `{"sha256": "…"}`, (*service).verifyingKey),
		define("submit", "Take a transaction into the mempool and tell peers.", `{"tx": "…", "witness": "…"}`, (*service).submit),
		define("check", "Validate a transaction on the tip without taking it. Attachments and proofs are taken for granted.", `{"tx": "…", "witness": "…"}`, (*service).check),
		define("make", "Make blocks, on dev networks.", `{"blocks": 1}`, (*service).make),
		define("resources", "What this node keeps of resources: models, keys, files.", `{}`, (*service).resources),
		withPeers(define("pinResource", "Keep a resource, which may come from peers. What has come when the time is up is kept for a while: call again to go on.", `{"cid": "…"}`, (*service).pinResource)),
		define("unpinResource", "Keep a resource no more; its bytes go at the next collection.", `{"cid": "…"}`, (*service).unpinResource),
		define("removeResource", "Keep a resource no more, and delete its bytes.", `{"cid": "…"}`, (*service).removeResource),
		withPeers(define("replicateResource", "Ask the peers nearest to a resource to keep it. Those that do already count.", `{"cid": "…", "copies": 3}`, (*service).replicateResource)),
		onSocket(define("subscribe", "Hear of blocks, of transactions, or of those of an address, as notifications wes_notice.", `{"to": "blocks"}`, (*service).subscribe)),
		onSocket(define("unsubscribe", "End a subscription.", `{"subscription": 1}`, (*service).unsubscribe)),
	}
}

// handlers are the methods of a service; those of a socket only with one.
func (s *service) handlers(socket bool) handler.Map {
	m := handler.Map{"rpc.discover": func(context.Context, *jrpc2.Request) (any, error) { return openRPC(), nil }}
	for _, x := range methods() {
		if x.socket && !socket {
			continue
		}
		m[methodPrefix+x.name] = func(ctx context.Context, req *jrpc2.Request) (any, error) {
			timeout := s.cfg.Timeout
			if x.patient {
				timeout *= patience
			}
			ctx, stop := context.WithTimeout(ctx, timeout)
			defer stop()
			result, err := x.call(s, ctx, req)
			s.meters.called(x.name, err)
			return result, err
		}
	}
	return m
}
