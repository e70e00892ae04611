package gateway

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestClientTellsWhatIsNoNode(t *testing.T) {
	for name, x := range map[string]struct {
		body   string
		status int
		reason string // of a Problem; empty: ErrAnswer
	}{
		"page": {"<html>", 200, ""}, "token": {"the token is wrong", 401, ReasonToken}, "proxy": {"<html>", 502, ReasonOther},
		"nothing": {"", 500, ReasonOther},
	} {
		server := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(x.status)
			_, _ = io.WriteString(w, x.body)
		})}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() { done <- server.Serve(l) }()
		c := NewClient("http://"+l.Addr().String()+"/", "secret")
		_, err = c.Models(t.Context())
		var p *Problem
		if x.reason == "" && !errors.Is(err, ErrAnswer) || x.reason != "" && (!errors.As(err, &p) || p.Reason != x.reason || p.Text == "") {
			t.Errorf("%s: %v", name, err)
		}
		_ = server.Close()
		<-done
		if _, err := c.Models(t.Context()); !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

func TestAnswersThatAreWrongAreRefusedByTheClient(t *testing.T) {
	good := `{"model_name":"m","outputs":[{"name":"y","datatype":"INT8","shape":[2],"parameters":{"binary_data_size":2}}]}`
	if x, err := decodeAnswer([]byte(good+"\x01\x02"), fmt.Sprint(len(good))); err != nil || x.Outputs[0].Data[1] != 2 {
		t.Fatal(x, err)
	}
	for name, x := range map[string]struct{ body, length string }{
		"length": {good, "1000"}, "rest": {good + "123", fmt.Sprint(len(good))}, "short": {good + "1", fmt.Sprint(len(good))},
		"shape": {strings.Replace(good, "[2]", "[3]", 1) + "12", fmt.Sprint(len(good))}, "JSON": {"x", ""},
		"no data": {`{"outputs":[{"name":"y","datatype":"INT8","shape":[2]}]}`, ""},
		"huge":    {`{"outputs":[{"name":"y","datatype":"INT8","shape":[99999999999],"data":[1]}]}`, ""},
	} {
		if _, err := decodeAnswer([]byte(x.body), x.length); !errors.Is(err, ErrAnswer) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
