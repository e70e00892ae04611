package fleet

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"regexp"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	maxAttempts = 100
	maxStall    = uint64(7 * 24 * time.Hour / time.Millisecond)
	maxTook     = uint64(365 * 24 * time.Hour / time.Millisecond)
	missedBeats = 3 // after which a worker is gone
)

// Config says where the queue is and how much it holds. What is zero has its default.
type Config struct {
	// Name separates queues of one cluster: 1 to 32 of a-z, 0-9 and hyphens; default wes.
	Name string
	// Dir is the folder of the embedded server. It must be set unless URL is.
	Dir string
	// Listen is the host:port at which the embedded server takes workers of other processes;
	// default none.
	Listen string
	// Token is what they have to show; may be empty only on a loopback address. 16 bytes at least.
	Token string
	// TLSCert and TLSKey are PEM files of the listener, or of the client for a URL; TLSCA of whom
	// it trusts: with Listen, workers must then show a certificate.
	TLSCert, TLSKey, TLSCA string
	// URL is that of an external cluster, with user:password@ or token@, in place of the embedded
	// server. JetStream must be on there.
	URL string
	// Credentials is a .creds file for the URL.
	Credentials string

	// AckWait is after how long without a sign of life a task is given to another worker; default
	// 30 s.
	AckWait time.Duration
	// Stall is how long a task may make no progress; default 10 min.
	Stall time.Duration
	// Attempts is how often a task may be begun; default 3.
	Attempts int
	// Beat is what workers are expected to show a sign of life within; default 5 s. Theirs must be
	// the same.
	Beat time.Duration

	// MaxTasks and MaxBytes bound the queue, and apart from it the outcomes that were not done
	// with; default 1024 and 256 MiB.
	MaxTasks int
	MaxBytes int64
	// MaxPrograms bounds all programs, in bytes; default 16 GiB.
	MaxPrograms int64
	// Devices bounds the devices that tasks were meant for, ever; default 256.
	Devices int

	// Log is where the queue writes, or nil.
	Log *slog.Logger
	// Registry takes the queue's metrics, or is nil.
	Registry prometheus.Registerer
}

func orDefault[T comparable](v *T, d T) {
	var none T
	if *v == none {
		*v = d
	}
}

func (c Config) withDefaults() Config {
	orDefault(&c.Name, "wes")
	orDefault(&c.AckWait, 30*time.Second)
	orDefault(&c.Stall, 10*time.Minute)
	orDefault(&c.Attempts, 3)
	orDefault(&c.Beat, 5*time.Second)
	orDefault(&c.MaxTasks, 1024)
	orDefault(&c.MaxBytes, 256<<20)
	orDefault(&c.MaxPrograms, 16<<30)
	orDefault(&c.Devices, 256)
	orDefault(&c.Log, slog.New(slog.DiscardHandler))
	return c
}

func (c *Config) validate() error {
	switch {
	case !isName(c.Name):
		return fmt.Errorf("%w: name %q is not 1 to 32 of a-z, 0-9 and hyphens", ErrConfig, c.Name)
	case (c.Dir == "") == (c.URL == ""):
		return fmt.Errorf("%w: want either a folder or a URL", ErrConfig)
	case c.URL != "" && c.Listen != "":
		return fmt.Errorf("%w: only the embedded server listens", ErrConfig)
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return fmt.Errorf("%w: a certificate needs its key", ErrConfig)
	case c.Listen != "" && c.TLSCA != "" && c.TLSCert == "":
		return fmt.Errorf("%w: a listener that asks for certificates needs its own", ErrConfig)
	}
	if err := c.validateNumbers(); err != nil {
		return err
	}
	return validateListen(c.Listen, c.Token)
}

