package fleet

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

const readyWithin = 30 * time.Second

// embedded is the server inside the node's process. Own connections show a secret that nobody
// else learns.
type embedded struct {
	server *server.Server
	secret string
}

// start runs a server that listens nowhere unless Listen says so.
func start(c *Config) (*embedded, error) {
	e := &embedded{secret: rand.Text()}
	o, err := e.options(c)
	if err != nil {
		return nil, err
	}
	if e.server, err = server.NewServer(o); err != nil {
		return nil, fmt.Errorf("new server: %w", err)
	}
	e.server.SetLoggerV2(serverLog{c.Log}, false, false, false)
	e.server.Start()
	if !e.server.ReadyForConnections(readyWithin) {
		e.stop()
		return nil, fmt.Errorf("start server: not ready: see its log; is %q in use?", c.Listen)
	}
	if !e.server.JetStreamEnabled() {
		e.stop()
		return nil, errors.New("start server: JetStream is off")
	}
	return e, nil
}

func (e *embedded) options(c *Config) (*server.Options, error) {
	o := &server.Options{
		ServerName: c.Name, DontListen: true, NoSigs: true, DisableJetStreamBanner: true,
		JetStream: true, StoreDir: filepath.Clean(c.Dir), SyncInterval: 10 * time.Second,
		JetStreamMaxMemory: 16 << 20, JetStreamMaxStore: 2*c.MaxBytes + c.MaxPrograms + 128<<20,
		MaxPayload: MaxBody + 64<<10, MaxConn: 256, MaxSubs: 1024, NoSystemAccount: true,
	}
	o.CustomClientAuthentication = &gate{secret: e.secret, token: c.Token, worker: workerPermissions(layout{c.Name})}
	if c.Listen == "" {
		return o, nil
	}
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return nil, fmt.Errorf("%w: listen: %v", ErrConfig, err)
	}
	if o.Port, err = strconv.Atoi(port); err != nil {
		return nil, fmt.Errorf("%w: listen: %v", ErrConfig, err)
	}
	if o.Port == 0 {
		o.Port = server.RANDOM_PORT
	}
	o.Host, o.DontListen = host, false
	return o, e.secure(o, c)
}

func (e *embedded) secure(o *server.Options, c *Config) error {
	if c.TLSCert == "" {
		return nil
	}
	config, err := server.GenTLSConfig(&server.TLSConfigOpts{CertFile: c.TLSCert, KeyFile: c.TLSKey, CaFile: c.TLSCA, Verify: c.TLSCA != ""})
	if err != nil {
		return fmt.Errorf("%w: TLS: %v", ErrConfig, err)
	}
	o.TLSConfig, o.TLS, o.TLSVerify, o.TLSTimeout = config, true, c.TLSCA != "", 5
	return nil
}

func (e *embedded) dial() []nats.Option {
	return []nats.Option{nats.InProcessServer(e.server), nats.Token(e.secret)}
}

// address is where it listens, host:port, or empty.
func (e *embedded) address() string {
	if a := e.server.Addr(); a != nil {
		return a.String()
	}
	return ""
}

func (e *embedded) stop() {
	e.server.Shutdown()
	e.server.WaitForShutdown()
}

// gate lets in who has the secret, and workers with the token, if there is one. Workers may take
// tasks and answer them.
type gate struct {
	secret, token string
	worker        *server.Permissions
}

var _ server.Authentication = (*gate)(nil)

func (g *gate) Check(c server.ClientAuthentication) bool {
	shown := c.GetOpts().Token
	if shown == "" {
		shown = c.GetOpts().Password
	}
	if same(shown, g.secret) {
		return true
	}
	c.RegisterUser(&server.User{Permissions: g.worker})
	return g.token == "" || same(shown, g.token)
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func workerPermissions(l layout) *server.Permissions {
	programs := "OBJ_" + l.programs()
	return &server.Permissions{
		Publish: &server.SubjectPermission{Allow: []string{
			"$JS.API.INFO",
			"$JS.API.STREAM.INFO." + l.marks(), "$JS.API.DIRECT.GET." + l.marks() + ".>",
			"$JS.API.CONSUMER.INFO." + l.tasks() + ".*", "$JS.API.CONSUMER.MSG.NEXT." + l.tasks() + ".*", "$JS.ACK." + l.tasks() + ".>",
			l.outcome("*"), l.mark("*"), l.event("*"), l.beat("*"),
			"$JS.API.STREAM.INFO." + programs, "$JS.API.DIRECT.GET." + programs + ".>", "$JS.API.STREAM.MSG.GET." + programs,
			"$JS.API.CONSUMER.*." + programs + ".>", "$JS.API.CONSUMER.MSG.NEXT." + programs + ".*", "$JS.API.CONSUMER.*." + programs, "$JS.FC." + programs + ".>",
		}},
		Subscribe: &server.SubjectPermission{Allow: []string{"_INBOX.>", l.wake(), l.drop()}},
	}
}

// serverLog passes on what the server has to say. Its notices are of no interest to an operator
// of a node.
type serverLog struct{ log *slog.Logger }

var _ server.Logger = serverLog{}

func (l serverLog) Noticef(format string, v ...any) {
	l.log.Debug("nats: " + fmt.Sprintf(format, v...))
}
func (l serverLog) Warnf(format string, v ...any)  { l.log.Warn("nats: " + fmt.Sprintf(format, v...)) }
func (l serverLog) Fatalf(format string, v ...any) { l.log.Error("nats: " + fmt.Sprintf(format, v...)) }
func (l serverLog) Errorf(format string, v ...any) { l.log.Error("nats: " + fmt.Sprintf(format, v...)) }
func (l serverLog) Debugf(string, ...any)          {}
func (l serverLog) Tracef(string, ...any)          {}
