package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/weisyn/wes/gpu/worker"
	"github.com/weisyn/wes/prover"
	"github.com/weisyn/wes/prover/pipeline"
	"github.com/weisyn/wes/prover/transcript"
)

// proveFlags are the flags of wes ai prove.
type proveFlags struct {
	loweringFlags
	out                string
	engine, transcript string
	device             string
	job                prover.Job
	json               bool
}

// The names of the files that a proof consists of.
const (
	modelFile  = "model.wes"
	proofFile  = "proof.wes"
	outputFile = "output.json"
)

func newProve() *cobra.Command {
	var f proveFlags
	c := &cobra.Command{
		Use:   "prove MODEL.onnx --input FILE --out DIR",
		Short: "Run a model once and prove what it computed",
		Long: `Run a model once and prove what it computed.

DIR gets ` + modelFile + ` (what a verifier needs of the model), ` + proofFile + ` and ` + outputFile + `. The
proof is verified before it is reported. Nothing is hidden by it: input and output are
public.

FILE is the body of an Open Inference Protocol v2 request,
{"inputs": [{"name", "shape", "datatype", "data"}]}, or {"input name": nested arrays}, or a
.npy array. All rows are proved at once.

The model is lowered to integers first, with ranges taken from the samples of --calibrate,
else from the input itself. The result is kept in the user's cache (WES_CACHE names another
folder), so that a second run starts at once. Reported accuracy compares the integer model
with the float one on what it was calibrated on.

` + exitHelp,
		Example: "  wes ai prove digits.onnx --input digits.json --out proof",
		Args:    arguments("MODEL.onnx"),
		RunE:    func(c *cobra.Command, args []string) error { return prove(c, args[0], &f) },
	}
	fs := c.Flags()
	f.bindModel(fs)
	fs.StringVar(&f.engine, "engine", string(pipeline.EngineAuto), "what executes: auto, onnxruntime or interpreter; the results are equal")
	fs.StringVar(&f.device, "device", deviceAuto, "what commits: auto (a GPU, where this program has ICICLE and it works), cpu or icicle; the results are equal")
	fs.StringVar(&f.job.ID, "job", "", "job that the proof is for")
	fs.StringVar(&f.job.Payee, "payee", "", "who is paid for the job")
	fs.StringVar(&f.job.Chain, "chain", "", "chain on which the job is paid")
	fs.StringVar(&f.out, "out", "", "folder for the result, made if missing")
	fs.BoolVar(&f.json, "json", false, "print one JSON object")
	return c
}

// bindModel binds what a model is made into a program with.
func (f *proveFlags) bindModel(fs *pflag.FlagSet) {
	f.bind(fs)
	fs.StringVar(&f.transcript, "transcript", transcript.SHA256.String(), "hash of the proof: sha256, or poseidon2 for verification inside a circuit")
}

func prove(c *cobra.Command, path string, f *proveFlags) error {
	if f.input == "" || f.out == "" {
		return fmt.Errorf("--input and --out are required; see %s --help", c.CommandPath())
	}
	source, engine, err := f.read(path)
	if err != nil {
		return err
	}
	committer, err := openCommitter(c.Context(), f.device, worker.Options{})
	if err != nil {
		return err
	}
	if committer != nil {
		defer committer.Close()
	}
	if err := pipeline.MakeDir(f.out); err != nil {
		return fmt.Errorf("--out: %w", plain(err, f.out))
	}
	var progress *bars
	if !f.json {
		progress = newBars(c.ErrOrStderr())
	}
	line := pipeline.Line{Cache: userCache(), Runtime: runtimes{}, Progress: progress.progress()}
	if committer != nil {
		line.Committer = committer
	}
	outcome, report, err := line.Run(c.Context(), source, engine, pipeline.Request{Inputs: source.Inputs, Job: f.job})
	progress.finish()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := writeOutcome(f.out, outcome); err != nil {
		return err
	}
	if f.json {
		return printJSON(c.OutOrStdout(), report)
	}
	return printProof(c.OutOrStdout(), filepath.Base(path), f.out, outcome, report)
}

// read turns flags into what the pipeline wants.
func (f *proveFlags) read(path string) (s pipeline.Source, e pipeline.Engine, err error) {
	if e, err = pipeline.ParseEngine(f.engine); err != nil {
		return s, e, err
	}
	if s.Transcript, err = transcript.ParseKind(f.transcript); err != nil {
		return s, e, fmt.Errorf("--transcript %q: it is %s or %s", f.transcript, transcript.SHA256, transcript.Poseidon2)
	}
	kind := s.Transcript
	s, err = f.source(path)
	s.Transcript = kind
	return s, e, err
}

func writeOutcome(dir string, o *pipeline.Outcome) error {
	err := pipeline.WriteFiles(dir, []pipeline.File{
		{Name: modelFile, Data: o.Model}, {Name: proofFile, Data: o.Proof}, {Name: outputFile, Data: o.Output},
	})
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return nil
}

// userCache is the cache of prepared models, nil where there is no place for one.
func userCache() *pipeline.Cache {
	dir := cacheDir()
	if dir == "" {
		return nil
	}
	return &pipeline.Cache{Dir: filepath.Join(dir, "models")}
}

// cacheDir is the program's folder in the user's cache, "" where there is no place for one.
func cacheDir() string {
	if dir := os.Getenv("WES_CACHE"); dir != "" {
		return dir
	}
	user, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(user, "wes")
}