func (c *Config) validateNumbers() error {
	for _, n := range []struct {
		name                   string
		value, lowest, highest int64
	}{
		{"AckWait", int64(c.AckWait), int64(time.Millisecond), int64(24 * time.Hour)},
		{"Stall", int64(c.Stall), int64(time.Millisecond), int64(maxStall) * int64(time.Millisecond)},
		{"Attempts", int64(c.Attempts), 1, maxAttempts},
		{"Beat", int64(c.Beat), int64(time.Millisecond), int64(time.Hour)},
		{"MaxTasks", int64(c.MaxTasks), 1, 1 << 20},
		{"MaxBytes", c.MaxBytes, 64 << 10, 1 << 40},
		{"MaxPrograms", c.MaxPrograms, 64 << 10, 1 << 50},
		{"Devices", int64(c.Devices), 1, 1 << 16},
	} {
		if n.value < n.lowest || n.value > n.highest {
			return fmt.Errorf("%w: %s is %d, want %d to %d", ErrConfig, n.name, n.value, n.lowest, n.highest)
		}
	}
	return nil
}

// validateListen refuses an address that others can reach without a token. A host that is no
// address counts as one that they can, and so does an empty one.
func validateListen(listen, token string) error {
	if token != "" && len(token) < 16 {
		return fmt.Errorf("%w: a token of %d bytes, want 16 at least", ErrConfig, len(token))
	}
	if listen == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("%w: listen: %v", ErrConfig, err)
	}
	if ip := net.ParseIP(host); token == "" && (ip == nil || !ip.IsLoopback()) && host != "localhost" {
		return fmt.Errorf("%w: %q can be reached by others and needs a token", ErrConfig, listen)
	}
	return nil
}

func isName(s string) bool { return regexp.MustCompile(`^[a-z0-9-]{1,32}$`).MatchString(s) }

// WorkerConfig says whose tasks a worker takes. What is zero has its default.
type WorkerConfig struct {
	// Name is the worker's, unique in its queue: 1 to 64 of a-z, 0-9 and hyphens. It must be set.
	Name string
	// Queue is that of the same process, or nil.
	Queue *Queue
	// URL is where the queue is otherwise: that of the node's listener, or of the cluster.
	URL string
	// QueueName is Config.Name of the queue at URL; default wes.
	QueueName string
	// Token, Credentials and the TLS files are as in Config.
	Token, Credentials, TLSCert, TLSKey, TLSCA string

	// Dir is a folder for programs. It must be set, and is the worker's alone.
	Dir string
	// MaxPrograms bounds the programs kept there, in bytes, those in use aside; default 16 GiB.
	MaxPrograms int64
	// AckWait and Beat are those of the queue; default 30 s and 5 s.
	AckWait, Beat time.Duration
	// Poll is how often a slot looks for tasks that nobody told it of; default 2 s.
	Poll time.Duration

	// Log is where the worker writes, or nil.
	Log *slog.Logger
}

func (c WorkerConfig) withDefaults() WorkerConfig {
	if q := c.Queue; q != nil {
		c.QueueName, c.AckWait, c.Beat = q.config.Name, q.config.AckWait, q.config.Beat
	}
	orDefault(&c.QueueName, "wes")
	orDefault(&c.MaxPrograms, 16<<30)
	orDefault(&c.AckWait, 30*time.Second)
	orDefault(&c.Beat, 5*time.Second)
	orDefault(&c.Poll, 2*time.Second)
	orDefault(&c.Log, slog.New(slog.DiscardHandler))
	return c
}

func (c *WorkerConfig) validate() error {
	switch {
	case !isID(c.Name):
		return fmt.Errorf("%w: worker %q is not 1 to 64 of a-z, 0-9 and hyphens", ErrConfig, c.Name)
	case !isName(c.QueueName):
		return fmt.Errorf("%w: queue %q is not 1 to 32 of a-z, 0-9 and hyphens", ErrConfig, c.QueueName)
	case (c.Queue == nil) == (c.URL == ""):
		return fmt.Errorf("%w: want either a queue or a URL", ErrConfig)
	case c.Dir == "":
		return fmt.Errorf("%w: a worker needs a folder", ErrConfig)
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return fmt.Errorf("%w: a certificate needs its key", ErrConfig)
	case min(c.AckWait, c.Beat, c.Poll) < time.Millisecond:
		return fmt.Errorf("%w: AckWait, Beat and Poll are a millisecond at least", ErrConfig)
	case c.MaxPrograms < 0:
		return fmt.Errorf("%w: MaxPrograms is %d", ErrConfig, c.MaxPrograms)
	}
	if _, err := url.Parse(c.URL); err != nil {
		return fmt.Errorf("%w: URL: %v", ErrConfig, err)
	}
	return nil
}
