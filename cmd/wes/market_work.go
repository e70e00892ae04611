package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weisyn/wes/node/fleet"
	"github.com/weisyn/wes/node/works"
)

func newMarketWork() *cobra.Command {
	return newWorkVerb(func(ctx context.Context, p *workplace) ([]works.Station, error) { return p.stations(ctx) })
}

// newWorkVerb is wes market work with devices of a certain make.
func newWorkVerb(stations func(context.Context, *workplace) ([]works.Station, error)) *cobra.Command {
	var w fleet.WorkerConfig
	var tokenFile string
	var mib int
	c := &cobra.Command{
		Use: "work --queue URL --name NAME", Short: "Let this machine work for an operator's node", Args: arguments(),
		Long: `Let this machine work for an operator's node, until Ctrl-C: it takes jobs of the node's queue, on all
GPUs that it can use and on its CPU. The node listens for workers with --queue-listen; a cluster of
its own is named to both with its URL. What a worker holds that dies is given to another.`,
		Example: "  wes market work --queue nats://192.0.2.7:4873 --token-file token --name rack-2",
		RunE: func(c *cobra.Command, _ []string) error {
			if w.URL == "" || w.Name == "" {
				return fmt.Errorf("--queue and --name are required; see %s --help", c.CommandPath())
			}
			if tokenFile != "" {
				b, err := os.ReadFile(tokenFile)
				if err != nil {
					return fmt.Errorf("--token-file: %w", plain(err, tokenFile))
				}
				w.Token = strings.TrimSpace(string(b))
			}
			if w.Dir == "" {
				w.Dir = filepath.Join(cacheDir(), "work-"+w.Name)
			}
			p := workplace{name: w.Name, dir: w.Dir, memory: uint64(mib) << 20}
			all, err := stations(c.Context(), &p)
			if err != nil {
				return err
			}
			w.Log = slog.New(slog.NewTextHandler(c.ErrOrStderr(), nil))
			for _, s := range all {
				w.Log.Info("device", "uuid", s.Slot.Device, "class", s.Slot.Class, "memory_mib", s.Slot.Memory>>20)
			}
			crew := works.NewCrew(all)
			return errors.Join(fleet.Work(c.Context(), w, crew), crew.Close())
		},
	}
	f := c.Flags()
	f.StringVar(&w.URL, "queue", "", "URL of the node's queue, or of the cluster")
	f.StringVar(&w.Name, "name", "", "name of this worker, unique among the operator's: a-z, 0-9 and hyphens")
	f.StringVar(&w.Dir, "dir", "", "folder for programs (default: in the user's cache)")
	f.StringVar(&tokenFile, "token-file", "", "file with the token that the node asks for")
	f.StringVar(&w.Credentials, "credentials", "", "credentials file of a cluster")
	f.StringVar(&w.TLSCert, "cert", "", "file with this worker's TLS certificate, PEM")
	f.StringVar(&w.TLSKey, "key", "", "file with its key, PEM")
	f.StringVar(&w.TLSCA, "ca", "", "file with the certificates that the queue is trusted by, PEM")
	f.IntVar(&mib, "job-mib", 0, "memory that a job may take, in MiB (default: three quarters of what is free)")
	return c
}
