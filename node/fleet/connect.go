package fleet

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	keyError  = "error"
	keyReason = "reason"
	keyTask   = "task"
	keyWorker = "worker"
)

// remote are the options for a server of another process.
func remote(token, credentials, cert, key, ca string) []nats.Option {
	var all []nats.Option
	if token != "" {
		all = append(all, nats.Token(token))
	}
	if credentials != "" {
		all = append(all, nats.UserCredentials(credentials))
	}
	if cert != "" {
		all = append(all, nats.ClientCert(cert, key))
	}
	if ca != "" {
		all = append(all, nats.RootCAs(ca))
	}
	return all
}

// connect dials and keeps the connection for ever: a server that is away is waited for.
func connect(url, name string, log *slog.Logger, how []nats.Option) (*nats.Conn, jetstream.JetStream, error) {
	how = append([]nats.Option{
		nats.Name(name), nats.MaxReconnects(-1), nats.ReconnectWait(time.Second), nats.ReconnectBufSize(-1), nats.Timeout(10 * time.Second),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { log.Warn("queue connection", keyError, err) }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("queue connection lost", keyError, err)
			}
		}),
	}, how...)
	nc, err := nats.Connect(url, how...)
	if err != nil {
		return nil, nil, fmt.Errorf("connect to the queue: %w", err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		nc.Close()
		return nil, nil, fmt.Errorf("connect to the queue: %w", err)
	}
	return nc, js, nil
}

// What a stream says that has no room (nats-server: store.go, jetstream_errors_generated.go).
const (
	codeStoreFailed = 10077 // with one of the texts
	codeNoStorage   = 10047
	codeNoResources = 10023

	textMessages   = "maximum messages exceeded"
	textBytes      = "maximum bytes exceeded"
	textPerSubject = "maximum messages per subject exceeded"
)

// isSecond says whether a stream refused a message because it has one with this subject.
func isSecond(err error) bool {
	var e *jetstream.APIError
	return errors.As(err, &e) && e.ErrorCode == codeStoreFailed && e.Description == textPerSubject
}

func isFull(err error) bool {
	var e *jetstream.APIError
	if !errors.As(err, &e) {
		return false
	}
	return e.ErrorCode == codeNoStorage || e.ErrorCode == codeNoResources ||
		e.ErrorCode == codeStoreFailed && (e.Description == textMessages || e.Description == textBytes)
}

// refused says whether the server answered that it did not take a message; otherwise it may have.
func refused(err error) bool {
	return errors.As(err, new(*jetstream.APIError)) || errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, nats.ErrMaxPayload)
}
